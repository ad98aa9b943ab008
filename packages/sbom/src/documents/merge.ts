import { canonicalJson } from "@touchmark/core";
import type { Component, ComponentHash, DependencyEdges, Sbom, SbomSubject, ScanLoss } from "@touchmark/formats/sbom";
import { checkSbom } from "./assemble.ts";
import { FreeRefs } from "./free-refs.ts";
import { inOrder, orderedComponents, orderedEdges } from "./order.ts";
import { madeUpRoot } from "./root.ts";

/** How many that contradict each other a further one is compared with. */
const mostContradictions = 32;

/** What a merged SBOM is about, and when it was made. */
export interface MergeOptions {
  readonly subject: SbomSubject;
  readonly created?: string;
}

/**
 * One SBOM of several: a new root that depends on the root of each. A component that stands in several, by the same
 * package URL (or the same ref, where it has none), is one, with all occurrences, hashes and licences. Where two say
 * different digests of it they are two, and the contradiction stands among the losses: what is not the same is not
 * made the same. The order of the SBOMs does not matter for what is in the answer.
 * @throws SBOM_DOCUMENT_MALFORMED
 */
export function mergeSboms(sboms: readonly Sbom[], options: MergeOptions): Sbom {
  for (const sbom of sboms) checkSbom(sbom);
  const pool = new ComponentPool();
  const edges: DependencyEdges[] = [];
  const roots: string[] = [];
  for (const [index, sbom] of sboms.entries()) {
    const refs = new Map(sbom.components.map((component) => [component.ref, pool.add(component, index)]));
    const refOf = (ref: string): string => refs.get(ref) ?? ref;
    roots.push(refOf(sbom.root));
    for (const { from, to } of sbom.dependencies) edges.push({ from: refOf(from), to: to.map(refOf) });
  }
  const root = pool.root(options.subject);
  const { subject, created } = options;
  return {
    subject,
    root,
    components: pool.components(),
    dependencies: orderedEdges([...edges, { from: root, to: roots }]),
    ...sharedDistribution(sboms),
    layers: unique(sboms.flatMap(({ layers }) => layers)),
    losses: uniqueRecords([...sboms.flatMap(({ losses }) => losses), ...pool.losses()]),
    ...(sboms.some(({ unowned }) => unowned !== undefined)
      ? { unowned: uniqueRecords(sboms.flatMap(({ unowned }) => unowned ?? [])) }
      : {}),
    ...(created === undefined ? {} : { created }),
    tools: uniqueRecords(sboms.flatMap(({ tools }) => tools)),
  };
}

/** Components by what they are; each with a ref that no other has. */
class ComponentPool {
  /** By identity: one or several that contradict each other. */
  readonly #known = new Map<string, Component[]>();
  readonly #free = new FreeRefs();
  /** Which SBOM brought a ref first. */
  readonly #from = new Map<string, number>();
  readonly #losses: ScanLoss[] = [];

  /** Takes a component in, and answers the ref that it has from now on. */
  add(component: Component, sbom: number): string {
    const identity = component.purl ?? `${component.kind} ${component.name} ${component.version} ${component.ref}`;
    const same = this.#known.get(identity) ?? [];
    // Only the latest are looked at: somebody may list one package with a thousand digests.
    const first = Math.max(0, same.length - mostContradictions);
    const index = same.findIndex((each, at) => at >= first && agree(each.hashes, component.hashes));
    const found = same[index];
    if (found !== undefined) {
      same[index] = joined(found, component);
      return found.ref;
    }
    if (same.slice(first).some((each) => this.#from.get(each.ref) !== sbom)) {
      this.#losses.push({
        path: component.ref,
        code: "SBOM_DOCUMENT_CONTRADICTION",
        message: `${component.ref} has other digests in another SBOM; both are kept`,
      });
    }
    const ref = this.#free.take(component.ref);
    same.push({ ...component, ref });
    this.#known.set(identity, same);
    this.#from.set(ref, sbom);
    return ref;
  }

  root(subject: SbomSubject): string {
    const { name, version, digest, kind } = subject;
    const ref = this.#free.take(`touchmark:subject:${name}${version === undefined ? "" : `@${version}`}`);
    const root: Component = {
      ...madeUpRoot(name),
      ref,
      kind: kind === "image" ? "container" : kind === "file" ? "file" : "application",
      version: version ?? "",
      hashes: digest === undefined ? [] : [{ algorithm: "sha256", value: digest.slice("sha256:".length) }],
    };
    this.#known.set(`\u0000${ref}`, [root]);
    return ref;
  }

  components(): Component[] {
    return orderedComponents([...this.#known.values()].flat());
  }

  losses(): readonly ScanLoss[] {
    return this.#losses;
  }
}

/** True when for each algorithm that both know there is a value that both know. */
function agree(a: readonly ComponentHash[], b: readonly ComponentHash[]): boolean {
  return a.every(({ algorithm }) => {
    const theirs = b.filter((other) => other.algorithm === algorithm);
    return theirs.length === 0 || theirs.some((other) => a.some((hash) => isSame(hash, other)));
  });
}

function isSame(a: ComponentHash, b: ComponentHash): boolean {
  return a.algorithm === b.algorithm && a.value === b.value;
}

function joined(a: Component, b: Component): Component {
  const scopes: readonly Component["scope"][] = ["runtime", "unknown", "optional", "build", "development"];
  const scope = scopes.find((each) => each === a.scope || each === b.scope) ?? "unknown";
  return {
    ...b,
    ...a,
    scope,
    hashes: inOrder(uniqueRecords([...a.hashes, ...b.hashes]), ({ algorithm, value }) => `${algorithm} ${value}`),
    declaredLicences: uniqueRecords([...a.declaredLicences, ...b.declaredLicences]),
    detectedLicences: uniqueRecords([...a.detectedLicences, ...b.detectedLicences]),
    cpes: inOrder(unique([...a.cpes, ...b.cpes]), (cpe) => cpe),
    occurrences: inOrder(uniqueRecords([...a.occurrences, ...b.occurrences]), ({ path }) => path),
    properties: uniqueRecords([...a.properties, ...b.properties]),
  };
}

/** The distribution, where all that have one have the same. */
function sharedDistribution(sboms: readonly Sbom[]): Pick<Sbom, "distribution"> {
  const found = uniqueRecords(sboms.flatMap(({ distribution }) => distribution ?? []));
  const [distribution] = found;
  return distribution === undefined || found.length > 1 ? {} : { distribution };
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

function uniqueRecords<Item>(items: readonly Item[]): Item[] {
  if (items.length < 2) return [...items];
  return [...new Map(items.map((item) => [canonicalJson(item), item])).values()];
}
