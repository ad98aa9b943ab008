import type { LayerHeader } from "../unpack/layer-entry.ts";
import type { LayerItem } from "./layer-item.ts";
import type { BaseView } from "./layer-part.ts";

/** What an image shows at a path, once all layers lie over each other. */
export interface ImageFile {
  readonly kind: LayerHeader["kind"] | "hard-link";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
}

interface Node {
  file: ImageFile | undefined;
  /** Number of the layer that put it there. */
  layer: number;
  children: Map<string, Node> | undefined;
}

/** The files of an image, layer over layer, without their content (image-spec 1.1, layer.md, "applying changesets"). */
export class ImageFiles {
  readonly #root: Node = { file: undefined, layer: 0, children: new Map() };
  #layer = 0;

  /** What follows is of the next layer. */
  nextLayer(): void {
    this.#layer += 1;
  }

  /** An entry of a layer that was read. */
  apply(header: LayerHeader): void {
    if (header.whiteout === undefined) this.#put(header.path, header);
    else if (header.whiteout.kind === "opaque") this.#clear(this.#find(header.whiteout.path));
    else this.#remove(header.whiteout.path);
  }

  /** An entry of a layer that is being made. */
  add(item: LayerItem): void {
    if (item.isWhiteout !== true) return this.#put(item.path, item);
    const cut = item.path.lastIndexOf("/");
    const directory = cut < 0 ? "" : item.path.slice(0, cut);
    const name = item.path.slice(cut + 1);
    if (name === ".wh..wh..opq") this.#clear(this.#find(directory));
    else this.#remove(`${directory === "" ? "" : `${directory}/`}${name.slice(".wh.".length)}`);
  }

  /** Paths of everything but directories. */
  *files(): Generator<string> {
    const pending: [path: string, node: Node][] = [["", this.#root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [path, node] = next;
      if (node.file !== undefined && node.file.kind !== "directory") yield path;
      for (const [name, child] of node.children ?? []) pending.push([path === "" ? name : `${path}/${name}`, child]);
    }
  }

  get(path: string): ImageFile | undefined {
    return this.#find(path)?.file;
  }

  /** What a new layer must know of those that are there. */
  readonly view: BaseView = (path) => {
    const node = this.#find(path);
    if (node === undefined) return undefined;
    const { file } = node;
    if (file === undefined) return undefined;
    if (file.kind !== "directory") return "other";
    return { mode: file.mode, uid: file.uid, gid: file.gid, mtime: Math.max(0, Math.floor(file.mtime)) };
  };

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    if (path === "") return node;
    for (const name of path.split("/")) node = node?.children?.get(name);
    return node;
  }

  #put(path: string, { kind, mode, uid, gid, mtime }: ImageFile): void {
    let node = this.#root;
    if (path !== "") {
      for (const name of path.split("/")) {
        node.children ??= new Map();
        let child = node.children.get(name);
        if (child === undefined) {
          child = { file: undefined, layer: this.#layer, children: undefined };
          node.children.set(name, child);
        }
        node = child;
      }
    }
    if (kind !== "directory") node.children = undefined;
    node.file = { kind, mode, uid, gid, mtime };
    node.layer = this.#layer;
  }

  #remove(path: string): void {
    const cut = path.lastIndexOf("/");
    const parent = this.#find(cut < 0 ? "" : path.slice(0, cut));
    const name = path.slice(cut + 1);
    const node = parent?.children?.get(name);
    if (node === undefined) return;
    this.#clear(node);
    // A layer does not take away what it brings itself.
    if (node.layer < this.#layer && (node.children?.size ?? 0) === 0) parent?.children?.delete(name);
  }

  /** Takes away what lower layers put below a directory. */
  #clear(node: Node | undefined): void {
    for (const [name, child] of node?.children ?? []) {
      this.#clear(child);
      if (child.layer < this.#layer && (child.children?.size ?? 0) === 0) node?.children?.delete(name);
    }
  }
}
