import type { Policy, WantedAttestation } from "@touchmark/formats/policy";
import type { CelInput } from "../cel/value.ts";
import type { ConsideredAttestation, Denial } from "../decision.ts";
import { isAhead } from "./dates.ts";
import { digestOf, type Evidence, signerName } from "./evidence.ts";
import { type Claim, countParties, partiesOf } from "./functionary.ts";
import { isAboutWanted, type Scope } from "./scope.ts";

/** What came of the attestations that a policy wants. */
export interface Attestations {
  /** The variable `attestations`: statements that counted, by the policy's name for them. */
  readonly variable: { readonly [name: string]: CelInput };
  readonly considered: readonly ConsideredAttestation[];
  readonly denials: readonly Denial[];
}

/** Looks at every statement for every wanted attestation. Each is judged alone: none hides another. */
export function countAttestations(policy: Policy, scope: Scope): Attestations {
  const variable: [string, CelInput][] = [];
  const considered: ConsideredAttestation[] = [];
  const denials: Denial[] = [];
  for (const [name, wanted] of Object.entries(policy.attestations ?? {})) {
    const found = countOne(name, wanted, policy, scope);
    variable.push([name, found.counted]);
    considered.push(...found.considered);
    if (found.denial !== undefined) denials.push(found.denial);
  }
  return { variable: Object.fromEntries(variable), considered, denials };
}

interface Judged {
  readonly evidence: Evidence;
  readonly claim: Claim | undefined;
  readonly notCounted: string | undefined;
}

function countOne(name: string, wanted: WantedAttestation, policy: Policy, scope: Scope) {
  const judged = scope.evidence
    .filter((evidence) => evidence.predicateType === wanted.predicateType)
    .map((evidence) => judge(evidence, wanted, policy, scope));
  const parties = countParties(judged.flatMap(({ claim }) => (claim === undefined ? [] : [claim])));
  const threshold = wanted.threshold ?? 1;
  // Below the threshold nobody has vouched, and rules see nothing.
  const few = parties.count < threshold ? `${parties.count} of ${threshold} functionaries signed` : undefined;
  const considered = judged.map(({ evidence, claim, notCounted = few }): ConsideredAttestation => {
    const functionary = claim === undefined ? undefined : parties.partyOf(evidence.signer);
    return {
      wanted: name,
      statement: evidence.bundle,
      predicateType: evidence.predicateType,
      signer: signerName(evidence.signer),
      ...(notCounted !== undefined || functionary === undefined ? {} : { functionary }),
      ...(notCounted === undefined ? {} : { notCounted }),
    };
  });
  const counted = few === undefined ? judged.filter(({ claim }) => claim !== undefined) : [];
  const facts = counted.map(({ evidence }) => factsOf(evidence, parties.partyOf(evidence.signer), policy));
  return { counted: facts, considered, denial: denialOf(name, wanted, judged, parties.count) };
}

function judge(evidence: Evidence, wanted: WantedAttestation, policy: Policy, scope: Scope): Judged {
  const not = (notCounted: string): Judged => ({ evidence, claim: undefined, notCounted });
  if (!isAboutWanted(evidence, wanted.about ?? "subject", scope)) {
    return not(`it is not about ${aboutWhat[wanted.about ?? "subject"]}`);
  }
  const parties = partiesOf(evidence.signer, wanted.by, policy.trust, scope.issuer);
  if (parties.length === 0) return not(`its signer is none of ${wanted.by.join(", ")}`);
  const age = evidence.time === undefined ? undefined : scope.now.getTime() - evidence.time.getTime();
  if (isAhead(evidence.time, scope.now)) return not("it was signed after the time of this decision");
  if (wanted.maxAgeSeconds !== undefined) {
    if (age === undefined) return not("nobody vouches for the time of its signature, and its age matters");
    if (age > wanted.maxAgeSeconds * 1000) return not(`it is older than ${wanted.maxAgeSeconds} s`);
  }
  return { evidence, claim: { signer: evidence.signer, parties }, notCounted: undefined };
}

const aboutWhat = {
  subject: "the subject",
  inputs: "an input that the question names",
  source: "the source that a verified chain of the subject starts from",
  run: "anything of a verified chain of the subject",
} as const;

function denialOf(
  name: string,
  wanted: WantedAttestation,
  judged: readonly Judged[],
  found: number,
): Denial | undefined {
  const threshold = wanted.threshold ?? 1;
  if (wanted.required === false || found >= threshold) return undefined;
  const by = wanted.by.join(", ");
  const what = `${name} (${wanted.predicateType})`;
  if (found > 0) {
    return {
      code: "POLICY_THRESHOLD",
      message: `${what} has signatures of ${found} of ${threshold} different functionaries`,
      solution: `Have ${threshold - found} more of ${by} sign it.`,
    };
  }
  const [first] = judged;
  const seen =
    first === undefined
      ? "no such statement was found"
      : `${judged.length} found, none counted: ${first.notCounted ?? ""}`;
  return {
    code: "POLICY_ATTESTATION_MISSING",
    message: `${what} is missing: ${seen}`,
    solution: `Have one of ${by} state it about ${aboutWhat[wanted.about ?? "subject"]}.`,
  };
}

/** A statement as rules see it. What is not known is left out, so that a rule which needs it fails. */
function factsOf(evidence: Evidence, functionary: string | undefined, policy: Policy): CelInput {
  const party = functionary === undefined ? undefined : policy.trust?.[functionary];
  const { signer } = evidence;
  return {
    predicateType: evidence.predicateType,
    predicate: evidence.predicate as CelInput,
    subject: evidence.subject.map((each) => ({ name: each.name ?? "", digest: digestOf(each) })),
    signer: {
      ...(signer.kind === "certificate" ? { identity: signer.identity, issuer: signer.issuer } : { key: signer.key }),
      functionary,
      role: party?.role,
    },
    bundle: evidence.bundle,
    time: evidence.time,
  };
}
