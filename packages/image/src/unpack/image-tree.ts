import { unpackErrors } from "./errors.ts";
import type { Whiteout } from "./layer-entry.ts";
import { shown } from "./tar-field.ts";
import type { TreePlace } from "./tree-disk.ts";
import {
  type DirectoryNode,
  type FileFacts,
  type FileNode,
  newDirectory,
  type Original,
  pathOf,
  type SymlinkNode,
  type TreeNode,
  unowned,
} from "./tree-node.ts";

/** How much the tree takes. */
export interface TreeRules {
  /** What becomes of a path that leads through a symbolic link: runtimes disagree. `resolve` follows it within the tree. */
  readonly throughLinks: "refuse" | "resolve";
  /** Whether names may differ by case alone. */
  readonly caseCollisions: "refuse" | "allow";
}

const mostLinks = 40;

/**
 * The tree that the layers make, in memory, with the disk following it. Every decision is made here: no path is given to
 * the disk unless each part of it is known to be a directory that we made, so that no link is ever followed. (SPEC X3)
 */
export class ImageTree {
  readonly root: DirectoryNode = newDirectory("", undefined, 0);
  readonly #disk: TreePlace;
  readonly #rules: TreeRules;
  #layer = 0;
  #lastPath: string | undefined;
  #lastDirectory: DirectoryNode | undefined;

  constructor(disk: TreePlace, rules: TreeRules) {
    this.#disk = disk;
    this.#rules = rules;
  }

  /** What comes belongs to the next layer. */
  beginLayer(): void {
    this.#layer++;
  }

  /** @throws UNPACK_PATH_ROOT is never meant for directories */
  directory(path: string, facts: { readonly mode: number; readonly original: Original; readonly mtime: number }): void {
    let node: DirectoryNode;
    if (path === "") node = this.root;
    else {
      const { parent, name } = this.#place(path);
      const found = this.#free(parent, name, path, "directory");
      node = found ?? this.#makeDirectory(parent, name);
    }
    Object.assign(node, { ...facts, implicit: false, layer: this.#layer });
  }

  /** A file, whose content the caller writes to the path that comes back. */
  file(path: string, facts: FileFacts): FileNode {
    const { parent, name } = this.#placeOf(path, "file");
    const node: FileNode = { kind: "file", name, parent, layer: this.#layer, facts };
    this.#add(parent, node);
    return node;
  }

  symlink(path: string, target: string, original: Original, mtime: number): SymlinkNode {
    const { parent, name } = this.#placeOf(path, "symlink");
    const node: SymlinkNode = { kind: "symlink", name, parent, layer: this.#layer, target, original, mtime };
    this.#add(parent, node);
    this.#disk.symlink(target, pathOf(node), mtime);
    return node;
  }

  /** Another name for a file that is there already. @throws UNPACK_LINK_DANGLING | UNPACK_LINK_KIND | UNPACK_LINK_FOLLOWED */
  hardlink(path: string, target: string): void {
    const source = this.#find(target);
    if (source === undefined || path === target) {
      throw unpackErrors.make(
        "UNPACK_LINK_DANGLING",
        `expected a file at ${shown(target)} for the hard link ${shown(path)}`,
      );
    }
    if (source.kind !== "file") {
      throw unpackErrors.make("UNPACK_LINK_KIND", `expected a file at ${shown(target)}, found a ${source.kind}`);
    }
    // Looked at again below: making room for the link may take the source away.
    const { parent, name } = this.#placeOf(path, "file");
    if (this.#find(target) !== source) {
      throw unpackErrors.make(
        "UNPACK_LINK_DANGLING",
        `expected a file at ${shown(target)}, found it replaced by its link`,
      );
    }
    const node: FileNode = { kind: "file", name, parent, layer: this.#layer, facts: source.facts };
    this.#add(parent, node);
    this.#disk.link(pathOf(source), pathOf(node));
  }

  /** Something that is not made: what lower layers have there goes nevertheless. */
  skipped(path: string): void {
    this.#placeOf(path, "file");
  }

  /** Takes away what lower layers have (image-spec 1.1, layer.md). @throws UNPACK_ENTRY_TWICE | UNPACK_LINK_FOLLOWED */
  whiteout({ kind, path }: Whiteout): void {
    const node = this.#find(path);
    if (node === undefined) return;
    if (kind === "opaque") {
      if (node.kind === "directory") this.#removeLower(node);
      return;
    }
    if (node.layer === this.#layer && !(node.kind === "directory" && node.implicit)) {
      throw unpackErrors.make("UNPACK_ENTRY_TWICE", `expected a whiteout before what replaces it: ${shown(path)}`);
    }
    if (node.kind === "directory" && node.touched === this.#layer) {
      this.#removeLower(node);
      Object.assign(node, { mode: 0o755, original: unowned, mtime: 0, implicit: true });
    } else this.#remove(node);
  }

  /** Every node but the root, parents before children, in no other order. */
  *nodes(): Generator<TreeNode> {
    const pending: DirectoryNode[] = [this.root];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      for (const node of directory.children.values()) {
        yield node;
        if (node.kind === "directory") pending.push(node);
      }
    }
  }

  #placeOf(path: string, kind: "file" | "symlink"): { parent: DirectoryNode; name: string } {
    if (path === "") throw unpackErrors.make("UNPACK_PATH_ROOT", `expected a directory as root, found a ${kind}`);
    const place = this.#place(path);
    this.#free(place.parent, place.name, path, kind);
    return place;
  }

  #place(path: string): { parent: DirectoryNode; name: string } {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    const directory = slash < 0 ? "" : path.slice(0, slash);
    if (directory === this.#lastPath && this.#lastDirectory !== undefined) {
      return { parent: this.#lastDirectory, name };
    }
    const parent = this.#walk(directory, true) as DirectoryNode;
    this.#lastPath = directory;
    this.#lastDirectory = parent;
    return { parent, name };
  }

  /** Makes room for an entry; answers a directory that is there already and stays. @throws UNPACK_ENTRY_TWICE */
  #free(parent: DirectoryNode, name: string, path: string, kind: TreeNode["kind"]): DirectoryNode | undefined {
    const found = parent.children.get(name);
    if (found === undefined) return undefined;
    if (found.kind === "directory" && kind === "directory") return found;
    const isNew = found.layer === this.#layer || (found.kind === "directory" && found.touched === this.#layer);
    if (isNew) {
      throw unpackErrors.make("UNPACK_ENTRY_TWICE", `expected each path once in a layer, found ${shown(path)} again`);
    }
    this.#remove(found);
    return undefined;
  }

  #makeDirectory(parent: DirectoryNode, name: string): DirectoryNode {
    const node = newDirectory(name, parent, this.#layer);
    this.#add(parent, node);
    this.#disk.directory(pathOf(node));
    return node;
  }

  #add(parent: DirectoryNode, node: TreeNode): void {
    this.#checkCollision(parent, node.name);
    parent.children.set(node.name, node);
    for (let at: DirectoryNode | undefined = parent; at !== undefined && at.touched !== this.#layer; at = at.parent) {
      at.touched = this.#layer;
    }
  }

  #checkCollision(parent: DirectoryNode, name: string): void {
    const caseless = this.#rules.caseCollisions === "refuse";
    const isPlain = /^[\x20-\x7e]*$/.test(name) && !caseless;
    const normal = isPlain ? name : name.normalize("NFC");
    const folded = caseless ? normal.toLowerCase() : normal;
    const other = parent.folded?.get(folded) ?? (folded === name ? undefined : folded);
    if (other !== undefined && other !== name && parent.children.has(other)) {
      throw unpackErrors.make(
        "UNPACK_NAME_COLLIDES",
        `expected names that differ, found ${shown(other)} and ${shown(name)}`,
      );
    }
    if (isPlain) return;
    parent.folded ??= new Map();
    parent.folded.set(folded, name);
  }

  /** What stands at a path, by the rules for links; its last part is not followed. */
  #find(path: string): TreeNode | undefined {
    if (path === "") return this.root;
    const slash = path.lastIndexOf("/");
    const parent = this.#walk(slash < 0 ? "" : path.slice(0, slash), false);
    return parent?.children.get(path.slice(slash + 1));
  }

  /** The directory at a path, made where it is missing if asked to. @throws UNPACK_LINK_FOLLOWED | UNPACK_PARENT_NOT_DIRECTORY */
  #walk(path: string, makes: boolean): DirectoryNode | undefined {
    let at = this.root;
    const parts = path === "" ? [] : path.split("/").reverse();
    let links = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        // Only the target of a link can say so; the root is its own parent, as for the kernel.
        at = at.parent ?? at;
        continue;
      }
      const next = at.children.get(part);
      if (next === undefined) {
        if (!makes) return undefined;
        at = this.#makeDirectory(at, part);
      } else if (next.kind === "directory") at = next;
      else if (next.kind === "file") {
        if (!makes) return undefined;
        throw unpackErrors.make(
          "UNPACK_PARENT_NOT_DIRECTORY",
          `expected a directory, found the file ${shown(pathOf(next))}`,
        );
      } else {
        if (this.#rules.throughLinks === "refuse" || ++links > mostLinks) {
          throw unpackErrors.make(
            "UNPACK_LINK_FOLLOWED",
            `expected directories in ${shown(path)}, found the symbolic link ${shown(pathOf(next))}`,
          );
        }
        if (next.target.startsWith("/")) at = this.root;
        parts.push(...next.target.split("/").reverse());
      }
    }
    return at;
  }

  #removeLower(directory: DirectoryNode): void {
    for (const node of [...directory.children.values()]) {
      if (node.kind === "directory" && (node.layer === this.#layer || node.touched === this.#layer)) {
        this.#removeLower(node);
        if (node.layer !== this.#layer) {
          Object.assign(node, { mode: 0o755, original: unowned, mtime: 0, implicit: true });
        }
      } else if (node.layer !== this.#layer) this.#remove(node);
    }
  }

  #remove(node: TreeNode): void {
    this.#lastPath = undefined;
    this.#removeBelow(node, pathOf(node));
    node.parent?.children.delete(node.name);
  }

  #removeBelow(node: TreeNode, path: string): void {
    if (node.kind !== "directory") return this.#disk.removeFile(path);
    for (const child of node.children.values()) this.#removeBelow(child, `${path}/${child.name}`);
    this.#disk.removeDirectory(path);
  }
}
