import { type Clock, isFactoryError, rfc3339 } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import { type FileContentStore, guarded, reclaimScratch, ScratchSpace } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { algorithmsOf, BodyVerifier, checkBody, hashBody } from "./body-check.ts";
import { isAnnouncedDigest, recorded } from "./check-record.ts";
import { type Holder, hasDigest, parseHistory, parseHolders } from "./documents.ts";
import { mirrorErrors } from "./errors.ts";
import { IncomingFile } from "./incoming-file.ts";
import { type LeaseOptions, Leases } from "./lease.ts";
import type { Incoming, Mirror, SeenFile } from "./mirror.ts";
import { MirrorLayout } from "./mirror-layout.ts";
import { RecordWriter, readLedger } from "./record-writer.ts";

/** What a mirror is made of. */
export interface MirrorOptions {
  /** HOME/materials. */
  readonly directory: string;
  /** Where the bodies lie. */
  readonly content: FileContentStore;
  readonly clock: Clock;
}

/**
 * Opens the mirror of a home, and deletes what killed processes left of bodies coming in.
 * @throws MIRROR_DIRECTORY_UNSAFE | STORE_DISK_FULL
 */
export function openMirror(options: MirrorOptions): Promise<Mirror> {
  return guarded("opening the mirror", async () => {
    const layout = new MirrorLayout(options.directory);
    layout.prepare();
    await reclaimScratch(layout.incoming, layout.locks);
    return new DirectoryMirror(layout, options);
  });
}

class DirectoryMirror implements Mirror {
  readonly #layout: MirrorLayout;
  readonly #content: FileContentStore;
  readonly #scratch: ScratchSpace;
  readonly #bodies: BodyVerifier;
  readonly #writer: RecordWriter;
  readonly #leases: Leases;
  #incoming: Promise<string> | undefined;

  constructor(layout: MirrorLayout, options: MirrorOptions) {
    this.#layout = layout;
    this.#content = options.content;
    this.#scratch = new ScratchSpace(layout.incoming, layout.locks);
    this.#bodies = new BodyVerifier(options.content);
    this.#writer = new RecordWriter(
      layout,
      () => options.content.durable(),
      () => rfc3339(options.clock.now()),
    );
    this.#leases = new Leases(layout.locks);
  }

  async incoming(): Promise<Incoming> {
    this.#incoming ??= guarded("taking in a body", () => this.#scratch.make("bodies"));
    return IncomingFile.create(await this.#incoming);
  }

  async commit(incoming: Incoming, given: MaterialRecord): Promise<void> {
    const record = recorded(given);
    await incoming.close();
    await guarded("committing to the mirror", async () => {
      checkBody(record, await hashBody(incoming.path, algorithmsOf(record.expected)));
      const source = { file: incoming.path, move: true, owned: true };
      await this.#content.put(source, { expected: record.digest, maxBytes: record.size });
      await this.#writer.add(record);
    });
  }

  async find(key: string): Promise<MaterialRecord | undefined> {
    return (await this.#history(key))[0];
  }

  async findByDigest(digest: AnnouncedDigest): Promise<MaterialRecord | undefined> {
    if (!isAnnouncedDigest(digest.algorithm, digest.value)) return undefined;
    const path = this.#layout.digest(digest);
    const bytes = await guarded("reading the mirror", () => this.#layout.read(path));
    if (bytes === undefined) return undefined;
    for (const holder of this.#holders(path, bytes, digest)) {
      // A holder whose record a crash kept from being written, or a prune deleted, is none.
      const records = await this.#history(holder.key);
      const found = records.find((record) => record.digest === holder.digest && hasDigest(record, digest));
      if (found !== undefined && (await this.#content.has(found.digest))) return found;
    }
    return undefined;
  }

  body(record: MaterialRecord): Promise<string> {
    return guarded("reading a body", async () => {
      try {
        return await this.#bodies.path(record);
      } catch (cause) {
        // A record that names another's body, or lies about its digests, is served to nobody again.
        if (isFactoryError(cause) && cause.code === "MIRROR_BODY_MISMATCH") {
          this.#layout.setAside(this.#layout.record(record.key), "record");
        }
        throw cause;
      }
    });
  }

  async seen(purl: string, fileName: string): Promise<readonly SeenFile[]> {
    const bytes = await guarded("reading the ledger", () => this.#layout.read(this.#layout.seen(purl, fileName)));
    return bytes === undefined ? [] : readLedger(bytes, purl, fileName);
  }

  async *records(): AsyncGenerator<MaterialRecord> {
    for (const path of this.#layout.documents("records")) {
      const key = /([0-9a-f]{64})\.json$/.exec(path)?.[1];
      if (key === undefined) continue;
      yield* await this.#history(key);
    }
  }

  lease(key: string, options: LeaseOptions = {}): Promise<{ release(): Promise<void> }> {
    return guarded("waiting for a download", () => this.#leases.take(key, options));
  }

  async close(): Promise<void> {
    await this.#writer.idle();
    this.#incoming = undefined;
    await guarded("closing the mirror", () => this.#scratch.close());
  }

  /** What the index says. It is made from the records and only says where to look: a damaged entry says nothing. */
  #holders(path: string, bytes: Uint8Array, digest: AnnouncedDigest): readonly Holder[] {
    try {
      return parseHolders(bytes, digest);
    } catch {
      this.#layout.setAside(path, "digest");
      return [];
    }
  }

  async #history(key: string): Promise<readonly MaterialRecord[]> {
    if (!/^[0-9a-f]{64}$/.test(key)) return [];
    const path = this.#layout.record(key);
    const bytes = await guarded("reading the mirror", () => this.#layout.read(path));
    return bytes === undefined ? [] : this.#parsed(path, "record", () => parseHistory(bytes, key));
  }

  /** What a document says; a damaged one is moved aside. @throws MIRROR_RECORD_CORRUPT */
  #parsed<T>(path: string, label: string, parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      const place = this.#layout.setAside(path, label);
      const why = isFactoryError(cause) || cause instanceof Error ? cause.message : String(cause);
      throw mirrorErrors.make(
        "MIRROR_RECORD_CORRUPT",
        `expected a document of the mirror at ${path}, found another: ${why}; it is now ${place}`,
        { cause },
      );
    }
  }
}
