import { chainMembers, digest, name, prose, selector, spiffeId, time } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, record, text, whole } from "./shape.ts";

/** node-attestation/v1: what is known of the machine, and what that knowledge is worth. */
export const nodeAttestation = object({
  ...chainMembers,
  node: described("SPIFFE id of the node.", spiffeId),
  evidence: described(
    "Strongest evidence there is. On one laptop it is the node's own word, and says so.",
    oneOf("none", "self-claim", "join-token", "x509pop", "tpm-software", "tpm-hardware", "psat"),
  ),
  attestedAt: time,
  selectors: list(selector, { max: 1000 }),
  limits: described("What this evidence does not show, in words.", list(prose, { max: 32 })),
});
export type NodeAttestationPredicate = Of<typeof nodeAttestation>;

/** The sandbox of a step, as the worker measured it. */
export const sandbox = object({
  backend: name,
  backendVersion: text({ max: 256, empty: true }),
  tier: described("Strength of the isolation that there really was.", name),
  namespaces: described(
    "Inode number of each namespace of its own.",
    record(text({ pattern: /^\d+$/, max: 20 }), /^[a-z]+$/),
  ),
  process: object({ pid: whole(), startTime: text({ pattern: /^\d*$/, max: 20, empty: true }) }),
  user: object({ inside: whole(), host: whole(), hostGroup: whole() }),
  cgroup: optional(object({ version: whole({ min: 1, max: 2 }), paths: list(text({ max: 4096 }), { max: 64 }) })),
  peakMemoryBytes: optional(whole()),
  seccomp: optional(object({ digest, architecture: name, recorded: flag })),
  network: oneOf("none", "proxy", "open"),
  bridge: optional(
    described(
      "What the network of a step with a proxy had: its loopback alone, and one listener of ours on it.",
      object({
        port: whole({ min: 1, max: 65_535 }),
        interfaces: list(name, { max: 64 }),
        addresses: list(text({ max: 64 }), { max: 256 }),
        connections: whole(),
      }),
    ),
  ),
  constants: described(
    "Host name, locale, time zone and the like, as the step saw them.",
    record(text({ empty: true })),
  ),
  limits: record(whole()),
  degraded: described(
    "What a stronger host would have given.",
    list(object({ code: name, detail: prose }), { max: 64 }),
  ),
});

/** One attested workload. */
export const workload = object({
  step: name,
  spiffeId: described("Identity that was issued on the strength of the selectors.", spiffeId),
  attestedAt: time,
  selectors: list(selector, { max: 256 }),
  sandbox: optional(sandbox),
  keyHolder: described("Where the signing key was: never in the step.", oneOf("control-plane")),
});

/** workload-attestation/v1: which processes the steps were, by facts of the kernel. */
export const workloadAttestation = object({
  ...chainMembers,
  node: described("SPIFFE id of the node that attests.", spiffeId),
  workloads: list(workload, { min: 1, max: 10_000 }),
});
export type WorkloadAttestationPredicate = Of<typeof workloadAttestation>;
export type WorkloadRecord = Of<typeof workload>;
export type SandboxRecord = Of<typeof sandbox>;
