import { join, sep } from "node:path";
import { isFactoryError } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import { guarded, takeLock } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { DocumentBatch } from "./document-batch.ts";
import {
  type Holder,
  historyText,
  holdersText,
  indexedDigestsOf,
  ledgerText,
  parseHistory,
  parseHolders,
  parseLedger,
  seenOf,
  withHolder,
  withRecord,
  withSeen,
} from "./documents.ts";
import { mirrorErrors } from "./errors.ts";
import type { SeenFile } from "./mirror.ts";
import type { MirrorLayout } from "./mirror-layout.ts";

/** Records written at once. */
const MOST_TOGETHER = 200;

interface Waiting {
  readonly record: MaterialRecord;
  readonly done: () => void;
  readonly failed: (cause: unknown) => void;
}

/**
 * Writes records, with their lines of the ledger and the digest index. Whatever waits is written together; among
 * processes one writes at a time. The record comes last: what it points to is there when it appears.
 */
export class RecordWriter {
  readonly #layout: MirrorLayout;
  readonly #durable: () => Promise<void>;
  readonly #firstSeen: (record: MaterialRecord) => string;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  /**
   * `durable` is the barrier after which the bodies of all records given until then survive a power cut; `firstSeen`
   * says when a file came that the ledger does not know.
   */
  constructor(layout: MirrorLayout, durable: () => Promise<void>, firstSeen: (record: MaterialRecord) => string) {
    this.#layout = layout;
    this.#durable = durable;
    this.#firstSeen = firstSeen;
  }

  /** Returns when the record survives a power cut. */
  add(record: MaterialRecord): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ record, done, failed });
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** Waits for what is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let some = this.#waiting.splice(0, MOST_TOGETHER); some.length > 0; ) {
      try {
        await guarded("writing records of the mirror", () => this.#writeSome(some));
        for (const { done } of some) done();
      } catch (cause) {
        for (const { failed } of some) failed(cause);
      }
      some = this.#waiting.splice(0, MOST_TOGETHER);
    }
  }

  async #writeSome(some: readonly Waiting[]): Promise<void> {
    await this.#durable();
    const lock = await takeLock(join(this.#layout.locks, "write.lock"), { timeoutMs: 120_000 });
    try {
      const batch = new DocumentBatch(this.#layout);
      for (const { record, failed } of some) {
        try {
          this.#stage(batch, record);
        } catch (cause) {
          // A damaged page of the ledger is no reason to refuse other packages.
          if (!isFactoryError(cause)) throw cause;
          failed(cause);
        }
      }
      await batch.flush((path) => this.#rank(path));
    } finally {
      lock.release();
    }
  }

  #stage(batch: DocumentBatch, record: MaterialRecord): void {
    const seen = seenOf(record, this.#firstSeen(record));
    const page = seen === undefined ? undefined : this.#ledger(batch, seen);
    if (seen !== undefined && page !== undefined) {
      const path = this.#layout.seen(seen.purl, seen.fileName);
      const longer = withSeen(page, seen);
      if (longer !== page) batch.write(path, ledgerText(seen.purl, seen.fileName, longer));
    }
    for (const digest of indexedDigestsOf(record)) {
      const path = this.#layout.digest(digest);
      const holders = withHolder(this.#holders(batch, digest), { key: record.key, digest: record.digest });
      batch.write(path, holdersText(digest, holders));
    }
    const path = this.#layout.record(record.key);
    const history = readOr(batch, path, (bytes) => parseHistory(bytes, record.key), this.#layout, "record");
    batch.write(path, historyText(withRecord(history, record)));
  }

  #ledger(batch: DocumentBatch, seen: SeenFile): readonly SeenFile[] {
    const bytes = batch.read(this.#layout.seen(seen.purl, seen.fileName));
    return bytes === undefined ? [] : readLedger(bytes, seen.purl, seen.fileName);
  }

  #holders(batch: DocumentBatch, digest: AnnouncedDigest): readonly Holder[] {
    return readOr(batch, this.#layout.digest(digest), (bytes) => parseHolders(bytes, digest), this.#layout, "digest");
  }

  #rank(path: string): number {
    const kind = path.slice(this.#layout.directory.length + 1).split(sep)[0] ?? "";
    return ["seen", "digests", "records"].indexOf(kind);
  }
}

/** Lines of a page. @throws MIRROR_LEDGER_CORRUPT */
export function readLedger(bytes: Uint8Array, purl: string, fileName: string): readonly SeenFile[] {
  try {
    return parseLedger(bytes, purl, fileName);
  } catch (cause) {
    throw mirrorErrors.make(
      "MIRROR_LEDGER_CORRUPT",
      `expected the list of files ever seen as ${fileName} of ${purl}, found a damaged one`,
      { cause },
    );
  }
}

/** A list as it stands; a damaged one is moved aside, and the writer begins a new one with what it knows to be true. */
function readOr<T>(
  batch: DocumentBatch,
  path: string,
  parse: (bytes: Uint8Array) => readonly T[],
  layout: MirrorLayout,
  label: string,
): readonly T[] {
  const bytes = batch.read(path);
  if (bytes === undefined) return [];
  try {
    return parse(bytes);
  } catch {
    layout.setAside(path, label);
    return [];
  }
}
