import { childrenOf, lineOf, literalText, type SourceModule, type SyntaxNode } from "../sources/module.ts";

/** A test as its source declares it. */
export interface DeclaredTest {
  readonly path: string;
  readonly line: number;
  /** Names of the suites around it and its own, joined by ` > `; `…` stands for what is only known when it runs. */
  readonly title: string;
}

/** What declares a test; `attack` is what attacks call theirs when they share a scene. */
const testMakers = new Set(["test", "it", "attack"]);

/** All tests of a module, by reading its source. */
export function declaredTests(module: SourceModule): DeclaredTest[] {
  const tests: DeclaredTest[] = [];
  collect(module, module.program, [], tests);
  return tests;
}

function collect(module: SourceModule, node: SyntaxNode, suites: readonly string[], into: DeclaredTest[]): void {
  let around = suites;
  if (node.type === "CallExpression") {
    const kind = rootName(node["callee"]);
    const own = literalText((node["arguments"] as SyntaxNode[])[0]);
    // The inner call of `test.skipIf(condition)("title", …)` has no title.
    if (own !== undefined && kind === "describe") around = [...suites, own];
    if (own !== undefined && kind !== undefined && testMakers.has(kind)) {
      into.push({ path: module.path, line: lineOf(module.text, node), title: [...suites, own].join(" > ") });
    }
  }
  for (const child of childrenOf(node)) collect(module, child, around, into);
}

/** `test` for `test(…)`, `test.skipIf(x)(…)`, `test.each(rows)(…)`. */
function rootName(callee: unknown): string | undefined {
  const node = callee as SyntaxNode | undefined;
  if (node?.type === "Identifier") return String(node["name"]);
  if (node?.type === "MemberExpression") return rootName(node["object"]);
  if (node?.type === "CallExpression" || node?.type === "TaggedTemplateExpression")
    return rootName(node["callee"] ?? node["tag"]);
  return undefined;
}
