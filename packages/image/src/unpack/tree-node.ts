/** What all names of one file share. */
export interface FileFacts {
  /** Permission bits on disk. */
  readonly mode: number;
  /** As the layer says. */
  readonly original: Original;
  readonly mtime: number;
  readonly size: number;
  /** SHA-256 of the content, in hexadecimal; empty until it is written. */
  sha256: string;
}

/** Owner and mode as a layer gives them, before they are mapped. */
export interface Original {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

interface Named {
  readonly name: string;
  readonly parent: DirectoryNode | undefined;
  /** Number of the layer that wrote it last. */
  layer: number;
}

export interface FileNode extends Named {
  readonly kind: "file";
  readonly facts: FileFacts;
}

export interface SymlinkNode extends Named {
  readonly kind: "symlink";
  readonly target: string;
  readonly original: Original;
  readonly mtime: number;
}

export interface DirectoryNode extends Named {
  readonly kind: "directory";
  mode: number;
  original: Original;
  mtime: number;
  /** Number of the layer that last wrote something below it. */
  touched: number;
  /** No layer has an entry for it: something lies below it. */
  implicit: boolean;
  readonly children: Map<string, TreeNode>;
  /** Names by what a careless reader takes them for. */
  folded: Map<string, string> | undefined;
}

/** A place in the tree that the layers make together, as far as they were applied. */
export type TreeNode = FileNode | SymlinkNode | DirectoryNode;

export function pathOf(node: TreeNode): string {
  const parts: string[] = [];
  for (let at: TreeNode = node; at.parent !== undefined; at = at.parent) parts.push(at.name);
  return parts.reverse().join("/");
}

export const unowned: Original = { uid: 0, gid: 0, mode: 0o755 };

export function newDirectory(name: string, parent: DirectoryNode | undefined, layer: number): DirectoryNode {
  return {
    kind: "directory",
    name,
    parent,
    layer,
    mode: 0o755,
    original: unowned,
    mtime: 0,
    touched: layer,
    implicit: true,
    children: new Map(),
    folded: undefined,
  };
}
