import type { Digest } from "@touchmark/core";
import type { Component, Distribution, ScanLoss } from "@touchmark/formats/sbom";

/** A file of the scanned tree, before its content is read. */
export interface FileFacts {
  /** Relative to the root, `/` between segments, without leading slash or `.`/`..`. */
  readonly path: string;
  /** Last segment. */
  readonly name: string;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** diffID of the layer that it comes from, for images. */
  readonly layer?: Digest;
  /**
   * Its first bytes (64 at most): of executable files, and of those whose name looks like a library or a program
   * (`*.so*`, `*.node`, `*.exe`, `*.dll`, `*.jar`); undefined for others.
   */
  readonly head?: Uint8Array;
}

/** A file that a cataloger asked for. It can be read at any place, any number of times, until the catalogue is done. */
export interface CollectedFile extends FileFacts {
  /** The whole content. @throws SBOM_FILE_TOO_LARGE beyond `limit` bytes (default 64 MiB). */
  bytes(limit?: number): Uint8Array;
  /** At most `length` bytes from `offset`; fewer at the end. */
  read(offset: number, length: number): Uint8Array;
  /** SHA-256 of the content; computed once. */
  digest(): Digest;
  /** Another digest of the content, in lower-case hex; computed each time. */
  hash(algorithm: "md5" | "sha1" | "sha256" | "sha512"): string;
}

/** One component as a cataloger found it; the catalogue makes the refs and fills what stands out. */
export type FoundComponent = Omit<
  Component,
  "ref" | "hashes" | "declaredLicences" | "detectedLicences" | "cpes" | "properties" | "occurrences"
> &
  Partial<Pick<Component, "hashes" | "declaredLicences" | "detectedLicences" | "cpes" | "properties">> &
  Pick<Component, "occurrences"> & {
    /** Unique among what one cataloger found in one call; edges name it. */
    readonly key: string;
    /** Paths of files of the tree that belong to it, where the package's own records say so. */
    readonly owns?: readonly string[];
    /** Directories whose whole content belongs to it (an installed package's folder). */
    readonly ownsBelow?: readonly string[];
  };

/** What a cataloger found. */
export interface Found {
  readonly components: readonly FoundComponent[];
  /** By keys. Every component whose dependencies are known has an entry, an empty one when there are none. */
  readonly edges: readonly { readonly from: string; readonly to: readonly string[] }[];
  /** Keys of what the project or image itself wants: edges of the root. One per lockfile: its project, if it has a name. */
  readonly roots: readonly string[];
  readonly losses: readonly ScanLoss[];
}

/** What a cataloger may ask beside its own files. */
export interface CatalogueContext {
  /** By exact path: a file that some cataloger asked for. */
  file(path: string): CollectedFile | undefined;
  /** All collected files whose path passes; in byte order. */
  files(matches: (path: string) => boolean): readonly CollectedFile[];
  /** True when the tree has such an entry of any kind. */
  exists(path: string): boolean;
  readonly distribution?: Distribution;
  /** Includes development dependencies; they are always catalogued, with their scope. */
  readonly signal?: AbortSignal;
}

/** Reads one kind of evidence of what is in a tree. Pure over the files that it asked for. */
export interface Cataloger {
  /** Stable name: `npm-lockfiles`, `dpkg`, `go-binaries`, ... */
  readonly name: string;
  /** True for a file whose content it needs. Called once for each file; must be fast. */
  wants(file: FileFacts): boolean;
  /** Called once, with the files that it wanted, in byte order of paths, later layers having replaced earlier ones. */
  catalogue(files: readonly CollectedFile[], context: CatalogueContext): Found | Promise<Found>;
}
