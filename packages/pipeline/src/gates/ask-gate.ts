import type { FactoryError } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import type { DecisionPoint } from "@touchmark/formats/policy";
import type { Chain } from "@touchmark/formats/predicates";
import { type DecisionSubject, type PointFacts, requestOf } from "@touchmark/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { Factory } from "../factory.ts";
import { type DecidedHere, decideHere, decisionStatement, type PoliciesInForce } from "../policy/index.ts";
import { productVersion } from "../version.ts";
import { gateErrors } from "./errors.ts";

/** What a gate asks. */
export interface GateQuestion<Point extends DecisionPoint> {
  readonly point: Point;
  readonly subject: DecisionSubject;
  readonly facts: PointFacts[Point];
  readonly evidence: readonly VerifiedStatement[];
  readonly chains?: readonly VerifiedChain[];
  /** Bundles that did not verify, and by which code. */
  readonly refused?: ReadonlyMap<`sha256:${string}`, string>;
  /** Who decides: the identity that signs. */
  readonly verifier: string;
  /** Where the subject is to go; a URI. */
  readonly resourceUri: string;
  /** Levels that hold when it passes. */
  readonly levels: readonly string[];
  readonly chain?: Chain;
  readonly now?: Date;
}

/** What came of it. A refusal is not thrown yet: it is to be signed first. */
export interface GateAnswer {
  readonly decided: DecidedHere;
  readonly statement: Statement<unknown>;
  readonly refusal: FactoryError | undefined;
}

/** Asks the one decision function, and writes the statement of what it says. SPEC GT1. */
export function askGate<Point extends DecisionPoint>(
  factory: Factory,
  policies: PoliciesInForce,
  question: GateQuestion<Point>,
): GateAnswer {
  const { point, subject, facts, evidence, chains, refused, verifier, resourceUri, levels, chain, now } = question;
  const decided = decideHere(factory, policies, {
    ...{ point, subject, evidence, request: requestOf(point, facts) },
    ...(chains === undefined ? {} : { chains }),
    ...(refused === undefined ? {} : { refused }),
    ...(now === undefined ? {} : { now }),
  });
  const statement = decisionStatement(decided, {
    ...{ verifier, version: productVersion, resourceUri, levels },
    ...(chain === undefined ? {} : { chain }),
  });
  return { decided, statement, refusal: refusalOf(decided) };
}

const MAX_SHOWN = 10;

/** The error of a decision that denies: each reason, by policy. */
export function refusalOf({ decision, record }: DecidedHere): FactoryError | undefined {
  if (decision.result === "allow") return undefined;
  const reasons = [
    ...decision.denials.map(({ code, message }) => ({ text: `${message} (${code})`, solution: undefined })),
    ...decision.verdicts
      .filter(({ policy, verdict }) => verdict === "deny" && policy.mode === "enforce")
      .flatMap(({ policy, denials }) =>
        denials.map(({ code, rule, message, solution }) => ({
          text: `${policy.name}${rule === undefined ? "" : ` ${rule}`}: ${message} (${code})`,
          solution,
        })),
      ),
  ];
  const more = reasons.length > MAX_SHOWN ? `; and ${reasons.length - MAX_SHOWN} more` : "";
  const text = reasons.slice(0, MAX_SHOWN).map((each) => each.text);
  const solution = reasons.find((each) => each.solution !== undefined)?.solution;
  return gateErrors.make(
    "GATE_REFUSED",
    `policy denies ${decision.point} of ${decision.subject.name}: ${text.join("; ")}${more}`,
    { hint: `${solution === undefined ? "" : `${solution.replace(/\.$/, "")}; `}touchmark policy explain ${record}` },
  );
}
