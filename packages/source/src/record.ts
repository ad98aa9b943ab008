import type { Digest, TreeEntry } from "@touchmark/core";
import type { CommitPerson, ObjectFormat } from "./object.ts";
import type { SignatureFacts } from "./signature-facts.ts";
import type { WorkingTreeChange } from "./working-tree-change.ts";

/** What is known about a source after it was fetched, all of it read from objects whose ids were recomputed. */
export interface SourceRecord {
  /** Normalised, without credentials: `git+https://host/path`, `git+ssh://…`, `git+file:///path`. */
  readonly uri: string;
  /** What the caller asked for. */
  readonly revision: string;
  /** The reference that the revision was, when it was one: `refs/heads/main`. */
  readonly reference?: string;
  readonly objectFormat: ObjectFormat;
  /** Full id of the commit. */
  readonly commit: string;
  readonly parents: readonly string[];
  /** Git's id of the tree, recomputed from the content. */
  readonly tree: string;
  /** Digest of the canonical file list (`core.treeDigest`), SHA-256 over contents. */
  readonly treeDigest: Digest;
  readonly entries: readonly TreeEntry[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Claims of the commit; nobody has checked them unless `signature` says so. */
  readonly author: CommitPerson;
  readonly committer: CommitPerson;
  /** Committer time: SOURCE_DATE_EPOCH, and the time of every exported file. */
  readonly committedAt: Date;
  readonly signature: SignatureFacts;
  readonly submodules: readonly SubmoduleRecord[];
  readonly lfs: readonly LfsRecord[];
  /** True when the files come from the working tree, with changes that no commit has. */
  readonly workingTree: boolean;
  /** What differs from the commit; empty unless `workingTree`. */
  readonly changedFiles: readonly WorkingTreeChange[];
}

/** A submodule, fetched at the commit that the tree pins. */
export interface SubmoduleRecord {
  readonly path: string;
  readonly uri: string;
  readonly commit: string;
  readonly tree: string;
}

/** A Git LFS file, replaced by the content that its pointer pins. */
export interface LfsRecord {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}
