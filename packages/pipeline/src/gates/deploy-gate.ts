import type { Digest } from "@touchmark/core";
import { type Deployment, predicateType, readPredicate, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { attestId, builderId, environmentId } from "@touchmark/identity";
import type { CallerFacts } from "@touchmark/policy";
import { signStatement } from "@touchmark/sign";
import type { VerifiedStatement } from "@touchmark/verify";
import { type AttestReport, keepBundle, signAttestation } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { type EvidenceHere, evidenceHere, type PoliciesInForce, verifyHere } from "../policy/index.ts";
import { askGate } from "./ask-gate.ts";
import { type EarlierDecision, relyOn } from "./earlier-decision.ts";
import { environmentsBefore } from "./environments.ts";
import { gateErrors } from "./errors.ts";
import { chainLevels } from "./publish-gate.ts";
import { localCaller } from "./request-facts.ts";

/** What is to be deployed, where, and who asks. */
export interface DeployRequest {
  readonly artifact: { readonly name: string; readonly digest: Digest };
  readonly environment: string;
  readonly policies: PoliciesInForce;
  /** Default: the user of this process, by the kernel. */
  readonly caller?: CallerFacts;
}

/** What was deployed, and by which decisions. */
export interface DeployReport {
  readonly environment: string;
  readonly digest: Digest;
  readonly decision: Pick<AttestReport, "bundle" | "identity" | "logIndex">;
  readonly deployment: AttestReport;
}

/**
 * Lets an artifact into an environment: the publication's decision is relied on, the environment before has it, the
 * policies allow it; then a credential of minutes signs that it was. A refusal is signed and logged. SPEC GT6.
 * @throws GATE_REFUSED | GATE_DECISION_… | GATE_ENVIRONMENT_…
 */
export async function deployGate(factory: Factory, request: DeployRequest): Promise<DeployReport> {
  const { artifact, environment, policies, caller = localCaller() } = request;
  const before = environmentsBefore(factory, environment);
  const evidence = await evidenceHere(factory, artifact.digest);
  reliedPublication(factory, artifact, evidence);
  const deployments = deploymentsOf(factory, artifact.digest, evidence.statements);
  const previous = previousOf(deployments, before, artifact.name);
  const decided = askGate(factory, policies, {
    point: "deploy",
    subject: artifact,
    facts: {
      ...{ environment, caller, resource: "command" },
      deployed: [...new Set(deployments.map((each) => each.environment))],
    },
    evidence: evidence.statements,
    chains: evidence.chains,
    refused: evidence.refused,
    verifier: attestId(factory.names().trustDomain),
    resourceUri: `touchmark:environment/${environment}`,
    levels: evidence.chains.flatMap(chainLevels).slice(0, 3),
  });
  const decision = await signAttestation(factory, decided.statement);
  if (decided.refusal !== undefined) throw decided.refusal;
  const deployment = await recordDeployment(
    factory,
    request,
    await readBack(factory, request, decision),
    previous,
    caller,
  );
  const { bundle, identity, logIndex } = decision;
  return { environment, digest: artifact.digest, decision: { bundle, identity, logIndex }, deployment };
}

/** The newest decision on the publication of an artifact. @throws GATE_DECISION_… */
export function reliedPublication(
  factory: Factory,
  { name, digest }: DeployRequest["artifact"],
  { statements }: Pick<EvidenceHere, "statements">,
): EarlierDecision {
  const { trustDomain } = factory.names();
  const found = statements.flatMap((each) => {
    if (each.statement.predicateType !== predicateType("verification-summary")) return [];
    const { touchmark_decision: mark, verificationResult } = readPredicate(
      "verification-summary",
      each.statement.predicate,
    );
    return mark?.point === "publish" ? [{ each, at: timeBy(each), isPassed: verificationResult === "PASSED" }] : [];
  });
  // Of two in one second the refusal counts.
  const [newest] = found.toSorted(
    (left, right) => right.at - left.at || Number(left.isPassed) - Number(right.isPassed),
  );
  return relyOn(newest?.each, {
    ...{ point: "publish", what: name, subject: digest, now: factory.clock.now() },
    deciders: [builderId(trustDomain), attestId(trustDomain)],
  });
}

interface Deployed {
  readonly environment: string;
  readonly statement: Digest;
}

/** Where an artifact was deployed to before, oldest first; each by the credential of its own environment. */
function deploymentsOf(
  factory: Factory,
  digest: Digest,
  statements: readonly VerifiedStatement[],
): readonly Deployed[] {
  const { trustDomain } = factory.names();
  return statements
    .filter(({ statement }) => statement.predicateType === predicateType("deployment"))
    .toSorted((left, right) => timeBy(left) - timeBy(right))
    .flatMap(({ statement, signer, bundle }) => {
      const { environment } = readPredicate("deployment", statement.predicate);
      const isOwn = signer.kind === "certificate" && signer.identity === environmentId(trustDomain, environment);
      const isAbout = statement.subject.some((each) => `sha256:${each.digest["sha256"]}` === digest);
      return isOwn && isAbout ? [{ environment, statement: bundle }] : [];
    });
}

function previousOf(deployments: readonly Deployed[], before: readonly string[], name: string): Deployed | undefined {
  const wanted = before.at(-1);
  if (wanted === undefined) return undefined;
  const found = deployments.findLast((each) => each.environment === wanted);
  if (found !== undefined) return found;
  throw gateErrors.make("GATE_ENVIRONMENT_ORDER", `expected a deployment of ${name} to ${wanted} before, found none`, {
    hint: `touchmark deploy ${name} --environment ${wanted}`,
  });
}

/** The decision from its bundle: nothing is granted on what was merely in memory. */
async function readBack(factory: Factory, { artifact }: DeployRequest, { bundle, bytes }: AttestReport) {
  const { statements } = await verifyHere(factory, new Map([[bundle, bytes]]));
  const { trustDomain } = factory.names();
  return relyOn(statements[0], {
    ...{ point: "deploy", what: artifact.name, subject: artifact.digest },
    ...{ deciders: [attestId(trustDomain)], now: factory.clock.now() },
  });
}

/** Gets a credential of the environment, which exists for this signature alone, and signs. */
async function recordDeployment(
  factory: Factory,
  { artifact, environment }: DeployRequest,
  decision: EarlierDecision,
  previous: Deployed | undefined,
  caller: CallerFacts,
): Promise<AttestReport> {
  const identity = await factory.identityAs("deploy");
  const spiffeId = environmentId(identity.trustDomain, environment);
  const signer = await identity.newSigner({ spiffeId, lifetimeSeconds: 60 });
  const at = timeOf(factory.clock.now());
  const deployment: Deployment = {
    ...{ run: "deploy", createdAt: at },
    predecessors: [
      { name: "decision/deploy", digest: decision.bundle },
      ...(previous === undefined ? [] : [{ name: `deployment/${previous.environment}`, digest: previous.statement }]),
    ],
    ...{ artifact: artifact.name, environment, decision: decision.bundle, caller: caller.name, deployedAt: at },
    ...(previous === undefined ? {} : { previous }),
  };
  const bundle = await signStatement({
    statement: statementOf("deployment", [subjectOf(artifact.name, artifact.digest)], deployment),
    signer,
    log: await factory.log(),
    timestamp: identity.timestampAuthority,
  });
  await factory.content.put(bundle.bytes);
  const bytes = await keepBundle(factory, bundle.digest);
  return { bundle: bundle.digest, identity: spiffeId, logIndex: bundle.logIndex, bytes };
}

const timeBy = ({ times }: VerifiedStatement): number => times[0]?.at.getTime() ?? 0;
