import type { Digest } from "@touchmark/core";
import { builderId } from "@touchmark/identity";
import type { VerifiedStatement } from "@touchmark/verify";
import { type VerifiedChain, verifyChain } from "@touchmark/verify/chain";
import type { Draft } from "../evidence/recorder.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import type { RunSession } from "../run-session.ts";
import { decisionNames } from "./decision-names.ts";
import { relyOn } from "./earlier-decision.ts";
import { localCaller } from "./request-facts.ts";

/** An artifact that is about to be released. */
export interface PublishSubject {
  readonly name: string;
  readonly kind: string;
  readonly digest: Digest;
}

/**
 * Asks, for each artifact of a run, whether it may leave: on the whole chain, verified from its bytes as anybody would,
 * with the release manifest that is not stored yet. The decisions before are relied on here. SPEC GT4.
 * @throws GATE_REFUSED | GATE_DECISION_… | CHAIN_…
 */
export async function publishGate(
  session: RunSession,
  artifacts: readonly PublishSubject[],
  release: Uint8Array,
): Promise<readonly Draft[]> {
  const { facts, gates, plan } = session;
  const manifest = await gates.evidence.verify(release);
  const statements = [...(await gates.evidence.all()), manifest];
  const deciders = [builderId(facts.trustDomain)];
  for (const name of [decisionNames.request, ...plan.steps.map((step) => decisionNames.step(step.name))]) {
    const statement = await gates.evidence.named(name);
    const point = name === decisionNames.request ? "request" : "step";
    relyOn(statement, { point, what: name, deciders, now: facts.now(), run: facts.run });
  }
  const drafts: Draft[] = [];
  for (const artifact of artifacts) {
    drafts.push(await askToPublish(session, artifact, statements, manifest));
  }
  return drafts;
}

async function askToPublish(
  { facts, gates, recorder, identity }: RunSession,
  { name, kind, digest }: PublishSubject,
  statements: readonly VerifiedStatement[],
  manifest: VerifiedStatement,
): Promise<Draft> {
  const chain = verifyChain(statements, {
    artifact: digest,
    builder: builderId(facts.trustDomain),
    issuer: identity.issuer,
    source: facts.source.uri,
    project: facts.project,
    pipeline: facts.pipeline,
  });
  const { draft } = await gates.ask(decisionNames.publish(name), {
    point: "publish",
    subject: { name, digest },
    facts: publishFacts(facts, name, kind),
    evidence: statements,
    chains: [chain],
    resourceUri: `touchmark:project/${facts.project}/artifact/${name}`,
    levels: chainLevels(chain),
    predecessors: [...recorder.predecessors(decisionNames.request), { name: "release", digest: manifest.bundle }],
  });
  return draft;
}

function publishFacts(facts: RunFacts, name: string, kind: string) {
  return {
    run: facts.run,
    project: facts.project,
    pipeline: facts.pipeline,
    artifact: { name, kind },
    caller: localCaller(),
    insecureOptions: [...facts.request.insecureOptions],
  };
}

/** What was verified, and no more: the build platform's own level is nobody's measurement here. */
export function chainLevels(chain: VerifiedChain): readonly string[] {
  return ["SLSA_BUILD_LEVEL_1", "TOUCHMARK_CHAIN", ...(chain.hermetic ? ["TOUCHMARK_HERMETIC"] : [])];
}
