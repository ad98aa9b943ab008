import { type Command, given, type SubcommandRow, text } from "../command.ts";
import { cataloguing } from "../output/cataloguing.ts";
import { writeNamedFile } from "../output/file.ts";
import { sbomTable } from "../output/sbom-table.ts";
import { registryOptions } from "../registry-options.ts";
import { openScanSource, sourceDescription } from "../scan-source.ts";
import { oneLine } from "../terminal.ts";
import { timeOption } from "../time-option.ts";

/** Further forms, in the order of help. One visible place; nothing registers itself. */
const rows: readonly SubcommandRow[] = [
  { name: "diff", summary: "what two SBOMs or sources differ in", load: () => import("./sbom/diff.ts") },
  {
    name: "convert",
    summary: "write an SBOM in another format, and say what that cannot hold",
    load: () => import("./sbom/convert.ts"),
  },
  { name: "merge", summary: "make one SBOM of several", load: () => import("./sbom/merge.ts") },
  { name: "validate", summary: "say what is wrong in an SBOM", load: () => import("./sbom/validate.ts") },
];

const formats = [
  "table",
  "cyclonedx-json",
  "cyclonedx-1.7-json",
  "cyclonedx-xml",
  "spdx-json",
  "spdx-tag-value",
  "spdx-3-json",
  "touchmark-json",
];

/** `touchmark sbom`: what a directory, an image, an archive or a file consists of. */
export const command: Command = {
  name: "sbom",
  summary: "what software consists of: catalogue, convert, compare, merge",
  description:
    "Catalogues system packages, packages of ten language ecosystems with who depends on whom, programs by what is in them, licences and files that belong to nobody. The same input gives the same bytes; what could not be read is listed.",
  arguments: [{ name: "source", description: sourceDescription, required: true }],
  options: [
    { flags: "--format <format>", description: "table (default) or a document", choices: formats },
    { flags: "--json", description: "the same as --format touchmark-json" },
    { flags: "--output <file>", description: "write the document to this file" },
    { flags: "--name <name>", description: "name of the subject in the document" },
    { flags: "--version <version>", description: "version of the subject in the document" },
    {
      flags: "--created <time>",
      description: "time in the document, RFC 3339 (default: SOURCE_DATE_EPOCH, else none)",
    },
    { flags: "--platform <platform>", description: "of an image for several: os/architecture[/variant]" },
    ...registryOptions,
  ],
  examples: [
    ["touchmark sbom .", "a table of what this directory consists of"],
    ["touchmark sbom dir:. --format cyclonedx-json --output sbom.cdx.json", "a CycloneDX 1.6 document"],
    ["touchmark sbom oci-dir:image --format spdx-json", "of an image, with the layer that brought each component"],
    ["touchmark sbom diff old.cdx.json new.cdx.json", "what changed between two"],
  ],
  subcommands: rows,
  async run(invocation, terminal) {
    const [words = ""] = invocation.arguments;
    const format = given(invocation, "json") ? "touchmark-json" : (text(invocation, "format") ?? "table");
    const source = await openScanSource(words, invocation, terminal);
    try {
      const sbom = await cataloguing(source, terminal, {
        ...optionalText(text(invocation, "name"), "name"),
        ...optionalText(text(invocation, "version"), "version"),
        ...optionalText(createdOf(text(invocation, "created"), terminal.environment), "created"),
      });
      const output = text(invocation, "output");
      const { isSbomFormat, writeSbom } = await import("@touchmark/sbom");
      if (!isSbomFormat(format)) {
        const table = sbomTable(sbom, terminal);
        if (output === undefined) terminal.print(table);
        else writeNamedFile(terminal, output, `${table}\n`);
        return 0;
      }
      const { bytes, losses } = writeSbom(sbom, format);
      if (output === undefined) terminal.write(bytes);
      else {
        writeNamedFile(terminal, output, bytes);
        terminal.note(
          `${sbom.components.length - 1} components, ${sbom.losses.length} losses, ${bytes.length} bytes in ${output}`,
        );
      }
      // What stands in the document in other words is no loss to whoever reads it.
      const lost = losses.filter((loss) => !/told (?:in full )?by properties only/.test(loss));
      for (const loss of lost.slice(0, 20)) terminal.note(oneLine(`not in this format: ${loss}`));
      return 0;
    } finally {
      source.close();
    }
  },
};

function optionalText<Name extends string>(value: string | undefined, name: Name): { readonly [K in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: string };
}

/** A time from the option, or the reproducible builds' variable (reproducible-builds.org/specs/source-date-epoch). */
function createdOf(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const epoch = environment["SOURCE_DATE_EPOCH"];
  const isEpoch = epoch !== undefined && /^\d{1,12}$/.test(epoch);
  const at = timeOption(given, "--created") ?? (isEpoch ? new Date(Number(epoch) * 1000) : undefined);
  return at?.toISOString();
}
