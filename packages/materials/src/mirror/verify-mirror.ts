import { basename, join } from "node:path";
import { type Digest, isFactoryError } from "@touchmark/core";
import { guarded, takeLock } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { algorithmsOf, checkBody, hashBody } from "./body-check.ts";
import { indexedDigestsOf, parseHistory, parseHolders, parseLedger, seenOf } from "./documents.ts";
import type { mirrorErrors } from "./errors.ts";
import { type DocumentKind, MirrorLayout } from "./mirror-layout.ts";
import type { MirrorOptions } from "./open-mirror.ts";
import { RecordWriter } from "./record-writer.ts";
import { unsealJson } from "./sealed-json.ts";

/** How to verify. */
export interface VerifyOptions {
  /** Make ledger and digest index again from the records where they are damaged. Default false. */
  readonly repair?: boolean;
  readonly signal?: AbortSignal;
  /** Told now and then how many bodies of how many were read, and their bytes. */
  readonly onProgress?: (done: number, total: number, bytes: number) => void;
}

/** One thing that is not as it should be. */
export interface MirrorFault {
  /** A code of `mirrorErrors`. */
  readonly code: string;
  /** A digest, or the path of a document. */
  readonly subject: string;
  readonly message: string;
}

/** What a mirror holds, and what is wrong with it. */
export interface VerifyReport {
  readonly records: number;
  readonly bodies: number;
  /** Bytes of the bodies read. */
  readonly bytes: number;
  /** Package files in the ledger. */
  readonly seen: number;
  readonly faults: readonly MirrorFault[];
  /** True when something was mended. */
  readonly repaired: boolean;
}

/**
 * Reads everything again: every document, every body against every digest that a record says of it, and whether index
 * and ledger know what the records know. Damaged documents and bodies are moved aside; a damaged page of the ledger only
 * when it is repaired.
 */
export function verifyMirror(options: MirrorOptions, how: VerifyOptions = {}): Promise<VerifyReport> {
  return guarded("verifying the mirror", async () => {
    const layout = new MirrorLayout(options.directory);
    layout.prepare();
    const check = new Check(layout, options, how);
    const records = check.records();
    check.holders(records);
    check.ledger(records);
    const { bodies, bytes } = await check.bodies(records);
    const damaged = check.faults.some(({ code }) => code !== "MIRROR_BODY_MISSING" && code !== "MIRROR_BODY_CORRUPT");
    const repair = how.repair === true && damaged;
    if (repair) await mend(layout, records);
    return { records: records.length, bodies, bytes, seen: check.pages, faults: check.faults, repaired: repair };
  });
}

/** Writes what the records know into index and ledger again; what stands there stays. */
async function mend(layout: MirrorLayout, records: readonly MaterialRecord[]): Promise<void> {
  const lock = await takeLock(join(layout.locks, "write.lock"));
  layout.removeTemporaries();
  lock.release();
  const writer = new RecordWriter(
    layout,
    async () => {},
    (record) => record.fetchedAt,
  );
  const oldest = [...records].sort((a, b) => Date.parse(a.fetchedAt) - Date.parse(b.fetchedAt));
  await Promise.all(oldest.map((record) => writer.add(record)));
}

class Check {
  readonly faults: MirrorFault[] = [];
  pages = 0;
  readonly #layout: MirrorLayout;
  readonly #options: MirrorOptions;
  readonly #how: VerifyOptions;

  constructor(layout: MirrorLayout, options: MirrorOptions, how: VerifyOptions) {
    this.#layout = layout;
    this.#options = options;
    this.#how = how;
  }

  records(): MaterialRecord[] {
    const found: MaterialRecord[] = [];
    this.#each("records", "record", (bytes, path) => {
      const key = basename(path, ".json");
      if (path !== this.#layout.record(key)) throw new Error("its name is no record's");
      found.push(...parseHistory(bytes, key));
    });
    return found;
  }

  holders(records: readonly MaterialRecord[]): void {
    const indexed = new Set<string>();
    this.#each("digests", "digest", (bytes, path) => {
      const { algorithm, value } = unsealJson(bytes) as { algorithm: "sha256"; value: string };
      if (path !== this.#layout.digest({ algorithm, value })) throw new Error("its name is another digest's");
      indexed.add(`${algorithm}:${value}`);
      parseHolders(bytes, { algorithm, value });
    });
    for (const record of records) {
      for (const { algorithm, value } of indexedDigestsOf(record)) {
        // The index is bounded: of many records with one body it names the newest.
        if (indexed.has(`${algorithm}:${value}`)) continue;
        const message = `expected ${algorithm}:${value} in the index of digests, found nothing`;
        this.faults.push({
          code: "MIRROR_RECORD_CORRUPT",
          subject: this.#layout.digest({ algorithm, value }),
          message,
        });
      }
    }
  }

  ledger(records: readonly MaterialRecord[]): void {
    const known = new Set<string>();
    for (const path of this.#layout.documents("seen")) {
      try {
        for (const { purl, fileName, digest } of parseLedger(this.#layout.read(path) ?? Buffer.alloc(0))) {
          if (path !== this.#layout.seen(purl, fileName)) throw new Error("its name is another file's");
          known.add(`${purl}\n${fileName}\n${digest}`);
        }
        this.pages++;
      } catch (cause) {
        this.#fault("MIRROR_LEDGER_CORRUPT", path, cause);
        if (this.#how.repair === true) this.#layout.setAside(path, "ledger");
      }
    }
    for (const record of records) {
      const seen = seenOf(record, record.fetchedAt);
      if (seen === undefined || known.has(`${seen.purl}\n${seen.fileName}\n${seen.digest}`)) continue;
      const message = `expected ${seen.digest} in the ledger of ${seen.purl}, found no such line`;
      this.faults.push({
        code: "MIRROR_LEDGER_CORRUPT",
        subject: this.#layout.seen(seen.purl, seen.fileName),
        message,
      });
    }
  }

  async bodies(records: readonly MaterialRecord[]): Promise<{ bodies: number; bytes: number }> {
    const byDigest = new Map<Digest, MaterialRecord[]>();
    for (const record of records) byDigest.set(record.digest, [...(byDigest.get(record.digest) ?? []), record]);
    const { content } = this.#options;
    let done = 0;
    let bytes = 0;
    for (const [digest, named] of byDigest) {
      this.#how.signal?.throwIfAborted();
      done++;
      if (!(await content.has(digest))) {
        const message = `expected the body of ${named[0]?.url}, found none`;
        this.faults.push({ code: "MIRROR_BODY_MISSING", subject: digest, message });
        continue;
      }
      const algorithms = algorithmsOf(named.flatMap((record) => record.expected));
      const found = await hashBody(content.path(digest), algorithms);
      bytes += found.size;
      this.#how.onProgress?.(done, byDigest.size, bytes);
      if (`sha256:${found.hashes.get("sha256")}` !== digest) {
        content.quarantine(digest);
        const message = `expected the bytes of ${named[0]?.url}, found sha256:${found.hashes.get("sha256")}`;
        this.faults.push({ code: "MIRROR_BODY_CORRUPT", subject: digest, message });
        continue;
      }
      for (const record of named) {
        try {
          checkBody(record, found);
        } catch (cause) {
          this.#fault("MIRROR_BODY_MISMATCH", digest, cause);
        }
      }
    }
    return { bodies: byDigest.size, bytes };
  }

  #each(kind: DocumentKind, label: string, read: (bytes: Uint8Array, path: string) => void): void {
    for (const path of this.#layout.documents(kind)) {
      this.#how.signal?.throwIfAborted();
      try {
        const bytes = this.#layout.read(path);
        // Deleted since it was listed.
        if (bytes !== undefined) read(bytes, path);
      } catch (cause) {
        this.#fault("MIRROR_RECORD_CORRUPT", path, cause);
        this.#layout.setAside(path, label);
      }
    }
  }

  #fault(code: keyof typeof mirrorErrors.rows, subject: string, cause: unknown): void {
    const why = isFactoryError(cause) || cause instanceof Error ? cause.message : String(cause);
    this.faults.push({ code, subject, message: why });
  }
}
