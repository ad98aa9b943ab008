import { type Digest, isFactoryError } from "@touchmark/core";
import { predicateName, readPredicate } from "@touchmark/formats/predicates";
import { isVerified, type VerifiedStatement } from "@touchmark/verify";
import { type Evidence, type EvidenceSigner, evidenceOf } from "../engine/evidence.ts";
import { type Artifacts, digestText, noArtifacts } from "./artifacts.ts";

/** What one party says that a step did. */
export interface StepLink {
  /** Digest of the bundle, or of the classic link's bytes. */
  readonly statement: Digest;
  readonly step: string;
  readonly signer: EvidenceSigner;
  /** Run that it belongs to; undefined: a tool that knows no runs. */
  readonly run: string | undefined;
  /** Other runs that verified cache hits let it count for. */
  readonly alsoRuns: readonly string[];
  readonly command: readonly string[];
  readonly exitCode: number | undefined;
  readonly materials: Artifacts;
  readonly products: Artifacts;
  /** Why it cannot count, whoever signed it. */
  readonly unusable?: string;
}

/** Most links that are looked at. */
const MAX_LINKS = 10_000;

/** The links among statements that were verified here; others are passed over. */
export function linksOf(statements: readonly VerifiedStatement[]): StepLink[] {
  return linksOfEvidence(statements.filter((each) => isVerified(each) && each.kind === "statement").map(evidenceOf));
}

/** The links among evidence, with the runs that cache hits let them count for. */
export function linksOfEvidence(evidence: readonly Evidence[]): StepLink[] {
  const hits = cacheHitsOf(evidence);
  const links: StepLink[] = [];
  for (const each of evidence) {
    if (predicateName(each.predicateType) !== "link" || links.length >= MAX_LINKS) continue;
    const own = (hits.get(each.bundle) ?? []).filter((hit) => mayVouch(hit.signer, each.signer));
    links.push(linkOf(each, [...new Set(own.map((hit) => hit.run))].toSorted()));
  }
  return links;
}

interface CacheHit {
  readonly run: string;
  readonly signer: EvidenceSigner;
}

/** Cache hits by the link that they rest on. */
function cacheHitsOf(evidence: readonly Evidence[]): ReadonlyMap<Digest, readonly CacheHit[]> {
  const hits = new Map<Digest, CacheHit[]>();
  for (const { predicateType, predicate, signer } of evidence) {
    if (predicateName(predicateType) !== "cache-hit") continue;
    try {
      const { run, original } = readPredicate("cache-hit", predicate);
      hits.set(original.link, [...(hits.get(original.link) ?? []), { run, signer }]);
    } catch (error) {
      if (!isFactoryError(error)) throw error;
    }
  }
  return hits;
}

/** A cache hit counts from the builder of the trust domain in which the link was signed, by the same issuer's word. */
function mayVouch(hit: EvidenceSigner, link: EvidenceSigner): boolean {
  if (hit.kind !== "certificate" || link.kind !== "certificate" || hit.issuer !== link.issuer) return false;
  const domain = /^spiffe:\/\/[^/]+\//.exec(link.identity)?.[0];
  return domain !== undefined && hit.identity === `${domain}builder`;
}

function linkOf({ bundle, predicate: content, subject, signer }: Evidence, alsoRuns: readonly string[]): StepLink {
  const common = { statement: bundle, signer, alsoRuns };
  try {
    const predicate = readPredicate("link", content);
    const step = predicate.name;
    const run = predicate.touchmark_chain?.run;
    const isOurs = run !== undefined;
    const exitCode = predicate.byproducts?.["return-value"];
    const link = {
      ...common,
      step,
      run,
      command: predicate.command ?? [],
      exitCode: typeof exitCode === "number" ? exitCode : undefined,
    };
    const materials = namedDigests((predicate.materials ?? []).map((each) => (isOurs ? treeNamed(each) : each)));
    const products = namedDigests(subject);
    if (typeof materials === "string")
      return { ...link, materials: noArtifacts, products: noArtifacts, unusable: materials };
    if (typeof products === "string")
      return { ...link, materials: noArtifacts, products: noArtifacts, unusable: products };
    const tree = `output/${step}`;
    const files = [...products.keys()].filter((name) => name !== tree);
    const isTree = isOurs && products.has(tree) && files.length > 0;
    return {
      ...link,
      materials: { digests: materials, members: new Map() },
      products: { digests: products, members: new Map(isTree ? [[tree, files]] : []) },
    };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    const unusable = `it is malformed: ${error.message}`;
    const unknown = { step: "", run: undefined, command: [], exitCode: undefined };
    return { ...common, ...unknown, materials: noArtifacts, products: noArtifacts, unusable };
  }
}

interface Resource {
  readonly name?: string;
  readonly uri?: string;
  readonly digest?: { readonly [algorithm: string]: string };
}

/** Our links name an input by its step; as an artifact it has the name that the products of that step give it. */
function treeNamed(material: Resource): Resource {
  return material.name === undefined || material.name === "source"
    ? material
    : { ...material, name: `output/${material.name}` };
}

/** Names to digests, or why that cannot be said. */
function namedDigests(resources: readonly Resource[]): ReadonlyMap<string, string> | string {
  const digests = new Map<string, string>();
  for (const { name, uri, digest } of resources) {
    const called = name ?? uri;
    if (called === undefined || called === "") return "it lists an artifact without a name";
    if (digest === undefined || Object.keys(digest).length === 0) return `${JSON.stringify(called)} has no digest`;
    if (digests.has(called)) return `it lists ${JSON.stringify(called.slice(0, 200))} twice`;
    digests.set(called, digestText(digest));
  }
  return digests;
}
