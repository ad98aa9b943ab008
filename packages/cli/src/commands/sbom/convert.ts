import type { SbomFormat } from "@touchmark/sbom";
import { type Command, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { noteLosses, noteProblems, readDocument, writeDocument, writtenFormats } from "./document.ts";

/** `touchmark sbom convert`: the same SBOM in another format. */
export const command: Command = {
  name: "sbom convert",
  summary: "write an SBOM in another format, and say what that cannot hold",
  description:
    "Reads CycloneDX 1.2 to 1.7 (JSON, XML), SPDX 2.2 and 2.3 (JSON, tag-value), SPDX 3.0 (JSON-LD) and our own form, by what stands in the file. Edges and hashes are kept. What the new format has no member for is told in properties or annotations named touchmark:sbom:*, which reading brings back, and is listed; so is what the document says and we have no place for. The same document gives the same bytes.",
  arguments: [{ name: "document", description: "an SBOM document", required: true }],
  options: [
    { flags: "--to <format>", description: "format to write", choices: writtenFormats },
    { flags: "--output <file>", description: "write the document to this file" },
  ],
  examples: [
    ["touchmark sbom convert sbom.spdx.json --to cyclonedx-json --output sbom.cdx.json", "SPDX to CycloneDX 1.6"],
    ["touchmark sbom convert bom.xml --to spdx-3-json", "CycloneDX XML to SPDX 3.0.1"],
  ],
  async run(invocation, terminal) {
    const [file = ""] = invocation.arguments;
    const format = text(invocation, "to");
    if (format === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected --to with one of ${writtenFormats.join(", ")}`);
    }
    const read = await readDocument(file, terminal);
    noteProblems(file, read, terminal);
    noteLosses(`not kept of ${read.format}`, read.losses, terminal);
    await writeDocument(read.sbom, { format: format as SbomFormat, output: text(invocation, "output") }, terminal);
    return 0;
  },
};
