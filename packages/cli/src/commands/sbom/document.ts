import { existsSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { isFactoryError } from "@touchmark/core";
import type { Sbom } from "@touchmark/formats/sbom";
import type { ReadSbom, SbomFormat } from "@touchmark/sbom";
import type { Invocation } from "../../command.ts";
import { readNamedFile, writeNamedFile } from "../../output/file.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** Names of formats that are written; the same list as `sbomFormats`, without loading what writes them. */
export const writtenFormats = [
  "cyclonedx-json",
  "cyclonedx-1.7-json",
  "cyclonedx-xml",
  "spdx-json",
  "spdx-tag-value",
  "spdx-3-json",
  "touchmark-json",
] as const satisfies readonly SbomFormat[];

/** How many losses or problems are shown one by one. */
const mostShown = 50;

/** Reads an SBOM document that the command line names. @throws CLI_FILE_UNREADABLE | SBOM_DOCUMENT_* */
export async function readDocument(file: string, terminal: Terminal): Promise<ReadSbom> {
  const { readSbom } = await import("@touchmark/sbom");
  return readSbom(readNamedFile(terminal, file, "an SBOM document"), { name: basename(file) });
}

/** An SBOM of a document; of anything else that `touchmark sbom` takes, its catalogue. */
export async function documentOrSource(word: string, invocation: Invocation, terminal: Terminal): Promise<Sbom> {
  const path = resolve(terminal.directory, word);
  if (existsSync(path) && statSync(path).isFile()) {
    try {
      return (await readDocument(word, terminal)).sbom;
    } catch (error) {
      if (!isFactoryError(error) || error.code !== "SBOM_DOCUMENT_FORMAT_UNKNOWN") throw error;
    }
  }
  const { openScanSource } = await import("../../scan-source.ts");
  const { cataloguing } = await import("../../output/cataloguing.ts");
  const source = await openScanSource(word, invocation, terminal);
  try {
    return await cataloguing(source, terminal, {});
  } finally {
    source.close();
  }
}

/** Writes an SBOM to a file or to the output, and says what the format has no member for. */
export async function writeDocument(
  sbom: Sbom,
  { format, output }: { readonly format: SbomFormat; readonly output: string | undefined },
  terminal: Terminal,
): Promise<void> {
  const { writeSbom } = await import("@touchmark/sbom");
  const { bytes, losses } = writeSbom(sbom, format, { indent: 2 });
  if (output === undefined) terminal.write(bytes);
  else {
    writeNamedFile(terminal, output, bytes);
    terminal.note(`${sbom.components.length} components, ${bytes.length} bytes in ${output}`);
  }
  noteLosses("not in this format", losses, terminal);
}

/** Shows what was lost, on the side of the output. */
export function noteLosses(what: string, losses: readonly string[], terminal: Terminal): void {
  for (const loss of losses.slice(0, mostShown)) terminal.note(terminal.style.dim(`${what}: ${oneLine(loss)}`));
  if (losses.length > mostShown) terminal.note(terminal.style.dim(`${what}: ${losses.length - mostShown} more`));
}

/** Shows what is wrong in a document that was read. */
export function noteProblems(file: string, { problems }: ReadSbom, terminal: Terminal): void {
  for (const { code, severity, where, message } of problems.slice(0, mostShown)) {
    const mark = severity === "note" ? terminal.style.dim(severity) : terminal.style.bad(severity);
    const place = where === "" ? "" : ` ${oneLine(where)}`;
    terminal.note(`${oneLine(file)}${place} ${mark} ${code}: ${oneLine(message)}`);
  }
  if (problems.length > mostShown) terminal.note(`${problems.length - mostShown} more`);
}
