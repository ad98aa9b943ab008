import type { Digest } from "@touchmark/core";
import { predicateType } from "@touchmark/formats/predicates";
import { chainErrors } from "./chain-errors.ts";
import { type ChainStatement, type Evidence, isOf, readChainStatement, subjectDigest } from "./chain-statements.ts";

/** What a gate decided for a run: it passed, and was good when the release was made. */
export interface VerifiedDecision {
  readonly point: "request" | "dependency" | "step" | "publish";
  /** `PROJECT/PIPELINE`, `PROJECT/PIPELINE/STEP`, or the name of the artifact. */
  readonly subject: string;
  readonly digest: Digest;
  readonly policies: readonly Digest[];
  readonly expires: string;
  /** The signed decision. */
  readonly bundle: Digest;
}

/** Points whose decisions come before the release manifest, which lists them. */
const before = ["request", "dependency", "step"] as const;

/**
 * The decisions of a run's gates. Those before the release are listed by it: each passed, is about this run and its
 * steps, once, and was good when the release was signed; where the request was decided about, every step was. Those
 * after it name it, and none refuses one of its artifacts. SPEC V22.
 * @throws CHAIN_DECISION_MISMATCH | CHAIN_DECISION_REFUSED | CHAIN_DECISION_EXPIRED
 */
export function checkDecisions(
  chain: readonly ChainStatement[],
  release: ChainStatement<"release">,
  after: readonly ChainStatement<"verification-summary">[],
): readonly VerifiedDecision[] {
  const listed = chain.filter(isOf("verification-summary")).filter(({ run }) => run === release.run);
  const decisions = listed.map((statement) => decisionOf(statement, release));
  const { project, pipeline, steps, artifacts } = release.predicate;
  const whole = `${project}/${pipeline}`;
  const known = new Set([whole, ...steps.map(({ name }) => `${whole}/${name}`)]);
  const seen = new Set<string>();
  for (const { point, subject } of decisions) {
    const isPlaced = point === "dependency" || (point === "request" ? subject === whole : subject !== whole);
    if (!(before as readonly string[]).includes(point) || !known.has(subject) || !isPlaced) {
      throw mismatch(`${point} of ${subject} is about nothing in the release`);
    }
    if (seen.has(`${point} ${subject}`)) throw mismatch(`${point} of ${subject} stands beside another one`);
    seen.add(`${point} ${subject}`);
  }
  const undecided = steps.find(({ name }) => !seen.has(`step ${whole}/${name}`));
  if (decisions.length > 0 && (undecided !== undefined || !seen.has(`request ${whole}`))) {
    throw mismatch(`no gate decided about ${undecided === undefined ? "the request" : `step ${undecided.name}`}`);
  }
  const published = after.map((statement) => decisionOf(statement, release));
  const strange = published.find(({ point, digest }) => {
    return point !== "publish" || !artifacts.some((row) => row.digest === digest);
  });
  if (strange !== undefined) throw mismatch(`${strange.point} of ${strange.subject} is about nothing in the release`);
  return [...decisions, ...published];
}

/** Decisions that name a release and were therefore signed after it; whoever else signs one says nothing here. */
export function decisionsAfter(
  evidence: Evidence,
  release: ChainStatement<"release">,
  { builder, issuer }: { readonly builder: string; readonly issuer: string },
): readonly ChainStatement<"verification-summary">[] {
  const listed = new Set(release.predicate.bundles.map((row) => row.digest));
  const found: ChainStatement<"verification-summary">[] = [];
  for (const [digest, verified] of evidence) {
    const { signer, statement } = verified;
    const isBuilders = signer.kind === "certificate" && signer.identity === builder && signer.issuer === issuer;
    if (statement.predicateType !== predicateType("verification-summary") || !isBuilders || listed.has(digest))
      continue;
    const read = readChainStatement(verified);
    if (read === undefined || !isOf("verification-summary")(read) || read.run !== release.run) continue;
    if (read.predecessors.some((each) => each.digest === release.digest)) found.push(read);
  }
  return found;
}

function decisionOf(
  statement: ChainStatement<"verification-summary">,
  release: ChainStatement<"release">,
): VerifiedDecision {
  const { touchmark_decision: mark, verificationResult, verifier } = statement.predicate;
  const subject = statement.verified.statement.subject[0]?.name ?? "";
  const digest = subjectDigest(statement);
  if (mark === undefined || digest === undefined) throw mismatch(`${subject} is no decision of a gate`);
  if (mark.point === "deploy") throw mismatch(`deployment of ${subject} is no part of a run`);
  if (verifier.id !== statement.signer) throw mismatch(`${mark.point} of ${subject} names the verifier ${verifier.id}`);
  if (verificationResult !== "PASSED") {
    const why = mark.denials.map(({ code }) => code).join(", ");
    throw chainErrors.make("CHAIN_DECISION_REFUSED", `the gate refused ${mark.point} of ${subject}: ${why}`);
  }
  const released = release.verified.times[0]?.at;
  if (released === undefined || Date.parse(mark.expires) <= released.getTime()) {
    const at = released?.toISOString() ?? "a time that nobody vouches for";
    throw chainErrors.make(
      "CHAIN_DECISION_EXPIRED",
      `${mark.point} of ${subject} was decided until ${mark.expires}, and released at ${at}`,
    );
  }
  const { point, policies, expires } = mark;
  return { point, subject, digest, policies, expires, bundle: statement.digest };
}

function mismatch(why: string) {
  return chainErrors.make("CHAIN_DECISION_MISMATCH", `a decision of a gate: ${why}`);
}
