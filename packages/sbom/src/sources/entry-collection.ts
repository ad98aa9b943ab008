import type { Digest } from "@touchmark/core";
import { peek } from "./byte-stream.ts";
import type { TreeCollector } from "./collector.ts";
import type { LayerEntryLike } from "./entry.ts";
import { headLength, needsHead } from "./interest.ts";
import { StoredFile } from "./stored-file.ts";

/** A hard link to a file whose content was not kept under its own name. */
interface PendingLink {
  readonly path: string;
  readonly target: string;
}

/** Where entries of a stream belong. */
export interface EntryPlace {
  /** Number of the layer. */
  readonly layer: number;
  readonly diffId?: Digest;
  /** What stands before their paths: empty, or `ARCHIVE!/`. */
  readonly prefix: string;
}

/** Collects entries of one stream of files: of a layer, or of an archive. */
export class EntryCollection {
  readonly #collector: TreeCollector;
  readonly #place: EntryPlace;
  readonly #pending = new Map<string, PendingLink>();

  constructor(collector: TreeCollector, place: EntryPlace) {
    this.#collector = collector;
    this.#place = place;
  }

  /** True when hard links wait for a second reading of the same stream. */
  get isIncomplete(): boolean {
    return this.#pending.size > 0;
  }

  async add(entry: LayerEntryLike): Promise<void> {
    const { paths } = this.#collector;
    const { layer, prefix } = this.#place;
    if (entry.whiteout !== undefined) {
      paths.hide(entry.whiteout.path, layer, entry.whiteout.kind);
      return;
    }
    if (entry.path === "") return;
    const path = prefix + entry.path;
    paths.parents(path, layer);
    if (entry.kind === "directory") paths.directory(path, layer);
    else if (entry.kind === "symlink") paths.link(path, entry.target ?? "", layer);
    else if (entry.kind === "hardlink") this.#hardlink(path, prefix + (entry.target ?? ""), entry.mode);
    else if (entry.kind === "file") await this.#file(path, entry);
    else paths.other(path, layer);
  }

  async #file(path: string, entry: LayerEntryLike): Promise<void> {
    this.#collector.paths.file(path, this.#place.layer);
    const name = lastOf(path);
    let head: Uint8Array | undefined;
    let chunks: AsyncIterable<Uint8Array> | undefined;
    if (entry.size > 0 && needsHead(name, entry.mode)) {
      const peeked = await peek(entry.content(), headLength);
      head = peeked.head;
      chunks = peeked.all;
    }
    const facts = this.#facts(path, entry.size, entry.mode, head);
    const interest = this.#collector.interest(facts);
    const keeps = interest.claims.length > 0 || interest.archive !== undefined;
    if (!keeps && !interest.program) return;
    const stored = await this.#collector.store(path, chunks ?? entry.content(), {
      size: entry.size,
      keeps,
      hashes: interest.program,
    });
    if (stored !== undefined) this.#collector.keep(facts, interest, this.#place.layer, stored.content, stored.digest);
  }

  #facts(path: string, size: number, mode: number, head: Uint8Array | undefined) {
    const { diffId } = this.#place;
    return {
      path,
      name: lastOf(path),
      size,
      mode: mode & 0o7777,
      ...(diffId !== undefined && { layer: diffId }),
      ...(head !== undefined && { head }),
    };
  }

  #hardlink(path: string, target: string, mode: number): void {
    this.#collector.paths.file(path, this.#place.layer);
    const original = this.#collector.kept(target)?.file;
    if (original !== undefined && this.#keepLink(path, original)) return;
    // Its size is not known, its first bytes were looked at if its own name and mode asked for it: whoever might want it
    // by another name is asked again on second reading.
    const guess = this.#collector.interest(this.#facts(path, 1, mode, undefined));
    const isNewProgram = needsHead(lastOf(path), mode) && !needsHead(lastOf(target), mode);
    if (guess.claims.length === 0 && guess.archive === undefined && !isNewProgram && original === undefined) return;
    this.#pending.set(path, { path, target: this.#pending.get(target)?.target ?? target });
  }

  /** Keeps a link to a file that is known. False when somebody wants content that was not kept. */
  #keepLink(path: string, original: StoredFile): boolean {
    const { size, mode, content } = original;
    const hasContent = content.size === size;
    let head = original.head;
    if (!needsHead(lastOf(path), mode)) head = undefined;
    else if (head === undefined && size > 0) {
      if (!hasContent) return false;
      head = content.read(0, headLength);
    }
    const facts = this.#facts(path, size, mode, head);
    const interest = this.#collector.interest(facts);
    const keeps = interest.claims.length > 0 || interest.archive !== undefined;
    if (keeps && !hasContent) return false;
    if (!keeps && !interest.program) return true;
    this.#collector.keep(facts, interest, this.#place.layer, content, original.knownDigest);
    return true;
  }

  /** Reads the stream once more, for the files that hard links lead to. */
  async complete(entries: AsyncIterable<LayerEntryLike>): Promise<void> {
    const byTarget = new Map<string, string[]>();
    for (const { path, target } of this.#pending.values()) {
      const links = byTarget.get(target);
      if (links === undefined) byTarget.set(target, [path]);
      else links.push(path);
    }
    for await (const entry of entries) {
      const links = byTarget.get(this.#place.prefix + entry.path);
      if (links === undefined || entry.kind !== "file" || entry.whiteout !== undefined) continue;
      byTarget.delete(this.#place.prefix + entry.path);
      const stored = await this.#collector.store(links[0] ?? "", entry.content(), {
        size: entry.size,
        keeps: true,
        hashes: true,
      });
      if (stored === undefined) continue;
      const original = new StoredFile(
        this.#facts(entry.path, entry.size, entry.mode, undefined),
        stored.content,
        stored.digest,
      );
      for (const path of links) this.#keepLink(path, original);
    }
    for (const path of [...byTarget.values()].flat()) {
      const message = "expected the file that this hard link leads to in the same archive, found none";
      this.#collector.lose(path, "SBOM_SOURCE_UNREADABLE", message);
    }
    this.#pending.clear();
  }
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
