import { canonicalJson, type Digest, digestHex, type Json, sha256 } from "@touchmark/core";
import type { Subject } from "@touchmark/formats/evidence";
import type { Layout, Policy, PolicyTest } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import type { CelInput } from "../cel/value.ts";
import type { Pinned } from "../decision.ts";
import type { StatedInput, StatedStatement } from "../engine/stated.ts";

export type PolicyTestCase = PolicyTest["cases"][number];

/** Who vouches for identities where a test names nobody. */
const TEST_ISSUER = "https://policy-test.example";
/** What a case is about that names no subject. */
const TEST_DIGEST = sha256("policy-test");

/** What a case is judged with beside itself. */
export interface TestSetting {
  readonly policy: Pinned<Policy>;
  readonly layouts: readonly Pinned<Layout>[];
  /** For cases that state no time. */
  readonly now: Date;
}

/** The question that a case states. */
export function statedInput(stated: PolicyTestCase, { policy, layouts, now }: TestSetting): StatedInput {
  const at = stated.now === undefined ? now : new Date(stated.now);
  const digest = stated.subject === undefined ? TEST_DIGEST : stated.subject.digest;
  const subject = { name: stated.subject?.name ?? "subject", ...(digest === undefined ? {} : { digest }) };
  const evidence = (stated.evidence ?? []).map((each, index) => statementOf(each, index, digest, at));
  const exceptions = (stated.exceptions ?? []).flatMap((content, index) => exceptionsOf(content, index, at));
  return {
    point: stated.point ?? policy.document.point,
    subject,
    request: (stated.request ?? {}) as { readonly [name: string]: CelInput },
    policies: [policy],
    layouts,
    evidence: [...evidence, ...exceptions],
    ...(stated.chain === undefined ? {} : { chain: stated.chain as CelInput }),
    ...(stated.layout === undefined ? {} : { layout: judgementOf(stated.layout) }),
    parameters: (stated.parameters ?? {}) as { readonly [name: string]: CelInput },
    now: at,
    issuer: TEST_ISSUER,
  };
}

function statementOf(
  stated: NonNullable<PolicyTestCase["evidence"]>[number],
  index: number,
  about: Digest | undefined,
  now: Date,
): StatedStatement {
  const subjects = stated.subject ?? (about === undefined ? [] : [{ digest: about }]);
  return {
    bundle: sha256(canonicalJson({ index, stated })),
    predicateType: stated.predicateType,
    predicate: stated.predicate as Json,
    subject: subjects.map((each) => subjectOf(each.name, each.digest)),
    signer:
      stated.key === undefined
        ? { kind: "certificate", identity: stated.identity ?? "nobody", issuer: stated.issuer ?? TEST_ISSUER }
        : { kind: "key", key: stated.key },
    time: stated.time === undefined ? now : new Date(stated.time),
  };
}

/** An exception counts as if each approver whom it names had signed it. */
function exceptionsOf(content: { readonly [name: string]: unknown }, index: number, now: Date): StatedStatement[] {
  const document = sha256(canonicalJson(content));
  const approvers = Array.isArray(content["approvers"]) ? (content["approvers"] as unknown[]) : [];
  return approvers.map((approver) => ({
    bundle: sha256(canonicalJson({ exception: index, approver: String(approver) })),
    predicateType: predicateType("exception"),
    predicate: { document, content: content as Json },
    subject: [subjectOf(undefined, document)],
    signer: { kind: "certificate", identity: String(approver), issuer: TEST_ISSUER },
    time: now,
  }));
}

function subjectOf(name: string | undefined, digest: Digest | undefined): Subject {
  return {
    ...(name === undefined ? {} : { name }),
    digest: digest === undefined ? {} : { sha256: digestHex(digest) },
  };
}

/** What a test says of the policy's layout, in place of links. */
function judgementOf(verdict: "satisfied" | "refused"): NonNullable<StatedInput["layout"]> {
  const isSatisfied = verdict === "satisfied";
  return {
    verdict,
    denials: isSatisfied
      ? []
      : [{ code: "POLICY_STEP_EVIDENCE_MISSING", message: "the test states that the layout is not followed" }],
    warnings: [],
    steps: [],
    inspections: [],
    rules: [],
    run: undefined,
  };
}
