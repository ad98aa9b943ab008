import { exitCodes } from "@touchmark/core";
import { verifyMirror } from "@touchmark/materials";
import { type Command, given } from "../../command.ts";
import { size } from "../../output/quantity.ts";
import { oneLine } from "../../terminal.ts";
import { withMirror } from "./place.ts";
import { progressLine } from "./progress-line.ts";

/** `touchmark materials verify`: every byte of the mirror again. */
export const command: Command = {
  name: "materials verify",
  summary: "read the mirror again, every byte of it, and name what is damaged",
  description:
    "Hashes every body against every digest that was announced for it, and reads every record. What is damaged is moved aside, so that the next fetch brings it again; the exit code is then 3. Nothing is asked of any registry.",
  options: [
    { flags: "--repair", description: "make ledger and index again from the records where they are damaged" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark materials verify", "before a run without network"],
    ["touchmark materials verify --repair", "after a disk failed"],
  ],
  async run(invocation, terminal) {
    const progress = progressLine(terminal, "verified");
    const report = await withMirror(false, ({ options }) =>
      verifyMirror(options, {
        repair: given(invocation, "repair"),
        signal: terminal.signal,
        onProgress: progress.tick,
      }),
    ).finally(progress.close);
    const code = report.faults.length === 0 ? 0 : exitCodes.refused;
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify(report, undefined, 2));
      return code;
    }
    const { style } = terminal;
    for (const fault of report.faults) {
      terminal.print(`${style.bad(fault.code)} ${oneLine(fault.subject)}: ${oneLine(fault.message)}`);
    }
    const verdict =
      code === 0
        ? style.good("whole")
        : style.bad(report.faults.length === 1 ? "1 fault" : `${report.faults.length} faults`);
    terminal.print(
      `${verdict}: ${report.records} answers, ${report.bodies} files, ${size(report.bytes)}; ${report.seen} names in the ledger`,
    );
    if (report.repaired) terminal.note("ledger and index were made again from the records");
    return code;
  },
};
