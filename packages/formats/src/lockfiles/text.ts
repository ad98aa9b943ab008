import { isUtf8 } from "node:buffer";
import { localPath } from "./addresses.ts";
import { lockfileErrors } from "./errors.ts";
import { type LockfileOptions, lockfileLimits } from "./options.ts";

/** Text of a lockfile: strict UTF-8, no byte order mark, no NUL. @throws LOCKFILE_TOO_LARGE | LOCKFILE_MALFORMED */
export function lockfileText(content: Uint8Array | string, path: string): string {
  const size = typeof content === "string" ? Buffer.byteLength(content) : content.length;
  if (size > lockfileLimits.bytes) {
    throw lockfileErrors.make(
      "LOCKFILE_TOO_LARGE",
      `${path.slice(0, 200)}: expected at most ${lockfileLimits.bytes} bytes, found ${size}`,
    );
  }
  if (typeof content !== "string" && !isUtf8(content)) throw malformed(path, "UTF-8");
  const text = typeof content === "string" ? content : Buffer.from(content).toString("utf8");
  if (text.includes("\0")) throw malformed(path, "text without NUL");
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** Text of a file beside the lockfile, when there is one. @throws LOCKFILE_TOO_LARGE | LOCKFILE_MALFORMED */
export function companionText(options: LockfileOptions, path: string): string | undefined {
  const clean = localPath(path, path);
  if (clean.startsWith("..")) return undefined;
  const content = options.companion?.(clean);
  return content === undefined ? undefined : lockfileText(content, clean);
}

function malformed(path: string, expected: string) {
  return lockfileErrors.make("LOCKFILE_MALFORMED", `${path.slice(0, 200)}: expected ${expected}`);
}
