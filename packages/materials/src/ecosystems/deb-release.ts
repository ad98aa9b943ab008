import { isFactoryError } from "@touchmark/core";
import { isCleartextSigned, readCleartext } from "@touchmark/formats/openpgp";
import { malformed } from "./common-announced.ts";
import { materialErrors } from "./errors.ts";

/** One index file of a suite, as its Release file has it. */
export interface ReleaseFile {
  /** Below the suite's directory. */
  readonly path: string;
  readonly size: number;
  readonly sha256?: string;
  readonly sha512?: string;
}

/**
 * What a Release file (wiki.debian.org/DebianRepository/Format) announces. Its signature and its time are upstream
 * evidence, and judged there.
 */
export interface Release {
  /** Each index has an address that holds its digest. */
  readonly byHash: boolean;
  readonly files: readonly ReleaseFile[];
}

const limits = { bytes: 32 << 20, files: 200_000 };

/** Reads an InRelease or Release file. @throws MATERIAL_INDEX_MALFORMED | MATERIAL_INDEX_TOO_LARGE */
export function readRelease(body: Uint8Array): Release {
  if (body.length > limits.bytes) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected at most ${limits.bytes} bytes, found ${body.length}`,
    );
  }
  const fields = fieldsOf(textOf(body));
  const files = new Map<string, { path: string; size: number; sha256?: string; sha512?: string }>();
  for (const algorithm of ["sha256", "sha512"] as const) {
    for (const line of (fields.get(algorithm) ?? "").split("\n").filter((one) => one.trim() !== "")) {
      const [, value = "", size = "", path = ""] = /^\s*([0-9a-f]+)\s+(\d{1,15})\s+(\S+)$/.exec(line) ?? [];
      if (value.length !== (algorithm === "sha256" ? 64 : 128) || !isPlainPath(path)) {
        malformed(
          `expected ${algorithm}, size and path in a Release file, found ${JSON.stringify(line.slice(0, 120))}`,
        );
      }
      const file = files.get(path) ?? { path, size: Number(size) };
      if (file[algorithm] !== undefined || file.size !== Number(size)) {
        malformed(`expected ${path} once in a Release file, found it twice`);
      }
      files.set(path, { ...file, [algorithm]: value });
      if (files.size > limits.files) {
        throw materialErrors.make("MATERIAL_INDEX_TOO_LARGE", `expected at most ${limits.files} files in a suite`);
      }
    }
  }
  if (files.size === 0) malformed("expected SHA256 or SHA512 digests in a Release file, found none");
  return { byHash: fields.get("acquire-by-hash") === "yes", files: [...files.values()] };
}

function textOf(body: Uint8Array): string {
  if (!isCleartextSigned(body)) return Buffer.from(body).toString("utf8");
  try {
    return readCleartext(body).text;
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw materialErrors.make("MATERIAL_INDEX_MALFORMED", `expected a signed Release file: ${cause.message}`, {
      cause,
    });
  }
}

/** One stanza of fields; a line that begins with a space goes on. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const line of text.replace(/\n+$/, "").split("\n")) {
    if (/^[ \t]/.test(line)) {
      if (lines === undefined) malformed("expected a field first in a Release file");
      else lines.push(line);
      continue;
    }
    const [, name, value = ""] = /^([A-Za-z0-9][A-Za-z0-9-]*):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined) malformed(`expected fields in a Release file, found ${JSON.stringify(line.slice(0, 80))}`);
    if (fields.has(name.toLowerCase())) malformed(`expected ${name} once in a Release file, found it twice`);
    lines = [value];
    fields.set(name.toLowerCase(), lines);
  }
  return new Map([...fields].map(([name, value]) => [name, value.join("\n").trim()]));
}

function isPlainPath(path: string): boolean {
  return (
    /^[\w.+:~@=/-]{1,512}$/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}
