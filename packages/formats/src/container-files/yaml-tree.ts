import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import type { Position } from "../pipeline/definition.ts";
import { ContainerFileError } from "./finding.ts";

/** A value of a YAML document, and where it stands. Tags are not looked at; merge keys are followed. */
export type YamlTree = YamlMap | YamlList | YamlText;

export interface YamlMap {
  readonly kind: "map";
  readonly at: Position;
  readonly members: ReadonlyMap<string, YamlTree>;
}

export interface YamlList {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly YamlTree[];
}

export interface YamlText {
  readonly kind: "text";
  readonly at: Position;
  /** As text, whatever its type; empty for null. */
  readonly text: string;
  /** Written as a block (`|`), so that its lines are lines of the file. */
  readonly isBlock: boolean;
}

const limits = { values: 400_000, depth: 64, documents: 1000 } as const;

/** Every document of a file. @throws CONTAINER_FILE_MALFORMED | CONTAINER_FILE_TOO_COMPLEX */
export function readYamlTrees(text: string): YamlTree[] {
  const counter = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const start: Position = { line: 1, column: 1 };
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, {
      lineCounter: counter,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: "silent",
      merge: false,
    });
  } catch (cause) {
    throw new ContainerFileError("CONTAINER_FILE_TOO_COMPLEX", start, "cannot be read within the limits", cause);
  }
  const list = Array.isArray(documents) ? documents : [];
  if (list.length > limits.documents) {
    throw new ContainerFileError("CONTAINER_FILE_TOO_COMPLEX", start, `expected at most ${limits.documents} documents`);
  }
  const reader = new Reader(place);
  return list.flatMap((document) => {
    const [trouble] = document.errors;
    if (trouble !== undefined) {
      const code = (trouble.code as string) === "RESOURCE_EXHAUSTION" ? "TOO_COMPLEX" : "MALFORMED";
      const message = trouble.message.split("\n", 1)[0]?.slice(0, 200) ?? "";
      throw new ContainerFileError(`CONTAINER_FILE_${code}`, place(trouble.pos[0]), message);
    }
    return document.contents === null ? [] : [reader.document(document.contents)];
  });
}

class Reader {
  readonly #place: (offset: number) => Position;
  #anchors = new Map<string, Node>();
  #open = new Set<Node>();
  #count = 0;

  constructor(place: (offset: number) => Position) {
    this.#place = place;
  }

  document(node: Node): YamlTree {
    this.#anchors = new Map();
    this.#open = new Set();
    return this.#read(node, 0);
  }

  #read(node: Node | null, depth: number): YamlTree {
    const at = this.#place(node?.range?.[0] ?? 0);
    if (++this.#count > limits.values || depth > limits.depth) {
      const expected = `expected at most ${limits.values} values and ${limits.depth} levels`;
      throw new ContainerFileError("CONTAINER_FILE_TOO_COMPLEX", at, expected);
    }
    if (node === null) return { kind: "text", at, text: "", isBlock: false };
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined || this.#open.has(target)) {
        throw new ContainerFileError(
          "CONTAINER_FILE_MALFORMED",
          at,
          `the anchor ${node.source.slice(0, 80)} is not there`,
        );
      }
      return this.#read(target, depth + 1);
    }
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (isScalar(node)) {
      const { value, source } = node;
      const text = typeof value === "string" ? value : value === null ? "" : (source ?? "");
      return { kind: "text", at, text, isBlock: node.type === "BLOCK_LITERAL" };
    }
    this.#open.add(node);
    const tree = isSeq(node)
      ? this.#list(node.items as (Node | null)[], at, depth)
      : isMap(node)
        ? this.#map(node.items as unknown as Pair[], at, depth)
        : ({ kind: "text", at, text: "", isBlock: false } as const);
    this.#open.delete(node);
    return tree;
  }

  #list(items: readonly (Node | null)[], at: Position, depth: number): YamlTree {
    return { kind: "list", at, items: items.map((item) => this.#read(item, depth + 1)) };
  }

  #map(pairs: readonly Pair[], at: Position, depth: number): YamlTree {
    const members = new Map<string, YamlTree>();
    const merged: YamlTree[] = [];
    for (const { key, value } of pairs) {
      const name = this.#read(key, depth + 1);
      const tree = this.#read(value, depth + 1);
      if (name.kind !== "text") continue;
      if (name.text === "<<") merged.push(...(tree.kind === "list" ? tree.items : [tree]));
      else members.set(name.text, tree);
    }
    for (const tree of merged) {
      if (tree.kind !== "map") continue;
      for (const [name, each] of tree.members) if (!members.has(name)) members.set(name, each);
    }
    return { kind: "map", at, members };
  }
}

interface Pair {
  readonly key: Node | null;
  readonly value: Node | null;
}

/** The value at a path, undefined where there is none. */
export function member(tree: YamlTree | undefined, ...path: readonly string[]): YamlTree | undefined {
  return path.reduce<YamlTree | undefined>(
    (each, name) => (each?.kind === "map" ? each.members.get(name) : undefined),
    tree,
  );
}

/** The text at a path, undefined where there is none, or nothing. */
export function textOf(tree: YamlTree | undefined, ...path: readonly string[]): YamlText | undefined {
  const found = member(tree, ...path);
  return found?.kind === "text" && found.text !== "" ? found : undefined;
}

/** Items of a list at a path; nothing where there is none. */
export function itemsOf(tree: YamlTree | undefined, ...path: readonly string[]): readonly YamlTree[] {
  const found = member(tree, ...path);
  return found?.kind === "list" ? found.items : [];
}

/** Members of a mapping at a path. */
export function membersOf(
  tree: YamlTree | undefined,
  ...path: readonly string[]
): Iterable<readonly [string, YamlTree]> {
  const found = member(tree, ...path);
  return found?.kind === "map" ? found.members : [];
}
