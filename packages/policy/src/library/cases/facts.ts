import type { PolicyTest } from "@touchmark/formats/policy";
import type { PointFacts } from "../request-facts.ts";

/** A case of a policy test without what is expected of it. */
export type CaseFacts = Omit<PolicyTest["cases"][number], "name" | "expect">;
type Chain = NonNullable<CaseFacts["chain"]>;

const digest = (character: string): `sha256:${string}` => `sha256:${character.repeat(64)}`;
export const SUBJECT = digest("a");
export const COMMIT = "c0ffee".padEnd(40, "0");
export const BUILDER = "spiffe://factory.example/builder";
export const OTHER_BUILDER = "spiffe://other.example/builder";
export const ISSUER = "https://factory.example";
export const NOW = "2026-06-01T12:00:00Z";
const own = (name: string): string => `https://touchmark.dev/predicates/${name}/v1`;

const request: PointFacts = {
  request: {
    caller: { kind: "person", name: "ada", authentication: "certificate" },
    cause: "command",
    project: "scale",
    pipeline: {
      name: "default",
      file: "touchmark.yaml",
      digest: digest("b"),
      signers: ["spiffe://factory.example/user/ada"],
    },
    source: {
      uri: "https://git.example/scale.git",
      revision: "main",
      commit: COMMIT,
      workingTree: false,
      signature: { status: "good", signer: "ada@example.org" },
      committedAt: "2026-05-30T08:00:00Z",
    },
    parameters: {},
    insecureOptions: [],
    trusted: true,
    steps: [
      { name: "fetch", network: "fetch", image: `factory:worker/base@${digest("d")}`, script: false },
      { name: "build", network: "none", image: `factory:worker/base@${digest("d")}`, script: true },
    ],
    images: [
      { reference: `factory:worker/base@${digest("d")}`, digest: digest("d"), pinned: true, vouchers: ["factory"] },
    ],
    templates: ["node-package"],
    nodes: ["spiffe://factory.example/node"],
  },
  dependency: {
    kind: "package",
    step: "fetch",
    ecosystem: "npm",
    name: "left-pad",
    version: "1.3.0",
    repository: "npm",
    locked: true,
    rules: [{ rule: "locked", outcome: "passed", message: "package-lock.json names it" }],
    published: "2026-01-01T00:00:00Z",
    licence: "MIT",
    evidence: [{ kind: "npm-signature", outcome: "verified" }],
    vulnerabilities: [],
  },
  step: {
    run: "r1",
    project: "scale",
    pipeline: "default",
    step: "build",
    command: ["/bin/sh", "-eu", "-c", "make"],
    network: "none",
    tier: "bubblewrap",
    inputs: [{ from: "source", digest: digest("e"), access: "read-only", verified: true }],
    secrets: [],
    insecureOptions: [],
  },
  publish: {
    run: "r1",
    project: "scale",
    pipeline: "default",
    artifact: { name: "scale", kind: "archive" },
    target: "registry.example/team/scale:1",
    caller: { kind: "person", name: "ada", authentication: "certificate" },
    insecureOptions: [],
  },
  deploy: { environment: "production", namespace: "scale" },
};

const statements = [
  "trigger",
  "source",
  "node-attestation",
  "workload-attestation",
  "mounts-and-network",
  "environment",
];
const steps = ["fetch", "build"].map((name) => ({
  name,
  network: name === "fetch" ? "proxy" : "none",
  observed: true,
  tier: "strace",
  cached: false,
  image: digest("d"),
  unaccounted: 0,
}));

/** Facts of a chain of which nothing bad can be said. */
export const goodChain: Chain = {
  run: "r1",
  project: "scale",
  pipeline: "default",
  builder: BUILDER,
  source: { uri: "https://git.example/scale.git", commit: COMMIT },
  artifact: { name: "scale", digest: SUBJECT, step: "build", path: "scale.tar" },
  steps,
  hermetic: true,
  notHermetic: [],
  workingTree: false,
  insecureOptions: [],
  images: [
    {
      reference: "factory:worker/base",
      digest: digest("d"),
      use: "step",
      users: ["build"],
      insecure: false,
      scan: "passed",
    },
  ],
  analyses: [
    {
      artifact: "scale",
      digest: SUBJECT,
      sbom: { bundle: digest("f"), components: 3, edges: 2 },
      vulnerabilities: { evaluated: true, counts: { critical: 0, high: 0, medium: 1, low: 0, none: 0, unscored: 0 } },
      licences: { bundle: digest("1"), allowed: 3, warned: 0, denied: 0, unknown: 0 },
      gate: { verdict: "passed", results: [] },
    },
  ],
  decisions: [
    { point: "request", subject: "scale/default" },
    { point: "publish", subject: "scale", digest: SUBJECT },
  ],
  statements: [
    ...[...statements, "credential-issuance", "composition", "step-report"].map((name) => ({
      predicateType: own(name),
      signer: BUILDER,
    })),
    ...steps.map(({ name }) => ({
      predicateType: "https://in-toto.io/attestation/link/v0.3",
      signer: `spiffe://factory.example/project/scale/pipeline/default/step/${name}`,
    })),
  ],
};

/** A review of the commit by somebody other than its author. */
export const goodReview = {
  scope: "code",
  author: { name: "ada", system: "git" },
  change: { id: "17", base: "0".repeat(40), head: COMMIT },
  reviews: [{ reviewer: { name: "grace", system: "git" }, decision: "approved", commit: COMMIT }],
  required: 1,
  distinctFromAuthor: true,
};

const provenanceOf = (builder: string) => ({ runDetails: { builder: { id: builder } } });

/** What people and builders stated, by the name that rules use for it. */
export const goodEvidence: { readonly [name: string]: NonNullable<CaseFacts["evidence"]> } = {
  review: [{ predicateType: own("review"), predicate: goodReview, identity: BUILDER, issuer: ISSUER }],
  approval: ["ada", "grace"].map((name) => ({
    predicateType: own("approval"),
    predicate: { user: name, decision: "approved" },
    identity: `spiffe://factory.example/user/${name}`,
    issuer: ISSUER,
    time: "2026-06-01T10:00:00Z",
  })),
  provenance: [BUILDER, OTHER_BUILDER].map((builder) => ({
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: provenanceOf(builder),
    identity: builder,
    issuer: ISSUER,
    time: "2026-05-31T12:00:00Z",
  })),
  secret_scan: [
    {
      predicateType: "https://in-toto.io/attestation/test-result/v0.1",
      predicate: { result: "PASSED" },
      identity: BUILDER,
      issuer: ISSUER,
    },
  ],
  decision: [
    {
      predicateType: "https://slsa.dev/verification_summary/v1",
      predicate: { verificationResult: "PASSED", touchmark_decision: { point: "publish" } },
      identity: BUILDER,
      issuer: ISSUER,
    },
  ],
};

/** Values of parameters with which the good facts pass. */
export const goodParameters: { readonly [name: string]: unknown } = {
  callers: ["person:ada"],
  images: ["factory:worker/"],
  nodes: ["spiffe://factory.example/node"],
  templates: ["node-package"],
  pipelineSigners: ["spiffe://factory.example/user/ada"],
  minimumAge: "72h",
  maximumAge: "2160h",
  licences: ["MIT"],
  refusedClasses: ["critical"],
  builders: [BUILDER],
  sources: ["https://git.example/scale.git"],
  roles: ["developer", "release-manager"],
};

/** Good facts of a point, as a test document states them. */
export function goodFacts(point: keyof PointFacts): CaseFacts {
  const released = point === "publish" || point === "deploy";
  return {
    point,
    now: NOW,
    subject: { name: "scale", ...(released ? { digest: SUBJECT } : {}) },
    request: request[point],
    ...(released ? { chain: goodChain } : {}),
  };
}
