import type { Digest, Json } from "@touchmark/core";
import type { PolicySet } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import { isVerified, type VerifiedStatement } from "@touchmark/verify";
import type { DecisionInput, Denial, Pinned } from "../decision.ts";
import { isReached } from "./dates.ts";
import { type Evidence, evidenceOf, isAbout } from "./evidence.ts";
import { countParties, partiesOf, type Trust } from "./functionary.ts";
import { ENGINE_VERSION, isEarlier } from "./version.ts";

/** Who may put the first set in force, and the next one where a set names nobody. */
export interface SetOwners {
  readonly trust: Trust;
  /** Default 1. */
  readonly threshold?: number;
}

/** What a set is checked against before it is put in force. */
export interface SetQuestion {
  readonly now: Date;
  /** Who vouched for identities where a functionary names no issuer. */
  readonly issuer: string;
  readonly owners: SetOwners;
}

/**
 * Checks a set that shall replace another one: a later version of the same name, not expired, for this engine, signed
 * by as many as the former set demands, and by as many as it demands itself. Empty when it may.
 */
export function checkSet(
  previous: Pinned<PolicySet> | undefined,
  next: Pinned<PolicySet>,
  signatures: readonly VerifiedStatement[],
  { now, issuer, owners }: SetQuestion,
): readonly Denial[] {
  const denials = [...ageDenials(next.document, now)];
  if (previous !== undefined && previous.digest !== next.digest) {
    const { name, version } = previous.document;
    if (name !== next.document.name) {
      denials.push({
        code: "POLICY_SET_RENAMED",
        message: `expected the set ${name}, found ${next.document.name}`,
        solution: "A set keeps its name: under another one, an older version would pass for a new set.",
      });
    } else if (next.document.version <= version) {
      denials.push({
        code: "POLICY_SET_ROLLBACK",
        message: `expected a version after ${version}, found ${next.document.version}`,
        solution: "To go back, sign the earlier members as a later version.",
      });
    }
  }
  const signed = signatures
    .filter((each) => isVerified(each) && each.kind === "statement")
    .map(evidenceOf)
    .filter((each) => isSignatureOf(each, next.digest));
  const demanded = previous === undefined ? owners : ownersOf(previous.document, owners);
  for (const each of [demanded, ownersOf(next.document, demanded)]) {
    const denial = thresholdDenial(each, signed, issuer);
    if (denial !== undefined) {
      denials.push(denial);
      break;
    }
  }
  return denials;
}

/** What a set itself says against its being in force, and against what was handed in with it. */
export function setDenials(
  { document }: Pinned<PolicySet>,
  { policies, layouts }: Pick<DecisionInput, "policies" | "layouts">,
  now: Date,
): readonly Denial[] {
  const denials = [...ageDenials(document, now)];
  const given = new Set<Digest>([...policies, ...layouts].map(({ digest }) => digest));
  const pinned = new Set<Digest>(document.members.map(({ digest }) => digest));
  for (const { kind, name, digest } of document.members) {
    if (given.has(digest)) continue;
    denials.push({
      code: "POLICY_SET_INCOMPLETE",
      message: `the set ${document.name} pins the ${kind} ${name}, ${digest}, which is not there`,
      solution: "Install the set again: what it pins must all be there.",
    });
  }
  for (const digest of [...given].sort()) {
    if (pinned.has(digest)) continue;
    denials.push({
      code: "POLICY_NOT_IN_SET",
      message: `the set ${document.name} does not pin ${digest}`,
      solution: "Only documents that the set pins are in force with it.",
    });
  }
  return denials;
}

function ageDenials(set: PolicySet, now: Date): readonly Denial[] {
  const denials: Denial[] = [];
  if (isReached(set.expires, now)) {
    const message = `the set ${set.name} expired on ${set.expires}`;
    denials.push({ code: "POLICY_SET_EXPIRED", message, solution: "Put a newer version of the set in force." });
  }
  if (set.engine !== undefined && isEarlier(ENGINE_VERSION, set.engine)) {
    denials.push({
      code: "POLICY_ENGINE_TOO_OLD",
      message: `the set ${set.name} needs the engine ${set.engine}, and this is ${ENGINE_VERSION}`,
      solution: "Update touchmark.",
    });
  }
  return denials;
}

/** Whom a set demands. One that names nobody may ask for more signatures of the owners, never for fewer. */
function ownersOf({ trust, threshold = 1 }: PolicySet, otherwise: SetOwners): SetOwners {
  if (trust !== undefined) return { trust, threshold };
  return { trust: otherwise.trust, threshold: Math.max(threshold, otherwise.threshold ?? 1) };
}

/** A statement about the set, that names its bytes. */
function isSignatureOf(evidence: Evidence, set: Digest): boolean {
  if (evidence.predicateType !== predicateType("policy-set") || !isAbout(evidence, set)) return false;
  const { predicate } = evidence;
  if (typeof predicate !== "object" || predicate === null) return false;
  return (predicate as { readonly [name: string]: Json })["document"] === set;
}

function thresholdDenial(
  { trust, threshold = 1 }: SetOwners,
  signed: readonly Evidence[],
  issuer: string,
): Denial | undefined {
  const names = Object.keys(trust).sort();
  const claims = signed
    .map(({ signer }) => ({ signer, parties: partiesOf(signer, names, trust, issuer) }))
    .filter(({ parties }) => parties.length > 0);
  const { count } = countParties(claims);
  if (count >= threshold) return undefined;
  return {
    code: "POLICY_SET_THRESHOLD",
    message: `expected signatures of ${threshold} of ${names.join(", ") || "nobody"}, found ${count}`,
    solution: "Have them sign the set (`touchmark policy sign`).",
  };
}
