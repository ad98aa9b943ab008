import { isUtf8 } from "node:buffer";
import { wrong } from "./members.ts";

/**
 * JSON of a record, in the program's own parser: a feed has hundreds of thousands of them. Only known members are ever
 * read from it, so that a key twice, which the strict parser refuses, means the later one, as in every other tool.
 * @throws ADVISORY_MALFORMED
 */
export function parseDocument(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) return wrong("UTF-8");
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    return wrong(`JSON: ${(cause as Error).message.slice(0, 120)}`);
  }
}
