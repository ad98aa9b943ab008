import { isFactoryError } from "@touchmark/core";
import { readXml as readDocument, type XmlCode, type XmlElement } from "../xml/index.ts";
import { type LockfileCode, lockfileErrors } from "./errors.ts";

const codes: Readonly<Record<XmlCode, LockfileCode>> = {
  XML_MALFORMED: "LOCKFILE_MALFORMED",
  XML_ENCODING: "LOCKFILE_MALFORMED",
  XML_FORBIDDEN: "LOCKFILE_SYNTAX_FORBIDDEN",
  XML_TOO_LARGE: "LOCKFILE_TOO_LARGE",
  XML_TOO_DEEP: "LOCKFILE_TOO_DEEP",
  XML_DUPLICATE: "LOCKFILE_DUPLICATE",
};
/** What XML allows and no client writes: characters by number, CDATA, instructions behind the declaration. */
const unwritten = /&#|<!\[|<\?(?!xml\s)/;

/**
 * Reads the XML of a lockfile: elements, attributes, comments.
 * @throws LOCKFILE_SYNTAX_FORBIDDEN | LOCKFILE_MALFORMED | LOCKFILE_TOO_DEEP | LOCKFILE_TOO_LARGE | LOCKFILE_DUPLICATE
 */
export function readXml(text: string): XmlElement {
  const found = unwritten.exec(text);
  if (found !== null) {
    throw lockfileErrors.make(
      "LOCKFILE_SYNTAX_FORBIDDEN",
      `expected no CDATA, instruction or character by number, found ${found[0]} at ${found.index}`,
    );
  }
  try {
    return readDocument(text, { depth: 32, nodes: 4_000_000 });
  } catch (cause) {
    if (!isFactoryError(cause) || !Object.hasOwn(codes, cause.code)) throw cause;
    throw lockfileErrors.make(codes[cause.code as XmlCode], cause.message, { cause });
  }
}
