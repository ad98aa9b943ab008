import { applyVex, readVex } from "@touchmark/advisories";
import { type Command, given } from "../../command.ts";
import { cataloguing } from "../../output/cataloguing.ts";
import { readNamedFile } from "../../output/file.ts";
import { registryOptions } from "../../registry-options.ts";
import { openScanSource, sourceDescription } from "../../scan-source.ts";
import { oneLine } from "../../terminal.ts";

/** `touchmark vex explain`: what a document says about a source. */
export const command: Command = {
  name: "vex explain",
  summary: "which statements of a document speak of a source, and why the others do not",
  arguments: [
    { name: "file", description: "a VEX document", required: true },
    { name: "source", description: `${sourceDescription} (default: the current directory)` },
  ],
  options: [
    { flags: "--platform <platform>", description: "of an image for several: os/architecture[/variant]" },
    { flags: "--json", description: "machine-readable output" },
    ...registryOptions,
  ],
  examples: [["touchmark vex explain vendor.json oci-dir:image", "the nearest miss of each statement without effect"]],
  async run(invocation, terminal) {
    const [file = "", words = "dir:."] = invocation.arguments;
    const document = readVex(readNamedFile(terminal, file, "a readable VEX document"), { name: file });
    const { scanSbom, scanSettingsOfHome } = await import("@touchmark/pipeline/analysis");
    const { database } = await scanSettingsOfHome({ allowStale: true });
    const source = await openScanSource(words, invocation, terminal);
    try {
      const options = { now: new Date(), policies: [], ...(database === undefined ? {} : { database }) };
      const { result, unmatched } = applyVex(scanSbom(await cataloguing(source, terminal), options), [document]);
      const decided = result.findings.filter(({ decisions }) => decisions.length > 0);
      if (given(invocation, "json")) {
        const rows = decided.map(({ id, component, decisions }) => ({ id, component, decisions }));
        terminal.print(JSON.stringify({ applied: rows, unmatched, losses: document.losses }, undefined, 2));
        return 0;
      }
      for (const { id, component, decisions } of decided) {
        for (const { status, reason } of decisions)
          terminal.print(oneLine(`${terminal.style.good(status)} ${id} in ${component}: ${reason}`));
      }
      for (const { statement, why } of unmatched)
        terminal.print(oneLine(`${terminal.style.warn("no effect")} ${statement}: ${why}`));
      for (const loss of document.losses) terminal.print(oneLine(`${terminal.style.warn("not taken")} ${loss}`));
      if (database === undefined)
        terminal.note("no advisory data: nothing is known to be vulnerable, so no statement has an effect");
      return 0;
    } finally {
      source.close();
      database?.close();
    }
  },
};
