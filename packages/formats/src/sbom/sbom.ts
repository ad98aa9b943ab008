import type { Digest } from "@touchmark/core";
import type { Component, DependencyEdges, Distribution } from "./component.ts";

/** Something that was not read, or not read whole, and why: a scan states what it lost. */
export interface ScanLoss {
  readonly path: string;
  /** Error code of the refusal, where one was met: `SBOM_ARCHIVE_TOO_DEEP`, ... */
  readonly code: string;
  readonly message: string;
}

/** What an SBOM is about. */
export interface SbomSubject {
  readonly kind: "image" | "directory" | "archive" | "file" | "artifact";
  /** As people name it: a path as given, `NAME:TAG`, an artifact's name. */
  readonly name: string;
  readonly version?: string;
  /** Manifest, file or tree digest, where there is one. */
  readonly digest?: Digest;
}

/** An executable file of the subject that belongs to no component. */
export interface UnownedExecutable {
  readonly path: string;
  readonly digest?: Digest;
  readonly layer?: Digest;
}

/** A software bill of materials, in one form for all formats. Components by ref, edges by `from`, both in byte order. */
export interface Sbom {
  readonly subject: SbomSubject;
  /** Ref of the component that stands for the subject; it is among `components`. */
  readonly root: string;
  readonly components: readonly Component[];
  readonly dependencies: readonly DependencyEdges[];
  readonly distribution?: Distribution;
  /** In time order of image layers: diffIDs, bottom first. */
  readonly layers: readonly Digest[];
  readonly losses: readonly ScanLoss[];
  /** Executables that no component owns; absent where ownership was not measured. */
  readonly unowned?: readonly UnownedExecutable[];
  /** Files that were looked at, and files that nothing looked into. */
  readonly files?: { readonly seen: number; readonly catalogued: number };
  /** RFC 3339; fixed by the caller (source date), so that the same input gives the same bytes. */
  readonly created?: string;
  /** Tools that made it, ours or others': `name version`. */
  readonly tools: readonly { readonly name: string; readonly version: string; readonly vendor?: string }[];
}
