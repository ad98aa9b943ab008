import { sbomDocumentErrors } from "../errors.ts";

/** One tag of a tag-value document, with its value and the line it begins in. */
export interface TagValue {
  readonly tag: string;
  readonly value: string;
  readonly line: number;
}

const opening = "<text>";
const closing = "</text>";

/**
 * Tags of a document in their order: one a line, or a block between `<text>` and `</text>`; lines that begin with `#`
 * are comments. @throws SBOM_DOCUMENT_MALFORMED
 */
export function* tagValues(text: string): Generator<TagValue> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const end = endOfLine(text, at);
    const written = text.slice(at, end).trim();
    if (written === "" || written.startsWith("#")) {
      at = end + 1;
      line++;
      continue;
    }
    const [, tag, spaces] = /^([A-Za-z][A-Za-z0-9]{0,63})[ \t]*:([ \t]*)/.exec(written) ?? [];
    if (tag === undefined || spaces === undefined) throw wrong(line, "a tag and a value", written);
    const value = written.slice(written.indexOf(":") + 1).trim();
    if (!value.startsWith(opening)) {
      yield { tag, value, line };
      at = end + 1;
      line++;
      continue;
    }
    const begin = text.indexOf(opening, at) + opening.length;
    const stop = text.indexOf(closing, begin);
    if (stop < 0) throw wrong(line, `a block that ${closing} ends`, written);
    const block = text.slice(begin, stop).replaceAll("\r\n", "\n");
    yield { tag, value: block, line };
    const after = endOfLine(text, stop);
    const rest = text.slice(stop + closing.length, after).trim();
    if (rest !== "") throw wrong(line, `nothing behind ${closing}`, rest);
    for (let next = text.indexOf("\n", at); next >= 0 && next <= after; next = text.indexOf("\n", next + 1)) line++;
    at = after + 1;
  }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function wrong(line: number, expected: string, found: string) {
  return sbomDocumentErrors.make(
    "SBOM_DOCUMENT_MALFORMED",
    `line ${line}: expected ${expected}, found ${JSON.stringify(found.slice(0, 80))}`,
  );
}
