/** A difference between a commit and the files in its working tree. */
export interface WorkingTreeChange {
  readonly path: string;
  /** `untracked`: not in the commit and not ignored. */
  readonly change: "modified" | "deleted" | "untracked" | "mode";
}
