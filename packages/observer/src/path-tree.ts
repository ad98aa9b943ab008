/** What is known of one name. Names are absolute, inside the sandbox, one character per byte. */
export interface PathNode {
  readonly children: Map<string, PathNode>;
  parent: PathNode | undefined;
  name: string;
  /** Where the object that was here before the step lies on that earlier tree; undefined when there can be none. */
  base: string | undefined;
  /** `before`: the untouched object of `base`, if there is one; `made`: by the step; `gone`: removed or moved away. */
  state: "before" | "made" | "gone";
  /** Target of a symbolic link that the step made. */
  link: string | undefined;
  /** Made by the step as a directory. */
  directory: boolean;
}

/** Answers for objects that existed before the step: the target of the symbolic link at `base`, if it is one. */
export type LinkBefore = (base: string) => string | undefined;

const MAX_LINKS = 40;

/**
 * The names of a step's file system as a tree, so that renaming a directory moves everything below it at once. A node is
 * made when a name is first used; until then nothing is known of it but what lay there before (`base`).
 */
export class PathTree {
  readonly root: PathNode = node("", undefined, "");
  readonly #linkBefore: LinkBefore;
  readonly #limit: number;
  #size = 1;
  /** Lookups by whole path; emptied when a directory moves. */
  #known = new Map<string, PathNode>();
  overflowed = false;

  constructor(linkBefore: LinkBefore, limit: number) {
    this.#linkBefore = linkBefore;
    this.#limit = limit;
  }

  /** The node of a canonical path (as the kernel prints it for a descriptor): no link is followed. */
  at(path: string): PathNode {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    let current = this.root;
    for (const part of path.split("/")) if (part !== "" && part !== ".") current = this.#child(current, part);
    this.#known.set(path, current);
    return current;
  }

  /** The node that a name given to a call means: links on the way are followed, at the end only with `follow`. */
  resolve(path: string, follow: boolean): PathNode | undefined {
    const pending = path.split("/").reverse();
    let current = this.root;
    let links = 0;
    while (pending.length > 0) {
      const part = pending.pop() as string;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        current = current.parent ?? this.root;
        continue;
      }
      const next = this.#child(current, part);
      const last = pending.every((rest) => rest === "" || rest === ".");
      const target = last && !follow && !path.endsWith("/") ? undefined : this.#target(next);
      if (target === undefined) {
        current = next;
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      if (target.startsWith("/")) current = this.root;
      pending.push(...target.split("/").reverse());
    }
    return current;
  }

  #target(found: PathNode): string | undefined {
    if (found.state === "made") return found.link;
    if (found.state === "gone" || found.base === undefined) return undefined;
    return this.#linkBefore(found.base);
  }

  #child(parent: PathNode, name: string): PathNode {
    let child = parent.children.get(name);
    if (child === undefined) {
      child = node(name, parent, parent.base === undefined ? undefined : `${parent.base}/${name}`);
      if (this.#size >= this.#limit) this.overflowed = true;
      else {
        parent.children.set(name, child);
        this.#size++;
      }
    }
    return child;
  }

  /** Puts what is at `from` in the place of `to`; what was at `to` is forgotten, `from` is left empty. */
  move(from: PathNode, to: PathNode): void {
    this.#forget(from, to);
    const left = node(from.name, from.parent, undefined);
    left.state = "gone";
    from.parent?.children.set(from.name, left);
    from.parent = to.parent;
    from.name = to.name;
    to.parent?.children.set(to.name, from);
  }

  /** Exchanges two names. */
  exchange(a: PathNode, b: PathNode): void {
    this.#forget(a, b);
    const { parent, name } = a;
    b.parent?.children.set(b.name, a);
    parent?.children.set(name, b);
    a.parent = b.parent;
    a.name = b.name;
    b.parent = parent;
    b.name = name;
  }

  #forget(a: PathNode, b: PathNode): void {
    if (a.children.size > 0 || b.children.size > 0) this.#known.clear();
    else {
      this.#known.delete(pathOf(a));
      this.#known.delete(pathOf(b));
    }
  }

  /** All nodes with their paths. */
  *walk(): Generator<[string, PathNode]> {
    const stack: [string, PathNode][] = [["", this.root]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      yield top;
      for (const [name, child] of top[1].children) stack.push([`${top[0]}/${name}`, child]);
    }
  }
}

/** Path of a node now. */
export function pathOf(start: PathNode): string {
  const parts: string[] = [];
  for (let current: PathNode | undefined = start; current?.parent !== undefined; current = current.parent)
    parts.push(current.name);
  return `/${parts.reverse().join("/")}`;
}

function node(name: string, parent: PathNode | undefined, base: string | undefined): PathNode {
  return {
    children: new Map(),
    parent,
    name,
    base,
    state: base === undefined ? "gone" : "before",
    link: undefined,
    directory: false,
  };
}
