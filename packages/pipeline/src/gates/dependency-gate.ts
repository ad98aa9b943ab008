import { canonicalJson, type Digest, type FactoryError, sha256 } from "@touchmark/core";
import { type PredicateOf, statementOf, subjectOf } from "@touchmark/formats/predicates";
import type { GateDecision, SessionSettings } from "@touchmark/materials";
import { type DecisionSubject, type DependencyFacts, requestOf } from "@touchmark/policy";
import type { Draft } from "../evidence/recorder.ts";
import type { RunMaterials } from "../materials/run-materials.ts";
import { plainFacts } from "../policy/decision-record.ts";
import { type DecidedHere, type DecisionPlace, decideHere, decisionStatement } from "../policy/index.ts";
import { refusalOf } from "./ask-gate.ts";
import { decisionNames } from "./decision-names.ts";
import { gateErrors } from "./errors.ts";
import type { RunGateParts } from "./run-gates.ts";

type Candidate = Parameters<SessionSettings["decide"]>[0];

/** The row by which what a policy refused is told from what a rule of the materials gate did. */
const POLICY_ROW = "policy";
/** What steps build on; everything else that a client asks for only announces these. */
const judgedKinds: ReadonlySet<string> = new Set(["archive", "git", "download"]);

/** Asks the policies about each package that a fetch step brings, while it comes in. */
export interface DependencyGate {
  /** The same materials, whose sessions ask the policies after the rules of the materials gate. */
  over(materials: RunMaterials): RunMaterials;
  /** One statement about everything that was asked; undefined where nothing came in. */
  statement(place: DecisionPlace, output: Digest | undefined): Draft | undefined;
}

/** Opens the dependency gate of one step. */
export function dependencyGate(
  parts: Pick<RunGateParts, "factory" | "policies"> & { readonly facts: Pick<RunGateParts["facts"], "now"> },
  step: string,
): DependencyGate {
  const { factory, facts, policies } = parts;
  const decided = new Map<string, DecidedHere>();
  const ask = (candidate: Candidate, own: GateDecision): FactoryError | undefined => {
    const subject = subjectOfCandidate(candidate);
    const request = requestOf("dependency", dependencyFacts(candidate, own));
    // A client that asks again is answered the same; other facts are another question.
    const key = sha256(canonicalJson({ subject, request: plainFacts(request) }));
    const answer =
      decided.get(key) ??
      decideHere(factory, policies, { ...{ point: "dependency", subject, request, evidence: [] }, now: facts.now() });
    decided.set(key, answer);
    return refusalOf(answer);
  };
  const decide = (base: SessionSettings["decide"], candidate: Candidate): GateDecision => {
    const own = base(candidate);
    const isAsked = candidate.phase === "arrival" && judgedKinds.has(candidate.facts.kind);
    // What is refused already keeps its own code.
    if (own.verdict === "refused" || !isAsked) return own;
    const refusal = ask(candidate, own);
    if (refusal === undefined) return own;
    const { message } = refusal;
    const row = { rule: POLICY_ROW, outcome: "refused", code: "GATE_DENIED", message } as const;
    return { verdict: "refused", results: [...own.results, row] };
  };
  return {
    over: (materials) => ({
      ...materials,
      session: (name) => {
        const shared = materials.session(name);
        return {
          ...shared,
          decide: (candidate, purpose) =>
            purpose === "alternative" ? shared.decide(candidate, purpose) : decide(shared.decide, candidate),
          refusal: (decision, candidate) => {
            const row = decision.results.find((each) => each.rule === POLICY_ROW);
            return row === undefined
              ? shared.refusal(decision, candidate)
              : gateErrors.make("GATE_REFUSED", row.message);
          },
        };
      },
    }),
    statement(place, output) {
      const all = [...decided.values()];
      const shown = all.find(({ decision }) => decision.result === "deny") ?? all[0];
      if (shown === undefined) return undefined;
      const whole = decisionStatement(shown, place);
      const predicate = whole.predicate as PredicateOf<"verification-summary">;
      const decisions = all.map(({ digest }) => digest).sort();
      const name = place.resourceUri.replace(/^touchmark:project\/([^/]+)\/pipeline\/([^/]+)\/step\//, "$1/$2/");
      const about = {
        ...predicate,
        touchmark_decision: {
          ...predicate.touchmark_decision,
          ...{ decision: sha256(canonicalJson(decisions)), decisions: decisions.length },
          expires: new Date(Math.min(...all.map(({ expires }) => expires.getTime()))).toISOString(),
        },
      } as PredicateOf<"verification-summary">;
      const subject = subjectOf(name, output ?? sha256(canonicalJson({ step: name, decisions })));
      const statement = statementOf("verification-summary", [subject], about);
      return { name: decisionNames.dependencies(step), spiffeId: place.verifier, statement };
    },
  };
}

function subjectOfCandidate({ facts, hashes }: Candidate): DecisionSubject {
  const name = facts.purl ?? facts.name ?? facts.fileName ?? facts.upstream.url;
  const hex = hashes?.sha256;
  return hex === undefined ? { name } : { name, digest: `sha256:${hex}` };
}

/** What the materials gate knows of a package, and what each of its rules said. */
function dependencyFacts(candidate: Candidate, { results }: GateDecision): DependencyFacts {
  const { facts, step, locked, announced, evidence, archive, vulnerabilities } = candidate;
  const published = announced.find((each) => each.publishedAt !== undefined)?.publishedAt;
  const licence = archive?.licence ?? announced.find((each) => each.licence !== undefined)?.licence;
  return {
    kind: facts.kind === "git" ? "source" : "package",
    ...{ step, ecosystem: facts.ecosystem, name: facts.name ?? facts.fileName ?? "", repository: facts.upstream.name },
    ...(facts.version === undefined ? {} : { version: facts.version }),
    locked: locked.length > 0 || facts.kind === "download",
    rules: results.map(({ rule, outcome, message }) => ({ rule, outcome, message })),
    ...(published === undefined ? {} : { published }),
    ...(licence === undefined ? {} : { licence }),
    evidence: evidence.map(({ kind, outcome }) => ({ kind, outcome })),
    ...(archive === undefined ? {} : { installScripts: [...archive.installScripts] }),
    ...(vulnerabilities === undefined
      ? {}
      : { vulnerabilities: vulnerabilities.findings.map((each) => ({ id: each.id, class: each.class })) }),
  };
}
