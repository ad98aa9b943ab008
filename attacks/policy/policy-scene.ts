import { type Digest, digestHex, sha256 } from "@touchmark/core";
import type { Policy, PolicyException, PolicyRule } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import { type Decision, type DecisionInput, decide, pinned } from "@touchmark/policy";
import { type MintWorld, mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";

/*
 * Questions of attackers, with evidence that is really signed and verified: what an attacker has here is always a key
 * of somebody, never the rules of the engine.
 */

export const world: MintWorld = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
/** Moment of all signatures and decisions. */
export const now: Date = world.at;
export const artifact: Digest = sha256("the artifact");
export const SCAN = "https://example.com/scan/v1";
export const spiffe = (name: string): string => `spiffe://${world.trustDomain}/${name}`;
/** Somebody whom a policy names. */
export const party = (...names: readonly string[]) => ({
  identities: names.map((name) => ({ identity: spiffe(name) })),
});

/** What somebody says, and about what. */
export interface Said {
  readonly by?: string;
  readonly about?: Digest;
  readonly alsoAbout?: readonly Digest[];
  readonly type?: string;
  /** Who vouches for the identity, when it is not the factory. */
  readonly issuer?: string;
}

/** A statement, signed with a certificate of that identity, logged, time-stamped and verified. */
export function signed(predicate: unknown, said: Said = {}): VerifiedStatement {
  const { by = "scanner", about = artifact, alsoAbout = [], type = SCAN, issuer = world.issuer } = said;
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [about, ...alsoAbout].map((each) => ({ name: "app", digest: { sha256: digestHex(each) } })),
    predicateType: type,
    predicate,
  };
  const { bytes } = mintBundle(world, { statement, leaf: { uris: [spiffe(by)], identityIssuer: issuer } });
  const verified = verifyBundle(bytes, trustRoot, { artifact: "unbound", identityPattern: ".+", issuer, now });
  if (verified.kind !== "statement") throw new TypeError("expected a statement");
  return verified;
}

/** An exception as somebody signed it. */
export function signedException(content: PolicyException, by: string): VerifiedStatement {
  const document = sha256(JSON.stringify(content));
  const chain = { run: "policy", createdAt: "2026-06-01T12:00:00Z", predecessors: [] };
  return signed({ ...chain, document, content }, { by, about: document, type: predicateType("exception") });
}

export const ruleOf = (expression: string, parts: Partial<PolicyRule> = {}): PolicyRule => ({
  ...{ id: "rule", title: "The rule", expression },
  ...parts,
});

/** A policy about deployments that nothing is wrong with, but for what the test says. */
export function policyOf(parts: Partial<Policy>): Policy {
  const named = { touchmark: "policy/v1", name: "production", version: 1, expires: "2027-06-01T00:00:00Z" } as const;
  return { ...named, point: "deploy", ...parts };
}

/** A policy that wants a scan by the scanner. */
export const scanned = (expression: string, parts: Partial<Policy> = {}): Policy =>
  policyOf({
    trust: { scanner: party("scanner") },
    attestations: { scan: { predicateType: SCAN, by: ["scanner"] } },
    rules: [ruleOf(expression)],
    ...parts,
  });

/** What is decided about the artifact. */
export function asked(policies: Policy | readonly Policy[], parts: Partial<DecisionInput> = {}): Decision {
  const documents = Array.isArray(policies) ? (policies as readonly Policy[]) : [policies as Policy];
  return decide({
    point: documents[0]?.point ?? "deploy",
    subject: { name: "registry.example/team/app:1", digest: artifact },
    request: {},
    policies: documents.map((document) => pinned(document)),
    layouts: [],
    evidence: [],
    parameters: {},
    now,
    issuer: world.issuer,
    ...parts,
  });
}

/** Result and codes of a decision, rules named. */
export function said(decision: Decision): readonly string[] {
  const denials = [...decision.denials, ...decision.verdicts.flatMap((verdict) => verdict.denials)];
  return [decision.result, ...denials.map(({ code, rule }) => (rule === undefined ? code : `${code} ${rule}`))];
}
