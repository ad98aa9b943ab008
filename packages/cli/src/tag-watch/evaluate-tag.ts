import { canonicalJson, type Digest, isFactoryError, rfc3339 } from "@touchmark/core";
import type { OciReader } from "@touchmark/formats/oci";
import { predicateType, type TagEvaluation } from "@touchmark/formats/predicates";
import {
  attestArtifact,
  type Factory,
  readImagesConfiguration,
  rulesFor,
  verifyArtifact,
  vouchersByRules,
} from "@touchmark/pipeline";
import { findEvidence } from "@touchmark/registry";
import { changesOf, configurationChecks, type TagCheck, type TagDemands } from "./checks.ts";
import { filesCheck } from "./files-check.ts";
import { imageFacts } from "./image-facts.ts";
import { type FollowedTag, rememberEvaluation, rememberedTag } from "./remembered.ts";

/** What to evaluate, and by what. */
export interface TagRequest {
  readonly factory: Factory;
  readonly reader: OciReader;
  /** What the tag names now. */
  readonly digest: Digest;
  readonly followed: FollowedTag;
  /** Where trust rules look for the repository. */
  readonly place: { readonly registry: string; readonly repository: string };
  readonly demands: TagDemands;
  /** Compare every file with the image accepted before. */
  readonly files: boolean;
  /** Accept although nobody vouches for it; recorded. */
  readonly insecureUnvouched: boolean;
  /** Person who accepts against failed checks. */
  readonly approver: { readonly name: string; readonly reason: string } | undefined;
}

/** What came of it. */
export interface TagReport {
  /** `unchanged`: the digest that was accepted; `still-refused`: evaluated before, with the same answers. */
  readonly outcome: "unchanged" | "accepted" | "refused" | "still-refused";
  readonly digest: Digest;
  readonly evaluation: TagEvaluation;
  /** The signed evaluation; absent when nothing new was signed. */
  readonly bundle?: Digest;
  readonly bytes?: Uint8Array;
}

/**
 * Evaluates what a followed tag names now, signs what was found, and remembers it. What was accepted before is not
 * evaluated again. @throws WATCH_* | what reader, documents and log throw
 */
export async function evaluateTag(request: TagRequest): Promise<TagReport> {
  const { factory, reader, digest, followed, approver } = request;
  const { accepted, last } = await rememberedTag(factory, followed);
  if (accepted?.digest === digest) return { outcome: "unchanged", digest, evaluation: accepted };
  const images = await imageFacts(reader, digest);
  const vouched = await vouchersOf(request);
  const checks: TagCheck[] = [
    vouched.check,
    ...configurationChecks(images, accepted?.images, request.demands),
    await filesCheck(request, accepted?.digest),
  ];
  const passes = checks.every(({ outcome }) => outcome !== "failed");
  const decision = passes || approver !== undefined ? "accept" : "refuse";
  const evaluation: TagEvaluation = {
    run: "tag-watch",
    createdAt: rfc3339(factory.clock.now()),
    predecessors: [],
    repository: followed.repository,
    tag: followed.tag,
    digest,
    ...(accepted === undefined ? {} : { previous: accepted.digest }),
    decision,
    ...(passes || approver === undefined ? {} : { approver }),
    checks,
    images,
    changes: accepted === undefined ? [] : changesOf(images, accepted.images),
    vouchers: vouched.vouchers,
    scan: "none",
  };
  // A job that asks every hour does not fill the log with one refusal.
  if (decision === "refuse" && last !== undefined && saysTheSame(last, evaluation)) {
    return { outcome: "still-refused", digest, evaluation: last };
  }
  const type = predicateType("tag-evaluation");
  const predicate = Buffer.from(JSON.stringify(evaluation));
  const { bundle, bytes } = await attestArtifact(factory, { artifact: { digest }, type, predicate });
  rememberEvaluation(factory, followed, decision, bytes);
  return { outcome: decision === "accept" ? "accepted" : "refused", digest, evaluation, bundle, bytes };
}

function saysTheSame(last: TagEvaluation, now: TagEvaluation): boolean {
  const told = ({ digest, decision, checks }: TagEvaluation) =>
    canonicalJson([digest, decision, checks.map(({ check, outcome, message }) => [check, outcome, message])]);
  return told(last) === told(now);
}

interface Vouched {
  readonly check: TagCheck;
  readonly vouchers: TagEvaluation["vouchers"];
}

/** Whose word lets the image in: this factory's own evidence, or a signature that images.yaml names. */
async function vouchersOf({ factory, reader, digest, place, insecureUnvouched }: TagRequest): Promise<Vouched> {
  const check = "vouchers" as const;
  const refused: string[] = [];
  try {
    const { chain } = await verifyArtifact(factory, { digest });
    const message = `this factory built it in run ${chain.run}`;
    return { check: { check, outcome: "passed", message }, vouchers: [{ by: "factory", identity: chain.run }] };
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    if (error.code !== "EVIDENCE_MISSING") refused.push(`this factory's own evidence: ${error.code}`);
  }
  const rules = rulesFor(readImagesConfiguration(factory), place.registry, place.repository);
  const found = await vouchersByRules(reader, digest, rules, findEvidence, factory.clock.now());
  // An evaluation of ours, which may have refused, is no reason to accept.
  const counted = found.vouchers.filter((voucher) => voucher.predicateType !== predicateType("tag-evaluation"));
  const vouchers = counted.map(({ by, identity, predicateType: predicate }) => ({
    by,
    identity,
    ...(predicate === undefined ? {} : { predicate }),
  }));
  if (vouchers.length > 0) {
    const message = vouchers
      .map(({ by, identity }) => `${by}: ${identity}`)
      .join("; ")
      .slice(0, 4000);
    return { check: { check, outcome: "passed", message }, vouchers };
  }
  refused.push(...(rules.length === 0 ? ["no rule of images.yaml speaks of it"] : found.refused));
  const why = `nobody vouches for it: ${refused.slice(0, 5).join("; ") || "no signature is there"}`.slice(0, 4000);
  const outcome = insecureUnvouched ? "not-evaluated" : "failed";
  return { check: { check, outcome, message: insecureUnvouched ? `${why}; insecure-unvouched` : why }, vouchers: [] };
}
