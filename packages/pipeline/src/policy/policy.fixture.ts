import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type Digest, sha256 } from "@touchmark/core";
import type { Policy, PolicyException, PolicySet } from "@touchmark/formats/policy";
import { statementOf, subjectOf } from "@touchmark/formats/predicates";
import { signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import { enrolUser, signAsUser } from "../people/index.ts";
import type { PolicyFile } from "./policies-in-force.ts";

/** Documents of policy, signed by people. Used by tests only. */

const later = "2099-01-01T00:00:00Z";
const chain = { run: "policy", createdAt: "2026-11-21T10:00:00Z", predecessors: [] };

/** A policy file with one rule about deployments. */
export function policyFile(rule: string, more: Partial<Policy> = {}): PolicyFile & { readonly digest: Digest } {
  const document: Policy = {
    ...{ touchmark: "policy/v1", name: "production", version: 1, expires: later, point: "deploy" },
    rules: [{ id: "rule", title: "A rule", expression: rule }],
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return { name: `${document.name}.json`, bytes, digest: sha256(bytes) };
}

/** A set that pins these files. */
export function setOf(
  version: number,
  files: readonly (PolicyFile & { readonly digest: Digest })[],
  more: Partial<PolicySet> = {},
): PolicySet {
  const members = files.map(({ name, digest }) => ({
    kind: "policy" as const,
    name: name.replace(/\.json$/, ""),
    digest,
  }));
  return { touchmark: "policy-set/v1", name: "factory", version, expires: later, members, ...more };
}

/** Enrols a person. */
export async function person(
  factory: Factory,
  name: string,
): Promise<{ readonly identity: string; readonly key: KeyObject }> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  await enrolUser(factory, { name, roles: ["security"], spki });
  return { identity: `spiffe://${factory.names().trustDomain}/user/${name}`, key: privateKey };
}

/** A signed set, as a file; by `attest` when no person is named. */
export async function signedSet(
  factory: Factory,
  set: PolicySet,
  signer?: { readonly name: string; readonly key: KeyObject },
): Promise<PolicyFile> {
  const document = sha256(JSON.stringify(set));
  const statement = statementOf("policy-set", [subjectOf(set.name, document)], { ...chain, document, content: set });
  const { bytes } =
    signer === undefined
      ? await signAttestation(factory, statement)
      : await signAsUser(factory, signer.name, signer.key, statement);
  return { name: `${signer?.name ?? "attest"}.sigstore.json`, bytes };
}

/** A signed exception. */
export async function signedException(
  factory: Factory,
  content: PolicyException,
  signer: { readonly name: string; readonly key: KeyObject },
): Promise<Uint8Array> {
  const document = sha256(JSON.stringify(content));
  const statement = statementOf("exception", [subjectOf(content.id, document)], { ...chain, document, content });
  return (await signAsUser(factory, signer.name, signer.key, statement)).bytes;
}
