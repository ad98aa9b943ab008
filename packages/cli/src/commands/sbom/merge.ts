import { isDigest } from "@touchmark/core";
import type { SbomSubject } from "@touchmark/formats/sbom";
import type { SbomFormat } from "@touchmark/sbom";
import { type Command, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine } from "../../terminal.ts";
import { noteLosses, noteProblems, readDocument, writeDocument, writtenFormats } from "./document.ts";

/** `touchmark sbom merge`: one SBOM of several. */
export const command: Command = {
  name: "sbom merge",
  summary: "make one SBOM of several",
  description:
    "The new subject depends on the subject of each. A component that stands in several is one, with the places, hashes and licences of all; where two say different digests of it both stay, and that is named. The order of the documents does not matter.",
  arguments: [{ name: "documents", description: "SBOM documents of any format", required: true, variadic: true }],
  options: [
    { flags: "--name <name>", description: "name of what the merged SBOM is about" },
    { flags: "--version <version>", description: "its version" },
    { flags: "--digest <digest>", description: "its digest, sha256:HEX" },
    { flags: "--format <format>", description: "format to write (default: cyclonedx-json)", choices: writtenFormats },
    { flags: "--created <time>", description: "time in the document, RFC 3339 (default: none)" },
    { flags: "--output <file>", description: "write the document to this file" },
  ],
  examples: [
    ["touchmark sbom merge web.cdx.json api.spdx.json --name shop --version 1.4 --output shop.cdx.json", "a release"],
  ],
  async run(invocation, terminal) {
    const subject = subjectOf(text(invocation, "name"), text(invocation, "version"), text(invocation, "digest"));
    const created = text(invocation, "created");
    const sboms = [];
    for (const file of invocation.arguments) {
      const read = await readDocument(file, terminal);
      noteProblems(file, read, terminal);
      noteLosses(`not kept of ${oneLine(file)}`, read.losses, terminal);
      sboms.push(read.sbom);
    }
    const { mergeSboms } = await import("@touchmark/sbom");
    const merged = mergeSboms(sboms, { subject, ...(created === undefined ? {} : { created }) });
    for (const { code, message } of merged.losses.slice(0, 50)) terminal.note(`${code}: ${oneLine(message)}`);
    const format = (text(invocation, "format") ?? "cyclonedx-json") as SbomFormat;
    await writeDocument(merged, { format, output: text(invocation, "output") }, terminal);
    return 0;
  },
};

function subjectOf(name: string | undefined, version: string | undefined, digest: string | undefined): SbomSubject {
  if (name === undefined) throw cliErrors.make("CLI_USAGE", "expected --name: what the merged SBOM is about");
  if (digest !== undefined && !isDigest(digest)) {
    throw cliErrors.make("CLI_USAGE", `expected --digest sha256:HEX, found ${JSON.stringify(digest.slice(0, 80))}`);
  }
  return {
    kind: "artifact",
    name,
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined ? {} : { digest }),
  };
}
