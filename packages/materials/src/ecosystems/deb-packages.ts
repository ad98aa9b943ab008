import { spawnSync } from "node:child_process";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { malformed } from "./common-announced.ts";
import { materialErrors } from "./errors.ts";

/** One package of a Packages file. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Below the archive's root. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly sha512?: string;
}

/** Debian's whole main has 60 MB in 70,000 packages. */
const limits = { bytes: 256 << 20, packages: 500_000, value: 4096 };

const wanted = ["Package", "Version", "Architecture", "Filename", "Size", "SHA256", "SHA512"] as const;
type Field = (typeof wanted)[number];
const byFirst = new Map(
  [...new Set(wanted.map((name) => name.charCodeAt(0)))].map((code) => [
    code,
    wanted.filter((name) => name.charCodeAt(0) === code).map((name) => [name, Buffer.from(`${name}:`)] as const),
  ]),
);

/**
 * Unpacks an index by how it begins. Node reads no xz, which some suites have alone: that is left to the program of
 * that name, bounded. apt is told to prefer gzip.
 * @throws MATERIAL_INDEX_COMPRESSION | MATERIAL_INDEX_TOO_LARGE | MATERIAL_INDEX_MALFORMED
 */
export function unpackedIndex(body: Uint8Array, mostBytes = limits.bytes): Buffer {
  const start = Buffer.from(body.subarray(0, 6)).toString("hex");
  const options = { maxOutputLength: mostBytes };
  try {
    if (start.startsWith("1f8b")) return gunzipSync(body, options);
    if (start.startsWith("28b52ffd")) return zstdDecompressSync(body, options);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const message = `expected at most ${mostBytes} bytes unpacked`;
      throw materialErrors.make("MATERIAL_INDEX_TOO_LARGE", message, { cause });
    }
    throw materialErrors.make("MATERIAL_INDEX_MALFORMED", "expected a compressed index, found a broken stream", {
      cause,
    });
  }
  if (start === "fd377a585a00") return unpackedByXz(body, mostBytes);
  if (start.startsWith("425a68")) {
    throw materialErrors.make(
      "MATERIAL_INDEX_COMPRESSION",
      "expected an index in gzip, xz, zstd or plain, found bzip2",
    );
  }
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function unpackedByXz(body: Uint8Array, mostBytes: number): Buffer {
  const words = ["--decompress", "--stdout", "--format=xz", "--memlimit-decompress=256MiB"];
  const options = { input: body, maxBuffer: mostBytes, timeout: 60_000, killSignal: "SIGKILL" } as const;
  const { status, stdout, error } = spawnSync("xz", words, options);
  const code = error !== undefined && "code" in error ? error.code : undefined;
  if (code === "ENOBUFS") {
    throw materialErrors.make("MATERIAL_INDEX_TOO_LARGE", `expected at most ${mostBytes} bytes unpacked`);
  }
  if (code === "ENOENT") {
    throw materialErrors.make("MATERIAL_INDEX_COMPRESSION", "expected the program xz for an index, found none");
  }
  if (status !== 0) throw materialErrors.make("MATERIAL_INDEX_MALFORMED", "expected an xz stream, found a broken one");
  return stdout;
}

/** Reads a Packages file, unpacked; the fields that name a file and hold it. Reads bytes: no text of 50 MB stays alive. */
export function* readPackages(index: Buffer): Generator<DebianPackage> {
  let fields: Partial<Record<Field, string>> = {};
  let count = 0;
  for (let at = 0; at <= index.length; ) {
    const feed = index.indexOf(0x0a, at);
    const end = feed < 0 ? index.length : feed;
    if (end === at) {
      if (Object.keys(fields).length > 0) {
        if (++count > limits.packages) {
          throw materialErrors.make("MATERIAL_INDEX_TOO_LARGE", `expected at most ${limits.packages} packages`);
        }
        yield packageOf(fields);
      }
      fields = {};
    } else takeField(index, at, end, fields);
    at = end + 1;
  }
  if (Object.keys(fields).length > 0) yield packageOf(fields);
}

function takeField(index: Buffer, at: number, end: number, fields: Partial<Record<Field, string>>): void {
  for (const [name, label] of byFirst.get(index[at] ?? 0) ?? []) {
    if (end - at < label.length || index.compare(label, 0, label.length, at, at + label.length) !== 0) continue;
    if (end - at > limits.value) malformed(`expected at most ${limits.value} bytes in ${name} of a Packages file`);
    if (fields[name] !== undefined) malformed(`expected ${name} once in a stanza of a Packages file, found it twice`);
    fields[name] = index.toString("utf8", at + label.length, end).trim();
    return;
  }
}

function packageOf(fields: Partial<Record<Field, string>>): DebianPackage {
  const { Package: name = "", Version: version = "", Architecture: architecture = "", Filename: path = "" } = fields;
  const { Size: size = "", SHA256: sha256 = "", SHA512: sha512 } = fields;
  const isSound =
    /^[a-z0-9][a-z0-9.+-]+$/.test(name) &&
    /^[\w.+~:-]+$/.test(version) &&
    /^[a-z0-9-]+$/.test(architecture) &&
    /^[\w.+~:/=@-]+$/.test(path) &&
    path
      .replace(/^\.\//, "")
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== "..") &&
    /^\d{1,15}$/.test(size) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    (sha512 === undefined || /^[0-9a-f]{128}$/.test(sha512));
  if (!isSound) {
    malformed(
      `expected Package, Version, Architecture, Filename, Size and SHA256 in a stanza, found ${JSON.stringify(fields).slice(0, 200)}`,
    );
  }
  return {
    ...{ name, version, architecture, path: path.replace(/^\.\//, ""), size: Number(size), sha256 },
    ...(sha512 === undefined ? {} : { sha512 }),
  };
}
