import { type Digest, isFactoryError } from "@touchmark/core";
import { predicateName, readPredicate } from "@touchmark/formats/predicates";
import { isVerified, type VerifiedSigner, type VerifiedStatement } from "@touchmark/verify";
import { type Artifacts, digestText } from "./artifacts.ts";

/** Who signed a link. */
export type LinkSigner =
  | { readonly kind: "certificate"; readonly identity: string; readonly issuer: string }
  | { readonly kind: "key"; readonly key: Digest };

/** What one party says that a step did. */
export interface StepLink {
  /** Digest of the bundle, or of the classic link's bytes. */
  readonly statement: Digest;
  readonly step: string;
  readonly signer: LinkSigner;
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

/** The links among verified statements, with the runs that cache hits let them count for. Others are passed over. */
export function linksOf(statements: readonly VerifiedStatement[]): StepLink[] {
  const counted = statements.filter((each) => isVerified(each) && each.kind === "statement");
  const hits = cacheHitsOf(counted);
  const links: StepLink[] = [];
  for (const verified of counted) {
    if (predicateName(verified.statement.predicateType) !== "link" || links.length >= MAX_LINKS) continue;
    const signer = signerOf(verified.signer);
    const own = hits.filter((hit) => hit.link === verified.bundle && mayVouch(hit.signer, signer));
    links.push(linkOf(verified, signer, [...new Set(own.map((hit) => hit.run))].toSorted()));
  }
  return links;
}

interface CacheHit {
  readonly link: Digest;
  readonly run: string;
  readonly signer: VerifiedSigner;
}

function cacheHitsOf(statements: readonly VerifiedStatement[]): CacheHit[] {
  const hits: CacheHit[] = [];
  for (const { statement, signer } of statements) {
    if (predicateName(statement.predicateType) !== "cache-hit") continue;
    try {
      const { run, original } = readPredicate("cache-hit", statement.predicate);
      hits.push({ link: original.link, run, signer });
    } catch (error) {
      if (!isFactoryError(error)) throw error;
    }
  }
  return hits;
}

/** A cache hit counts from the builder of the trust domain in which the link was signed, by the same issuer's word. */
function mayVouch(hit: VerifiedSigner, link: LinkSigner): boolean {
  if (hit.kind !== "certificate" || link.kind !== "certificate" || hit.issuer !== link.issuer) return false;
  const domain = /^spiffe:\/\/[^/]+\//.exec(link.identity)?.[0];
  return domain !== undefined && hit.identity === `${domain}builder`;
}

/** Who signed a verified statement. */
export function signerOf(signer: VerifiedSigner): LinkSigner {
  return signer.kind === "key"
    ? { kind: "key", key: signer.key }
    : { kind: "certificate", identity: signer.identity, issuer: signer.issuer };
}

function linkOf({ statement, bundle }: VerifiedStatement, signer: LinkSigner, alsoRuns: readonly string[]): StepLink {
  const empty: Artifacts = { digests: new Map(), members: new Map() };
  const common = { statement: bundle, signer, alsoRuns };
  try {
    const predicate = readPredicate("link", statement.predicate);
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
    const products = namedDigests(statement.subject);
    if (typeof materials === "string") return { ...link, materials: empty, products: empty, unusable: materials };
    if (typeof products === "string") return { ...link, materials: empty, products: empty, unusable: products };
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
    return { ...common, ...unknown, materials: empty, products: empty, unusable };
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
