import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { canonicalJson, type Digest } from "@touchmark/core";
import { guarded, padding, syncDirectory, tarEnd, tarHeader, temporaryBeside, writeAll } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { BodyVerifier } from "./body-check.ts";
import { mirrorErrors } from "./errors.ts";
import { type MirrorOptions, openMirror } from "./open-mirror.ts";
import { matchesPurl } from "./purl-agreement.ts";
import { sealJson } from "./sealed-json.ts";

/** First member of an exported archive: every record in it. */
export const ARCHIVE_INDEX = "index.json";
/** What the index says that it is. */
export const ARCHIVE_FORMAT = "touchmark mirror archive v1";

/** What to export, and where to. */
export interface ExportOptions {
  /** The file to write; it must not exist. */
  readonly file: string;
  /** Only records of these bodies, a run's for example. Default all. */
  readonly digests?: ReadonlySet<Digest>;
  /** Only records of these package URLs; `*` stands for anything. Default all. */
  readonly purls?: readonly string[];
  readonly signal?: AbortSignal;
  /** Told after each body how many of how many are written, and the bytes of the archive. */
  readonly onProgress?: (done: number, total: number, bytes: number) => void;
}

/** An exported archive. */
export interface ExportReport {
  readonly file: string;
  readonly records: number;
  readonly bodies: number;
  /** Bytes of the archive. */
  readonly bytes: number;
  /** Digest of the archive: the same records give the same one. */
  readonly digest: Digest;
}

/** Name of a body in an archive. */
export function bodyMember(digest: Digest): string {
  return `bodies/${digest.replace(":", "/")}`;
}

/**
 * Writes records with their bodies to a plain tar: an index, then every body once, in order of digests. Every body is
 * verified while it is written. The file appears only when it is whole and durable.
 * @throws MIRROR_EXPORT_EXISTS | MIRROR_EXPORT_EMPTY | MIRROR_BODY_MISSING | MIRROR_BODY_CORRUPT | MIRROR_RECORD_CORRUPT
 */
export function exportMirror(options: MirrorOptions, what: ExportOptions): Promise<ExportReport> {
  return guarded(`exporting to ${what.file}`, async () => {
    const target = resolve(what.file);
    if (existsSync(target)) throw exists(target);
    const records = await chosen(options, what);
    if (records.length === 0) throw mirrorErrors.make("MIRROR_EXPORT_EMPTY", "expected records to export, found none");
    const temporary = temporaryBeside(target);
    try {
      const report = await write(options, what, records, temporary);
      publish(temporary, target);
      return { file: target, records: records.length, ...report };
    } finally {
      rmSync(temporary, { force: true });
    }
  });
}

/** The records asked for, in an order that depends on nothing else. */
async function chosen(options: MirrorOptions, what: ExportOptions): Promise<MaterialRecord[]> {
  const mirror = await openMirror(options);
  const found: { text: string; record: MaterialRecord }[] = [];
  try {
    for await (const record of mirror.records()) {
      what.signal?.throwIfAborted();
      if (what.digests !== undefined && !what.digests.has(record.digest)) continue;
      if (what.purls !== undefined && !what.purls.some((pattern) => matchesPurl(record.facts, pattern))) continue;
      found.push({ text: canonicalJson([record.key, record.fetchedAt, record.digest, record]), record });
    }
  } finally {
    await mirror.close();
  }
  return found.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ record }) => record);
}

async function write(
  options: MirrorOptions,
  what: ExportOptions,
  records: readonly MaterialRecord[],
  path: string,
): Promise<{ bodies: number; bytes: number; digest: Digest }> {
  const bodies = new Map<Digest, MaterialRecord>(records.map((record) => [record.digest, record]));
  const verifier = new BodyVerifier(options.content);
  const hash = createHash("sha256");
  let bytes = 0;
  const descriptor = openSync(path, "wx", 0o600);
  const append = (part: Uint8Array): void => {
    writeAll(descriptor, part);
    hash.update(part);
    bytes += part.length;
  };
  try {
    const index = Buffer.from(sealJson({ format: ARCHIVE_FORMAT, records }));
    append(header(ARCHIVE_INDEX, index.length));
    append(index);
    append(padding(index.length));
    let done = 0;
    for (const [digest, record] of [...bodies].sort(([a], [b]) => (a < b ? -1 : 1))) {
      what.signal?.throwIfAborted();
      // Says what is wrong in the mirror's own words, before anything of the body is written.
      await verifier.path(record);
      append(header(bodyMember(digest), record.size));
      // Verified again: the last part comes only when all of it was sound.
      for await (const part of options.content.stream(digest, { maxBytes: record.size })) append(part);
      append(padding(record.size));
      what.onProgress?.(++done, bodies.size, bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    append(tarEnd());
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return { bodies: bodies.size, bytes, digest: `sha256:${hash.digest("hex")}` };
}

function header(path: string, size: number): Buffer {
  return tarHeader({ path, kind: "file", size, mode: 0o644, mtime: 0 });
}

/** A link refuses to replace a file that appeared meanwhile, which a rename would. */
function publish(temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
  } catch (cause) {
    if ((cause as { code?: string }).code === "EEXIST") throw exists(target);
    throw cause;
  }
  rmSync(temporary);
  syncDirectory(dirname(target));
}

function exists(target: string): Error {
  return mirrorErrors.make("MIRROR_EXPORT_EXISTS", `expected nothing at ${target}, found a file`);
}
