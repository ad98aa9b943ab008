import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";

const FILE = "touchmark-materials.lock.json";

/** `touchmark materials lock`: a lockfile for what has none. */
export const command: Command = {
  name: "materials lock",
  summary: "write a lockfile for ecosystems that have none, from what a run recorded",
  description: `Maven, apt and plain files have no lockfile. Let one run record them (gate: unlocked in materials.yaml), look at what it fetched, and write it down here: from then on nothing else comes in. The file is ${FILE}, at the top of the source.`,
  options: [
    { flags: "--run <run>", description: "id of a run (default: latest)" },
    { flags: "--out <file>", description: `where to write it (default: ${FILE})` },
    { flags: "--force", description: "replace a file that is there" },
    { flags: "--json", description: "machine-readable result" },
  ],
  examples: [["touchmark materials lock", "after a run that recorded; then commit the file"]],
  async run(invocation, terminal) {
    const { lockFromRun, openFactory } = await import("@touchmark/pipeline");
    const path = resolve(terminal.directory, text(invocation, "out") ?? FILE);
    if (existsSync(path) && !given(invocation, "force")) {
      throw cliErrors.make("CLI_FILE_EXISTS", `${path} is there already`, { hint: "--force replaces it" });
    }
    const factory = await openFactory();
    try {
      const lock = await lockFromRun(factory, text(invocation, "run") ?? "latest");
      writeFileSync(path, lock.text);
      if (given(invocation, "json")) terminal.print(JSON.stringify({ run: lock.run, packages: lock.packages, path }));
      else terminal.note(`wrote ${path}: ${lock.packages} packages of run ${lock.run}; commit it`);
      return 0;
    } finally {
      await factory.close();
    }
  },
};
