import { isFactoryError } from "@touchmark/core";
import { readYamlText } from "@touchmark/formats/yaml-text";
import type { Row } from "../database/row.ts";
import type { ImportContext, Importer, LossCode, SourceEntry } from "./importer.ts";
import { type Members, wrong } from "./members.ts";
import { readOsvRecord } from "./osv-record.ts";
import { parseDocument } from "./parse-document.ts";

/** Records of the OSV schema: one a file, in JSON or in YAML; or a list of them. */
export const osvImporter: Importer = {
  kind: "osv",
  version: 1,
  endings: [".json", ".yaml", ".yml"],
  largestFile: 64 << 20,
  async *read(entries: AsyncIterable<SourceEntry>, context: ImportContext): AsyncIterable<Row> {
    for await (const entry of entries) {
      let values: readonly unknown[];
      try {
        const value = readDocument(entry.path, await entry.read());
        const listed = Array.isArray(value) ? value : (value as Members | null)?.["vulns"];
        values = Array.isArray(listed) ? listed : [value];
      } catch (error) {
        lost(context, entry.path, error);
        continue;
      }
      for (const [i, value] of values.entries()) {
        try {
          yield { kind: "advisory", record: readOsvRecord(value) };
        } catch (error) {
          lost(context, values.length === 1 ? entry.path : `${entry.path}#${i}`, error);
        }
      }
    }
  },
};

function readDocument(path: string, bytes: Uint8Array): unknown {
  if (!/\.ya?ml$/i.test(path)) return parseDocument(bytes);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  try {
    return readYamlText(text);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return wrong(`one plain YAML document: ${error.message}`);
  }
}

/** A record that cannot be is left out; what is no fault of a record ends the import. */
export function lost(context: ImportContext, path: string, error: unknown): void {
  if (!isFactoryError(error) || !error.code.startsWith("ADVISORY_")) throw error;
  context.lose(path, error.code as LossCode, error.message);
}
