import type { Advisory } from "../advisory.ts";
import type { Hit, Judgement } from "./evaluate.ts";

/** One vulnerability of a component, with every advisory that says so. */
export interface Vulnerability {
  readonly id: string;
  /** Sorted, without the id. */
  readonly aliases: readonly string[];
  readonly hits: readonly Hit[];
}

const cve = /^CVE-\d{4}-\d{4,19}$/;

/**
 * Puts the advisories of one component together that are about the same vulnerability: those that share an id or an
 * alias. An advisory of a distribution that is about several (`upstream`) stands for each of them. Where a source says
 * of a vulnerability that the package is not affected, its other records do not count.
 */
export function vulnerabilitiesOf({ hits, cleared }: Judgement): readonly Vulnerability[] {
  // A record that says both, of two products of one release, clears nothing.
  const hitting = new Set(hits.map(({ advisory }) => `${advisory.source}\n${advisory.id}`));
  const whole = cleared.filter(({ source, id }) => !hitting.has(`${source}\n${id}`));
  const clearances = new Set<string>();
  for (const each of whole) for (const id of identities(each).flat()) clearances.add(`${each.source}\n${id}`);
  const groups = new Groups();
  for (const hit of hits) {
    for (const ids of identities(hit.advisory)) {
      if (ids.some((id) => clearances.has(`${hit.advisory.source}\n${id}`))) continue;
      groups.add(ids, hit);
    }
  }
  return groups.all();
}

/** The vulnerabilities that an advisory is about, each by all its ids. */
function identities(advisory: Advisory): readonly (readonly string[])[] {
  const own = [advisory.id, ...advisory.aliases];
  const upstream = advisory.upstream.filter((id) => cve.test(id));
  if (upstream.length === 0) return [own];
  if (upstream.length === 1) return [[...own, ...upstream]];
  // The id of a bulletin that is about several is an alias of none of them.
  return upstream.map((id) => [id]);
}

/** Sets of ids that grow together. */
class Groups {
  readonly #parents = new Map<string, string>();
  readonly #hits: { id: string; hit: Hit }[] = [];

  add(ids: readonly string[], hit: Hit): void {
    const [first = ""] = ids;
    for (const id of ids) this.#join(first, id);
    this.#hits.push({ id: first, hit });
  }

  all(): readonly Vulnerability[] {
    const members = new Map<string, string[]>();
    for (const id of this.#parents.keys()) {
      const root = this.#find(id);
      const held = members.get(root);
      if (held === undefined) members.set(root, [id]);
      else held.push(id);
    }
    const hits = new Map<string, Map<string, Hit>>();
    for (const { id, hit } of this.#hits) {
      const root = this.#find(id);
      const held = hits.get(root) ?? new Map<string, Hit>();
      hits.set(root, held.set(keyOf(hit), hit));
    }
    const all = [...hits].map(([root, held]) => named(members.get(root) ?? [root], [...held.values()]));
    return all.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #find(id: string): string {
    let root = id;
    for (let up = this.#parents.get(root); up !== undefined && up !== root; up = this.#parents.get(root)) root = up;
    this.#parents.set(id, root);
    return root;
  }

  #join(a: string, b: string): void {
    const [one, other] = [this.#find(a), this.#find(b)];
    if (one !== other) this.#parents.set(other, one);
  }
}

/** One advisory that speaks of one package is one piece of evidence. */
function keyOf({ advisory, target }: Hit): string {
  return [advisory.source, advisory.id, advisory.digest, target.ecosystem, target.name].join("\n");
}

function named(ids: readonly string[], hits: readonly Hit[]): Vulnerability {
  const sorted = [...new Set(ids)].sort();
  const advisories = hits.map(({ advisory }) => advisory.id).sort();
  const id = sorted.find((each) => cve.test(each)) ?? advisories[0] ?? sorted[0] ?? "";
  return { id, aliases: sorted.filter((each) => each !== id), hits };
}
