import { pruneMirror } from "@touchmark/materials";
import { openIndex, openRunStore, openTreeStore } from "@touchmark/store";
import { type Command, given, type Invocation, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { parseAge, parseSize, size } from "../../output/quantity.ts";
import { oneLine } from "../../terminal.ts";
import { withMirror } from "./place.ts";

/** `touchmark materials prune`: frees space in the mirror. */
export const command: Command = {
  name: "materials prune",
  summary: "free space; what a kept run used stays",
  description:
    "Deletes answers of the mirror by age and size, oldest first. What the evidence of a kept run names always stays, and the ledger of files ever seen is never pruned: it is what notices a version that changes. Nothing goes unless age, size or --unused is given.",
  options: [
    { flags: "--older-than <age>", description: "what came longer ago may go: 90d, 12h, 90m" },
    { flags: "--max-size <size>", description: "oldest go until the mirror is this small: 10GiB, 500MiB" },
    { flags: "--unused", description: "whatever no kept run used goes, however new" },
    { flags: "--dry-run", description: "only say what would go" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark materials prune --unused --dry-run", "what no kept run needs"],
    ["touchmark materials prune --older-than 180d --max-size 20GiB", "oldest first"],
  ],
  async run(invocation, terminal) {
    const age = quantity(invocation, "olderThan", parseAge, "--older-than like 90d, 12h or 90m");
    const bytes = quantity(invocation, "maxSize", parseSize, "--max-size like 10GiB or 500MiB");
    const unused = given(invocation, "unused");
    if (age === undefined && bytes === undefined && !unused) {
      throw cliErrors.make("CLI_USAGE", "expected --older-than, --max-size or --unused");
    }
    const report = await withMirror(false, async ({ home, options }) => {
      const index = await openIndex(home);
      try {
        const stores = { home, content: options.content, trees: await openTreeStore(home), runs: openRunStore(home) };
        return await pruneMirror({ ...stores, index }, options, {
          ...(age === undefined ? {} : { olderThanSeconds: age }),
          ...(bytes === undefined ? {} : { maxBytes: bytes }),
          unused,
          dryRun: given(invocation, "dryRun"),
        });
      } finally {
        index.close();
      }
    });
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify(report, undefined, 2));
      return 0;
    }
    const verb = report.dryRun ? "would free" : "freed";
    terminal.print(`${verb} ${size(report.freedBytes)} of ${size(report.bytesBefore)}: ${report.bodies.length} files`);
    for (const one of report.bodies) terminal.print(`  ${size(one.size).padStart(9)}  ${oneLine(one.url)}`);
    for (const [reason, count] of Object.entries(report.kept)) {
      if (count > 0) terminal.print(`  kept ${count}: ${reason}`);
    }
    if (report.aboveMaxBytes) {
      terminal.note(terminal.style.warn("the size asked for cannot be reached without deleting what kept runs used"));
    }
    return 0;
  },
};

function quantity(
  invocation: Invocation,
  option: string,
  parse: (word: string) => number | undefined,
  expected: string,
): number | undefined {
  const word = text(invocation, option);
  if (word === undefined) return undefined;
  const value = parse(word);
  if (value === undefined) {
    throw cliErrors.make("CLI_USAGE", `expected ${expected}, found ${JSON.stringify(word.slice(0, 40))}`);
  }
  return value;
}
