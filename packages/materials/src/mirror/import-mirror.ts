import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isDigest, rfc3339 } from "@touchmark/core";
import { guarded, reclaimScratch, ScratchSpace, type TarEntry, writeAll } from "@touchmark/store";
import { ecosystemAdapters } from "../ecosystems/index.ts";
import type { MaterialRecord } from "../material.ts";
import { ArchiveFile, malformed } from "./archive-file.ts";
import { MAX_INDEX_BYTES, parseArchiveIndex } from "./archive-index.ts";
import { algorithmsOf, checkBody, hashBody } from "./body-check.ts";
import { mirrorErrors } from "./errors.ts";
import { ARCHIVE_INDEX } from "./export-mirror.ts";
import { refuseConflicts } from "./import-conflict.ts";
import { MirrorLayout } from "./mirror-layout.ts";
import type { MirrorOptions } from "./open-mirror.ts";
import { RecordWriter } from "./record-writer.ts";

/** What to import. */
export interface ImportOptions {
  /** An archive that `exportMirror` wrote, or that somebody says it did. */
  readonly file: string;
  readonly signal?: AbortSignal;
  /** Told after each body how many of how many are verified, and their bytes. */
  readonly onProgress?: (done: number, total: number, bytes: number) => void;
}

/** What came in. */
export interface ImportReport {
  readonly records: number;
  readonly bodies: number;
  /** Bodies that the mirror did not have before. */
  readonly added: number;
  /** Bytes of all bodies. */
  readonly bytes: number;
}

type Bodies = ReadonlyMap<Digest, readonly MaterialRecord[]>;

/** Bodies that are moved in between two looks at whether to stop. */
const AT_ONCE = 200;

/**
 * Takes in an archive. Nothing of it is believed: every member, record, size and digest is verified, and compared with
 * what this mirror has ever seen, before the first of it is let in. What is let in is let in whole; a kill in between
 * leaves some records with their bodies, and importing again adds the others.
 * @throws MIRROR_ARCHIVE_… | MIRROR_IMPORT_CONFLICT | MIRROR_LEDGER_CORRUPT | STORE_DISK_FULL
 */
export function importMirror(options: MirrorOptions, what: ImportOptions): Promise<ImportReport> {
  return guarded(`importing ${what.file}`, async () => {
    const layout = new MirrorLayout(options.directory);
    layout.prepare();
    await reclaimScratch(layout.incoming, layout.locks);
    const scratch = new ScratchSpace(layout.incoming, layout.locks);
    try {
      const directory = await scratch.make("import");
      const bodies = await stage(options, what, directory);
      refuseConflicts(layout, options.content, bodies, (digest) => placeOf(directory, digest));
      return await admit(layout, options, what, bodies, directory);
    } finally {
      await scratch.close();
    }
  });
}

function placeOf(directory: string, digest: Digest): string {
  return join(directory, digest.slice("sha256:".length));
}

/** Verifies the whole archive; its bodies then lie in a private directory. */
async function stage(options: MirrorOptions, what: ImportOptions, directory: string): Promise<Bodies> {
  const archive = new ArchiveFile(what.file);
  try {
    const first = archive.next();
    if (first?.path !== ARCHIVE_INDEX) throw malformed("another first member than its index");
    const bodies = parseArchiveIndex(archive.bytes(first, MAX_INDEX_BYTES), options.clock);
    const staged = new Set<Digest>();
    let bytes = 0;
    for (let member = archive.next(); member !== undefined; member = archive.next()) {
      what.signal?.throwIfAborted();
      const digest = bodyOf(member, bodies, staged);
      const records = bodies.get(digest) as readonly MaterialRecord[];
      await stageBody(archive, member, records, placeOf(directory, digest));
      staged.add(digest);
      bytes += member.size;
      what.onProgress?.(staged.size, bodies.size, bytes);
    }
    for (const [digest, [record]] of bodies) {
      if (staged.has(digest)) continue;
      throw mirrorErrors.make("MIRROR_ARCHIVE_INCOMPLETE", `expected the body ${digest} of ${record?.url}, found none`);
    }
    return bodies;
  } finally {
    archive.close();
  }
}

/** Which body a member is. @throws MIRROR_ARCHIVE_PATH | _DUPLICATE | _UNNAMED | _SIZE */
function bodyOf(member: TarEntry, bodies: Bodies, staged: ReadonlySet<Digest>): Digest {
  const shown = JSON.stringify(member.path.slice(0, 200));
  const digest = `sha256:${/^bodies\/sha256\/([0-9a-f]{64})$/.exec(member.path)?.[1]}`;
  if (member.path === ARCHIVE_INDEX) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_DUPLICATE", `expected each member once, found ${shown} again`);
  }
  if (!isDigest(digest)) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_PATH", `expected bodies/sha256/<64 hex digits>, found ${shown}`);
  }
  if (staged.has(digest)) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_DUPLICATE", `expected each member once, found ${shown} again`);
  }
  const [record] = bodies.get(digest) ?? [];
  if (record === undefined) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_UNNAMED", `expected bodies that records name, found ${shown}`);
  }
  if (record.size !== member.size) {
    throw mirrorErrors.make(
      "MIRROR_ARCHIVE_SIZE",
      `expected ${shown} to have ${record.size} bytes, as its record says, found ${member.size}`,
    );
  }
  return digest;
}

async function stageBody(
  archive: ArchiveFile,
  member: TarEntry,
  records: readonly MaterialRecord[],
  path: string,
): Promise<void> {
  const descriptor = openSync(path, "wx", 0o600);
  try {
    for (const part of archive.content(member)) {
      writeAll(descriptor, part);
      // Ctrl-C is heard between two parts.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(descriptor);
  }
  const found = await hashBody(path, algorithmsOf(records.flatMap((record) => record.expected)));
  for (const record of records) {
    try {
      checkBody(record, found);
    } catch (cause) {
      throw mirrorErrors.make("MIRROR_ARCHIVE_MISMATCH", (cause as Error).message, { cause });
    }
    await checkContentDigests(record, path);
  }
}

/** Digests that are no hash of the bytes: Go's `h1`, over the files of an archive. @throws MIRROR_ARCHIVE_MISMATCH */
async function checkContentDigests(record: MaterialRecord, path: string): Promise<void> {
  const expected = record.expected.filter(({ algorithm }) => algorithm === "h1");
  if (expected.length === 0) return;
  const { ecosystem } = record.facts;
  const upstream = {
    name: record.facts.upstream,
    ecosystem,
    url: new URL("/", record.url).href,
    exclusive: [],
    order: 0,
  };
  const own = (await ecosystemAdapters[ecosystem]?.digestsOf?.({ ...record.facts, upstream }, path)) ?? [];
  for (const { algorithm, value } of expected) {
    if (own.some((one) => one.algorithm === algorithm && one.value === value)) continue;
    throw mirrorErrors.make(
      "MIRROR_ARCHIVE_MISMATCH",
      `expected ${algorithm} ${value} of ${record.url}, found ${own[0]?.value ?? "none that can be computed"}`,
    );
  }
}

async function admit(
  layout: MirrorLayout,
  options: MirrorOptions,
  what: ImportOptions,
  bodies: Bodies,
  directory: string,
): Promise<ImportReport> {
  const { content, clock } = options;
  const writer = new RecordWriter(
    layout,
    () => content.durable(),
    () => rfc3339(clock.now()),
  );
  const all = [...bodies];
  let added = 0;
  for (let at = 0; at < all.length; at += AT_ONCE) {
    what.signal?.throwIfAborted();
    const some = all.slice(at, at + AT_ONCE);
    for (const [digest] of some) {
      if (!(await content.has(digest))) added++;
      await content.put({ file: placeOf(directory, digest), move: true, owned: true }, { expected: digest });
    }
    await Promise.all(some.flatMap(([, records]) => records.map((record) => writer.add(record))));
  }
  const bytes = all.reduce((total, [, [record]]) => total + (record?.size ?? 0), 0);
  return { records: all.flatMap(([, records]) => records).length, bodies: all.length, added, bytes };
}
