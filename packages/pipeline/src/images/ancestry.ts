import type { Digest } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";
import { type PredicateName, type PredicateOf, predicateType, readPredicate } from "@touchmark/formats/predicates";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { Factory } from "../factory.ts";
import type { ImageJudge } from "./admit-image.ts";

/** One image that another stands on. */
export interface Ancestor {
  readonly digest?: Digest;
  readonly origin: "factory" | "signed" | "scratch" | "unknown";
  readonly run?: string;
  /** It was built with the files of the host, in no image: the first of its line. */
  readonly bootstrap?: boolean;
}

/** More generations than anybody has; a longer line is no line. */
const maxGenerations = 50;

/**
 * The line of an image that this factory built, nearest first, to a signed root or to scratch: by the verified evidence of
 * each run, never by what an image says of itself.
 */
export async function ancestryOf(
  { factory, verify }: Pick<ImageJudge, "factory" | "verify">,
  image: Digest,
  verified: VerifiedChain,
): Promise<readonly Ancestor[]> {
  const line: Ancestor[] = [];
  let current: { readonly image: Digest; readonly chain: VerifiedChain } | undefined = { image, chain: verified };
  while (current !== undefined) {
    if (line.length >= maxGenerations) return [...line, { origin: "unknown" }];
    const { chain } = current;
    const bootstrap = chain.steps.every((step) => step.image === undefined);
    line.push({ digest: current.image, origin: "factory", run: chain.run, bootstrap });
    const assembly: PredicateOf<"image"> | undefined = (await statementsOf(factory, chain, "image")).find(
      (each) => each.digest === current?.image || each.images.some((one) => one.manifest === current?.image),
    );
    const base: PredicateOf<"image">["images"][number]["base"] = assembly?.images[0]?.base;
    if (assembly === undefined) return [...line, { origin: "unknown" }];
    if (base === undefined) return [...line, { origin: "scratch" }];
    const [admitted] = await statementsOf(factory, chain, "worker-images");
    const row = admitted?.images.find((each) => each.use === "base" && each.manifest === base.manifest);
    if (row === undefined || row.insecure) return [...line, { digest: base.manifest, origin: "unknown" }];
    if (!row.vouchers.some((voucher) => voucher.by === "factory")) {
      return [...line, { digest: base.manifest, origin: "signed" }];
    }
    const next: VerifiedChain | undefined = await chainOf(verify, [row.digest, base.manifest]);
    if (next === undefined) return [...line, { digest: base.manifest, origin: "unknown" }];
    current = { image: next.artifact.digest, chain: next };
  }
  return line;
}

async function chainOf(verify: ImageJudge["verify"], digests: readonly Digest[]): Promise<VerifiedChain | undefined> {
  for (const digest of digests) {
    const verdict = await verify(digest).catch(() => undefined);
    if (verdict !== undefined) return verdict.chain;
  }
  return undefined;
}

/** Predicates of one kind among the bundles of a verified chain: the same bytes that were verified, by their digest. */
export async function statementsOf<Name extends PredicateName>(
  factory: Factory,
  chain: VerifiedChain,
  kind: Name,
): Promise<readonly PredicateOf<Name>[]> {
  const found: PredicateOf<Name>[] = [];
  for (const row of chain.statements) {
    if (row.predicateType !== predicateType(kind)) continue;
    const { content } = parseBundle(await factory.content.get(row.digest));
    if (content.kind !== "envelope") continue;
    found.push(readPredicate(kind, parseStatement(content.payload).predicate));
  }
  return found;
}
