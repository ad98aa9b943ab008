import { createHash } from "node:crypto";
import { compareTreePaths, type Digest, isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { FileFacts } from "../catalogue/cataloger.ts";
import { memoryContent, OpenFiles, reasonOf, Scratch, type StoredContent } from "./content.ts";
import { sourceErrors } from "./errors.ts";
import { type ArchiveKind, archiveByName, isProgram } from "./interest.ts";
import type { ClaimedFile, CollectedTree, CollectRequest, DeletedFile, ExecutableFile } from "./scanned-tree.ts";
import { StoredFile } from "./stored-file.ts";
import { TreePaths } from "./tree-paths.ts";

const smallFile = 64 * 2 ** 10;

/** Who needs a file, and what for. */
export interface Interest {
  readonly claims: readonly number[];
  readonly archive: ArchiveKind | undefined;
  readonly program: boolean;
}

/** What was kept of a file, and of which layer. */
interface Kept {
  readonly file: StoredFile;
  readonly interest: Interest;
  readonly layer: number;
}

/** Gathers what is claimed of a tree, layer by layer. One for each scan of a source. */
export class TreeCollector {
  readonly request: CollectRequest;
  readonly paths = new TreePaths();
  readonly disk = new OpenFiles();
  readonly #scratch: Scratch;
  readonly #kept = new Map<string, Kept>();
  readonly #replaced: Kept[] = [];
  readonly #losses: ScanLoss[] = [];
  readonly #lossKeys = new Set<string>();
  #inMemory = 0;
  #entries = 0;

  constructor(request: CollectRequest) {
    this.request = request;
    this.#scratch = new Scratch(request.limits.scratchBytes);
  }

  /** Counts an entry of the source. @throws SBOM_SOURCE_TOO_MANY_FILES, and the reason of the signal */
  entry(): void {
    const { limits, signal, onProgress } = this.request;
    if (++this.#entries > limits.entries) {
      throw sourceErrors.make("SBOM_SOURCE_TOO_MANY_FILES", `expected at most ${limits.entries} entries, found more`);
    }
    if (this.#entries % 1024 !== 0) return;
    signal?.throwIfAborted();
    onProgress?.(this.#entries);
  }

  interest(facts: FileFacts): Interest {
    return {
      claims: this.request.claim(facts),
      archive: facts.size > 0 ? archiveByName(facts.name) : undefined,
      program: facts.head !== undefined && isProgram(facts.head, facts.mode),
    };
  }

  /** Keeps a file. What had the same path in an earlier layer is replaced. */
  keep(facts: FileFacts, interest: Interest, layer: number, content: StoredContent, digest?: Digest): void {
    const before = this.#kept.get(facts.path);
    if (before !== undefined) {
      this.#kept.delete(facts.path);
      if (before.layer < layer) this.#replaced.push(before);
    }
    this.#kept.set(facts.path, { file: new StoredFile(facts, content, digest), interest, layer });
  }

  /** What is kept of the file that now stands at a path, for hard links: not what a later layer replaced. */
  kept(path: string): { readonly file: StoredFile; readonly interest: Interest } | undefined {
    const kept = this.#kept.get(path);
    return kept !== undefined && this.paths.lives(path, kept.layer) ? kept : undefined;
  }

  /**
   * Puts bytes aside as they come. Answers undefined when the scratch space is used up, with the loss noted.
   * @param keeps false: the bytes are only hashed
   */
  async store(
    path: string,
    chunks: AsyncIterable<Uint8Array>,
    options: { readonly size: number; readonly keeps: boolean; readonly hashes: boolean },
  ): Promise<{ readonly content: StoredContent; readonly digest?: Digest } | undefined> {
    const hash = options.hashes ? createHash("sha256") : undefined;
    const small = options.size <= smallFile && this.#inMemory + options.size <= this.request.limits.memoryBytes;
    const fits = small || options.size <= this.#scratch.room;
    if (options.keeps && !fits) {
      this.lose(path, "SBOM_SOURCE_TOO_LARGE", `expected ${options.size} bytes of scratch space, found too little`);
    }
    const start = this.#scratch.position;
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of chunks) {
      hash?.update(chunk);
      size += chunk.length;
      if (!options.keeps || !fits) continue;
      if (small) pieces.push(Uint8Array.from(chunk));
      else this.#scratch.write(chunk);
    }
    if (options.keeps && !fits) return undefined;
    if (small) this.#inMemory += size;
    const kept = small ? memoryContent(Buffer.concat(pieces)) : this.#scratch.content(start, size);
    return {
      content: options.keeps ? kept : memoryContent(Buffer.alloc(0)),
      ...(hash !== undefined && { digest: `sha256:${hash.digest("hex")}` as const }),
    };
  }

  /** Notes what is not read, once for each path and code. */
  lose(path: string, code: string, message: string): void {
    const key = `${code}\0${path}`;
    if (this.#lossKeys.has(key)) return;
    this.#lossKeys.add(key);
    this.#losses.push({ path, code, message });
  }

  /** Notes a failure to read as a loss. An error of no known kind is a bug, and goes on. */
  loseBy(path: string, cause: unknown): void {
    const isSystems = cause instanceof Error && "code" in cause && typeof cause.code === "string";
    if (!isSystems) throw cause;
    const code = isFactoryError(cause) ? cause.code : "SBOM_SOURCE_UNREADABLE";
    const message = isFactoryError(cause) ? cause.message : `expected to read ${path}, found: ${reasonOf(cause)}`;
    this.lose(path, code, message);
  }

  /** Archives that were kept and are still there, in byte order. */
  archives(): readonly { readonly file: StoredFile; readonly kind: ArchiveKind; readonly layer: number }[] {
    return this.#living().flatMap(({ file, interest, layer }) =>
      interest.archive === undefined ? [] : [{ file, kind: interest.archive, layer }],
    );
  }

  #living(): Kept[] {
    return [...this.#kept.values()]
      .filter(({ file, layer }) => this.paths.lives(file.path, layer))
      .sort((a, b) => compareTreePaths(a.file.path, b.file.path));
  }

  /** What the whole source gave. */
  finish(layers: readonly Digest[]): CollectedTree {
    const living = this.#living();
    return {
      files: living.flatMap(({ file, interest }): ClaimedFile[] =>
        interest.claims.length > 0 ? [{ file, claims: interest.claims }] : [],
      ),
      executables: living.flatMap(({ file, interest }): ExecutableFile[] =>
        interest.program && this.paths.container(file.path) === file.path ? [file] : [],
      ),
      deleted: this.#deleted(layers),
      layers,
      losses: this.#losses,
      seen: this.paths.count(),
      exists: (path) => this.paths.exists(path),
      resolve: (path) => this.paths.resolve(path),
      container: (path) => this.paths.container(path),
      close: () => {
        this.disk.close();
        this.#scratch.close();
      },
    };
  }

  #deleted(layers: readonly Digest[]): DeletedFile[] {
    return [...this.#replaced, ...this.#kept.values()]
      .flatMap(({ file, layer }): DeletedFile[] => {
        const by = this.paths.takenBy(file.path, layer);
        const [from, to] = [layers[layer], by === undefined ? undefined : layers[by]];
        return from === undefined || to === undefined || this.paths.exists(file.path)
          ? []
          : [{ path: file.path, layer: from, by: to }];
      })
      .sort((a, b) => compareTreePaths(a.path, b.path));
  }

  /** Frees everything after a failure. */
  abandon(): void {
    this.disk.close();
    this.#scratch.close();
  }
}
