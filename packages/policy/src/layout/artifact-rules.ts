import type { ArtifactRule } from "@touchmark/formats/policy";
import type { Artifacts } from "./artifacts.ts";
import { type Glob, globOf } from "./glob.ts";

/** Materials and products of one step or inspection. */
export interface ItemArtifacts {
  readonly materials: Artifacts;
  readonly products: Artifacts;
}

/** What came of the rules over one queue. */
export interface RulesResult {
  /** The rule that failed, with the artifacts concerned; undefined when all held. */
  readonly failure?: { readonly kind: "rule" | "cost"; readonly message: string };
  /** How many artifacts the MATCH rules consumed, by the step that they name. */
  readonly matched: ReadonlyMap<string, number>;
}

/** Work that patterns may still cause; one unit is about one character that was looked at. */
export interface PatternBudget {
  left: number;
}

/** Steps of which materials and products are known, by name. */
export type KnownItems = ReadonlyMap<string, ItemArtifacts>;

/** Rules that only filter by their pattern; each name is that of an artifact in the queue. */
const consumers = {
  ALLOW: () => true,
  CREATE: (name, { materials, products }) => products.digests.has(name) && !materials.digests.has(name),
  DELETE: (name, { materials, products }) => materials.digests.has(name) && !products.digests.has(name),
  MODIFY: (name, { materials, products }) =>
    materials.digests.has(name) &&
    products.digests.has(name) &&
    materials.digests.get(name) !== products.digests.get(name),
} as const satisfies Record<string, (name: string, item: ItemArtifacts) => boolean>;

/**
 * Applies artifact rules in order (in-toto specification 1.0, section 4.3.3): every rule takes what it speaks of out of
 * the queue; DISALLOW fails when it finds something in it, REQUIRE when it does not. What is left at the end is
 * allowed, as there. A tree stands for its files: one that was consumed takes them along, and is consumed when all of
 * them were.
 */
export function applyArtifactRules(
  rules: readonly ArtifactRule[],
  item: ItemArtifacts,
  queueOf: "materials" | "products",
  known: KnownItems,
  budget: PatternBudget = { left: Number.POSITIVE_INFINITY },
): RulesResult {
  const artifacts = item[queueOf];
  const queue = new Set(artifacts.digests.keys());
  const matched = new Map<string, number>();
  for (const rule of rules) {
    if (rule.rule === "REQUIRE") {
      if (queue.has(rule.pattern)) continue;
      return { matched, failure: { kind: "rule", message: `${shown(rule)} found no such artifact in the queue` } };
    }
    const glob = globOf(rule.pattern);
    budget.left -= effortOf(glob, queue);
    if (budget.left < 0) {
      return {
        matched,
        failure: { kind: "cost", message: `${shown(rule)} is beyond the work that patterns may cause` },
      };
    }
    if (rule.rule === "DISALLOW") {
      const found = filter(queue, glob);
      if (found.length === 0) continue;
      return { matched, failure: { kind: "rule", message: `${shown(rule)} found ${listed(found)}` } };
    }
    const consumed =
      rule.rule === "MATCH"
        ? matchRule(rule, glob, queue, artifacts, known)
        : filter(queue, glob).filter((name) => consumers[rule.rule as keyof typeof consumers](name, item));
    if (rule.rule === "MATCH") {
      const from = rule.from ?? "";
      matched.set(from, (matched.get(from) ?? 0) + consumed.length);
    }
    for (const name of consumed) queue.delete(name);
    settleTrees(queue, artifacts);
  }
  return { matched };
}

function filter(queue: ReadonlySet<string>, glob: Glob): string[] {
  if (glob.exact !== undefined) return queue.has(glob.exact) ? [glob.exact] : [];
  return [...queue].filter((name) => glob.matches(name));
}

function effortOf(glob: Glob, queue: ReadonlySet<string>): number {
  if (glob.exact !== undefined) return 1;
  if (glob.effort === 0) return queue.size;
  let characters = 0;
  for (const name of queue) characters += name.length + 1;
  return characters * glob.effort;
}

/** What has the same digest under the corresponding name of the other step. Prefixes are not patterns. */
function matchRule(
  rule: ArtifactRule,
  glob: Glob,
  queue: ReadonlySet<string>,
  artifacts: Artifacts,
  known: KnownItems,
): string[] {
  const other = known.get(rule.from ?? "")?.[rule.with ?? "products"];
  if (other === undefined) return [];
  const prefix = directoryPrefix(rule.in);
  const otherPrefix = directoryPrefix(rule.to);
  return [...queue].filter((name) => {
    if (!name.startsWith(prefix)) return false;
    const rest = name.slice(prefix.length);
    return glob.matches(rest) && artifacts.digests.get(name) === other.digests.get(otherPrefix + rest);
  });
}

function directoryPrefix(prefix: string | undefined): string {
  if (prefix === undefined || prefix === "") return "";
  return prefix.endsWith("/") ? prefix : `${prefix}/`;
}

function settleTrees(queue: Set<string>, { members }: Artifacts): void {
  for (const [tree, files] of members) {
    if (!queue.has(tree)) for (const file of files) queue.delete(file);
    else if (files.length > 0 && files.every((file) => !queue.has(file))) queue.delete(tree);
  }
}

/** A rule as in-toto writes it. */
export function shown(rule: ArtifactRule): string {
  if (rule.rule !== "MATCH") return `${rule.rule} ${rule.pattern}`;
  const from = rule.in === undefined ? "" : ` IN ${rule.in}`;
  const to = rule.to === undefined ? "" : ` IN ${rule.to}`;
  return `MATCH ${rule.pattern}${from} WITH ${(rule.with ?? "products").toUpperCase()}${to} FROM ${rule.from ?? ""}`;
}

function listed(names: readonly string[]): string {
  const sorted = names.toSorted();
  const more = sorted.length > 5 ? ` and ${sorted.length - 5} more` : "";
  return (
    sorted
      .slice(0, 5)
      .map((name) => JSON.stringify(name.slice(0, 200)))
      .join(", ") + more
  );
}
