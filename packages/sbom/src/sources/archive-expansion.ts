import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { isFactoryError } from "@touchmark/core";
import { ByteStream } from "./byte-stream.ts";
import type { TreeCollector } from "./collector.ts";
import { reasonOf, type StoredContent } from "./content.ts";
import type { LayerEntryLike } from "./entry.ts";
import { EntryCollection, type EntryPlace } from "./entry-collection.ts";
import { sourceErrors } from "./errors.ts";
import { type ArchiveKind, archiveByContent } from "./interest.ts";
import { tarEntries } from "./tar-entries.ts";
import { zipEntries } from "./zip-entries.ts";

const piece = 2 ** 18;
/** As many first bytes as show the kind of an archive. */
const magicLength = 262;

/** Opens the archives that were collected, and those in them, down to the limit (SPEC C12). */
export async function expandArchives(collector: TreeCollector): Promise<void> {
  const expansion = new ArchiveExpansion(collector);
  const opened = new Set<string>();
  for (let depth = 1; ; depth++) {
    const next = collector.archives().filter(({ file }) => !opened.has(file.path));
    if (next.length === 0) return;
    for (const { file, kind, layer } of next) {
      opened.add(file.path);
      if (depth > collector.request.limits.archiveDepth) {
        const message = `expected archives in archives ${depth - 1} deep, found one deeper; it is not opened`;
        collector.lose(file.path, "SBOM_ARCHIVE_TOO_DEEP", message);
        continue;
      }
      collector.paths.archive(file.path);
      const place = { layer, prefix: `${file.path}!/`, ...(file.layer !== undefined && { diffId: file.layer }) };
      await expansion.expand(file.path, file.content, kind, place);
    }
  }
}

/** Opens archives within one budget for all of them. */
export class ArchiveExpansion {
  readonly #collector: TreeCollector;
  #bytes = 0;
  #entries = 0;

  constructor(collector: TreeCollector) {
    this.#collector = collector;
  }

  /** Collects what an archive holds. What cannot be read is a loss at its path. */
  async expand(path: string, content: StoredContent, named: ArchiveKind, place: EntryPlace): Promise<void> {
    try {
      const kind = archiveByContent(content.read(0, magicLength)) ?? named;
      if (kind === "unread") {
        throw sourceErrors.make("SBOM_ARCHIVE_COMPRESSION", "expected zip, tar, gzip or zstd, found another packing");
      }
      if (kind === "zip") await this.#zip(path, content, place);
      else await this.#tar(path, content, kind, place);
    } catch (cause) {
      this.#collector.request.signal?.throwIfAborted();
      this.#collector.loseBy(path, cause);
    }
  }

  async #zip(path: string, content: StoredContent, place: EntryPlace): Promise<void> {
    const { archiveEntries } = this.#collector.request.limits;
    const archive = zipEntries(content, () => this.#room(), Math.max(0, archiveEntries - this.#entries));
    for (const name of archive.refused) this.#refuse(path, name);
    for (const { code, message } of archive.faults) this.#collector.lose(path, code, message);
    const collection = new EntryCollection(this.#collector, place);
    for (const entry of archive.entries) {
      this.#entry();
      try {
        await collection.add({ ...entry, content: () => this.#counted(entry.content()) });
      } catch (cause) {
        // The directory of a zip archive says where the next entry is, whatever becomes of this one.
        if (isFactoryError(cause) && cause.code.startsWith("ZIP_")) {
          this.#collector.loseBy(`${place.prefix}${entry.path}`, cause);
        } else throw cause;
      }
    }
  }

  async #tar(path: string, content: StoredContent, kind: ArchiveKind, place: EntryPlace): Promise<void> {
    const collection = new EntryCollection(this.#collector, place);
    for await (const entry of this.#tarEntries(path, content, kind)) {
      this.#entry();
      await collection.add(entry);
    }
    if (collection.isIncomplete) await collection.complete(this.#tarEntries(path, content, kind));
  }

  async *#tarEntries(path: string, content: StoredContent, kind: ArchiveKind): AsyncGenerator<LayerEntryLike> {
    const stream = new ByteStream(this.#counted(unpacked(content, kind)));
    try {
      for await (const entry of tarEntries(stream)) {
        if ("refused" in entry) this.#refuse(path, entry.refused);
        else yield entry;
      }
    } finally {
      await stream.end();
    }
  }

  #refuse(path: string, name: string): void {
    const message = `expected names within the archive, found ${JSON.stringify(name.slice(0, 200))}`;
    this.#collector.lose(path, "SBOM_ARCHIVE_NAME", message);
  }

  #room(): number {
    return Math.max(0, this.#collector.request.limits.archiveBytes - this.#bytes);
  }

  #entry(): void {
    const { limits, signal } = this.#collector.request;
    const { archiveEntries } = limits;
    if (this.#entries % 1024 === 0) signal?.throwIfAborted();
    if (++this.#entries > archiveEntries) {
      const message = `expected archives with at most ${archiveEntries} entries together, found more`;
      throw sourceErrors.make("SBOM_ARCHIVE_TOO_MANY_ENTRIES", message);
    }
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { archiveBytes } = this.#collector.request.limits;
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      if (this.#bytes > archiveBytes) {
        const message = `expected archives that unpack to at most ${archiveBytes} bytes together, found more`;
        throw sourceErrors.make("SBOM_ARCHIVE_TOO_LARGE", message);
      }
      this.#collector.request.signal?.throwIfAborted();
      yield chunk;
    }
  }
}

/** The bytes of a tar archive. @throws SBOM_ARCHIVE_MALFORMED */
export async function* unpacked(content: StoredContent, kind: ArchiveKind): AsyncGenerator<Uint8Array> {
  if (kind === "tar") {
    yield* pieces(content);
    return;
  }
  const unpacker =
    kind === "tar+gzip" ? createGunzip({ chunkSize: piece }) : createZstdDecompress({ chunkSize: piece });
  // Errors of both ends reach the loop below through the stream that it reads.
  pipeline(Readable.from(pieces(content), { objectMode: false }), unpacker, () => undefined);
  try {
    for await (const chunk of unpacker) yield chunk as Uint8Array;
  } catch (cause) {
    if (isFactoryError(cause)) throw cause;
    throw sourceErrors.make("SBOM_ARCHIVE_MALFORMED", `expected intact compression, found: ${reasonOf(cause)}`, {
      cause,
    });
  } finally {
    unpacker.destroy();
  }
}

function* pieces(content: StoredContent): Generator<Uint8Array> {
  for (let at = 0; at < content.size; ) {
    const bytes = content.read(at, Math.min(piece, content.size - at));
    if (bytes.length === 0) return;
    yield bytes;
    at += bytes.length;
  }
}
