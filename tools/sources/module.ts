import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { repositoryRoot } from "../repository.ts";

/** A node of the syntax tree, as the checks walk it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

/** One import, export-from, `import()` or `import("…")` type. */
export interface ImportEdge {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
}

/** One parsed source file. */
export interface SourceModule {
  /** Path relative to the repository, with `/`. */
  readonly path: string;
  /** Directory name below `packages/`, when it belongs to one. */
  readonly package: string | undefined;
  readonly isTest: boolean;
  readonly text: string;
  readonly program: SyntaxNode;
  readonly imports: readonly ImportEdge[];
}

/** Reads and parses a source file of the repository. */
export function parseModule(path: string, text = readFileSync(join(repositoryRoot, path), "utf8")): SourceModule {
  const program = parseAst(text, { lang: "ts", astType: "ts" }, path) as unknown as SyntaxNode;
  return {
    path,
    package: /^packages\/([^/]+)\//.exec(path)?.[1],
    isTest: path.endsWith(".test.ts"),
    text,
    program,
    imports: importsOf(program, text),
  };
}

/** All nodes, outer ones first. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}

/** Direct children of a node, in the order of its fields. */
export function* childrenOf(node: SyntaxNode): Generator<SyntaxNode> {
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === "object" && item !== null && typeof (item as SyntaxNode).type === "string") {
        yield item as SyntaxNode;
      }
    }
  }
}

/** Line of a node, from 1. */
export function lineOf(text: string, node: SyntaxNode): number {
  return text.slice(0, node.start).split("\n").length;
}

/** The text of a string literal or of a template without parts. */
export function literalText(node: unknown): string | undefined {
  const value = node as SyntaxNode | undefined;
  if (value?.type === "Literal" && typeof value["value"] === "string") return value["value"];
  if (value?.type !== "TemplateLiteral") return undefined;
  const quasis = value["quasis"] as { value: { cooked: string } }[];
  return quasis.map((part) => part.value.cooked).join("…");
}

function importsOf(program: SyntaxNode, text: string): ImportEdge[] {
  const edges: ImportEdge[] = [];
  for (const node of walk(program)) {
    if (!/^(Import|Export)(Declaration|AllDeclaration|NamedDeclaration|Expression)$|^TSImportType$/.test(node.type))
      continue;
    const source = node["source"] ?? node["argument"];
    const specifier = literalText(source);
    if (specifier === undefined) continue;
    const isTypeOnly = node["importKind"] === "type" || node["exportKind"] === "type" || node.type === "TSImportType";
    edges.push({ specifier, line: lineOf(text, node), isTypeOnly });
  }
  return edges;
}
