import { isUtf8 } from "node:buffer";
import { xmlErrors } from "./errors.ts";

/** Encodings that the declaration may name, as `TextDecoder` knows them; by lower-case name. */
const encodings: Readonly<Record<string, string>> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  "us-ascii": "utf-8",
  ascii: "utf-8",
  "iso-8859-1": "latin1",
  latin1: "latin1",
  "iso-8859-15": "iso-8859-15",
  "windows-1252": "windows-1252",
  cp1252: "windows-1252",
  "utf-16": "utf-16le",
};

/**
 * Text of a document by its byte order mark, else its declaration, else as UTF-8. A document that declares ASCII or
 * ISO 8859-1 and is UTF-8 all through is read as UTF-8. @throws XML_ENCODING
 */
export function xmlText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mark = buffer.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") return decode(mark === "fffe" ? "utf-16le" : "utf-16be", buffer);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  const head = buffer.subarray(0, 200).toString("latin1");
  const written = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]{0,40})["']/.exec(head)?.[1]?.toLowerCase();
  const name = written ?? "utf-8";
  const encoding = Object.hasOwn(encodings, name) ? encodings[name] : undefined;
  if (encoding === undefined || encoding === "utf-8") {
    throw xmlErrors.make("XML_ENCODING", `expected text in UTF-8, UTF-16 or ISO 8859-1, found ${JSON.stringify(name)}`);
  }
  return decode(encoding, buffer);
}

function decode(encoding: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw xmlErrors.make("XML_ENCODING", `expected text in ${encoding}, found other bytes`, { cause });
  }
}
