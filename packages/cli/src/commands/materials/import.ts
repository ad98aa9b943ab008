import { statSync } from "node:fs";
import { resolve } from "node:path";
import { importMirror } from "@touchmark/materials";
import { type Command, given } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { size } from "../../output/quantity.ts";
import { withMirror } from "./place.ts";
import { progressLine } from "./progress-line.ts";

/** `touchmark materials import`: takes in what `export` wrote. */
export const command: Command = {
  name: "materials import",
  summary: "take in such a file, believing nothing of it",
  description:
    "Verifies every member, record, size and digest before the first of it is let in. An archive that has other bytes for a file name than this mirror has ever seen is refused, and both are kept in quarantine. A home is made where there is none.",
  arguments: [{ name: "file", description: "an archive that `touchmark materials export` wrote", required: true }],
  options: [{ flags: "--json", description: "machine-readable report" }],
  examples: [["touchmark materials import mirror.tar", "then a run without network is served from it"]],
  async run(invocation, terminal) {
    const name = invocation.arguments[0] ?? "";
    const file = resolve(terminal.directory, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      throw cliErrors.make("CLI_FILE_UNREADABLE", `expected an archive at ${name}, found no file`);
    }
    const progress = progressLine(terminal, "verified");
    const report = await withMirror(true, ({ options }) =>
      importMirror(options, { file, signal: terminal.signal, onProgress: progress.tick }),
    ).finally(progress.close);
    if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
    else {
      terminal.print(
        `${terminal.style.good("imported")} ${report.records} answers, ${report.bodies} files, ${size(report.bytes)}; ${report.added} of the files were new`,
      );
    }
    return 0;
  },
};
