import { type CaseFacts, COMMIT, goodChain, goodEvidence, goodReview } from "./facts.ts";

/** What must be otherwise for a rule to fail: members of the good facts, replaced. */
export interface Change {
  readonly request?: { readonly [name: string]: unknown };
  readonly chain?: { readonly [name: string]: unknown } | null;
  readonly parameters?: { readonly [name: string]: unknown };
  readonly evidence?: NonNullable<CaseFacts["evidence"]>;
  readonly layout?: NonNullable<CaseFacts["layout"]>;
}

const steps = goodChain["steps"] as readonly { readonly name: string }[];
const [analysis] = goodChain["analyses"] as readonly { readonly [name: string]: unknown }[];
const statements = goodChain["statements"] as readonly { readonly predicateType: string; readonly signer: string }[];
const steppedWith = (change: object): Change => ({ chain: { steps: [steps[0], { ...steps[1], ...change }] } });
const without = (...names: readonly string[]): Change => ({
  chain: { statements: statements.filter(({ predicateType }) => !names.some((name) => predicateType.includes(name))) },
});
const analysedWith = (change: object): Change => ({ chain: { analyses: [{ ...analysis, ...change }] } });
const image = { reference: "docker.io/library/node:22", digest: `sha256:${"9".repeat(64)}`, pinned: false };
const [review] = goodEvidence["review"] ?? [];
const reviewedWith = (change: object): Change => ({
  evidence: review === undefined ? [] : [{ ...review, predicate: { ...goodReview, ...change } }],
});
const approvals = goodEvidence["approval"] ?? [];
const [provenance] = goodEvidence["provenance"] ?? [];

/** For each rule of the library, facts that it must refuse. */
export const failingFacts: { readonly [rule: string]: Change } = {
  "request.caller-authenticated": {
    request: { caller: { kind: "person", name: "ada", authentication: "none" } },
  },
  "request.options-named": { request: { insecureOptions: ["quick"] } },
  "request.outside-change-sealed": { request: { trusted: false, insecureOptions: ["insecure-process"] } },
  "request.source-fixed": { request: { source: { commit: "main" } } },
  "request.pipeline-as-code": { request: { steps: [] } },
  "request.caller-allowed": {
    request: { caller: { kind: "service", name: "ada", authentication: "token" } },
  },
  "request.no-insecure-options": { request: { insecureOptions: ["insecure-working-tree"] } },
  "request.commit-signed": { request: { source: { commit: COMMIT, signature: { status: "unverified" } } } },
  "request.clean-tree": { request: { source: { workingTree: true } } },
  "request.steps-in-images": { request: { steps: [{ name: "build", network: "none", script: false }] } },
  "request.images-pinned": { request: { images: [image] } },
  "request.images-vouched": { request: { images: [{ ...image, vouchers: [] }] } },
  "request.images-from-factory": { request: { images: [{ ...image, vouchers: ["cosign"] }] } },
  "request.images-allowed": { request: { images: [image] } },
  "request.nodes-allowed": { request: { nodes: ["spiffe://factory.example/laptop"] } },
  "request.template": { request: { templates: [] } },
  "request.pipeline-signed": {
    request: { pipeline: { name: "default", file: "touchmark.yaml", signers: ["spiffe://factory.example/user/eve"] } },
  },
  "dependency.gate-admits": {
    request: { rules: [{ rule: "lookalike", outcome: "refused", message: "left-pad1 looks like left-pad" }] },
  },
  "dependency.repository-named": { request: { repository: "" } },
  "dependency.locked": { request: { locked: false } },
  "dependency.old-enough": { request: { published: "2026-06-01T09:00:00Z" } },
  "dependency.licence": { request: { licence: "SSPL-1.0" } },
  "dependency.vulnerabilities": { request: { vulnerabilities: [{ id: "CVE-2026-0001", class: "critical" }] } },
  "dependency.upstream-evidence": { request: { evidence: [{ kind: "npm-signature", outcome: "absent" }] } },
  "step.inputs-verified": {
    request: {
      inputs: [{ from: "fetch", digest: `sha256:${"8".repeat(64)}`, access: "read-only", verified: false }],
    },
  },
  "step.network-known": { request: { network: "open" } },
  "step.image-fixed": { request: { image: { reference: "node:22", digest: "", pinned: false } } },
  "step.no-insecure-options": { request: { tier: "process" } },
  "step.inputs-read-only": {
    request: { inputs: [{ from: "source", digest: `sha256:${"8".repeat(64)}`, access: "write", verified: true }] },
  },
  "secrets.sealed-steps": { request: { secrets: ["NPM_TOKEN"], network: "proxy" } },
  "chain.whole": { chain: null },
  "chain.has-steps": { chain: { steps: [] } },
  "chain.gates-passed": { chain: { decisions: [{ point: "request" }, { point: "publish", digest: "sha256:0" }] } },
  "chain.gate-not-refused": analysedWith({ gate: { verdict: "refused", results: [] } }),
  "build.no-insecure-options": { chain: { insecureOptions: ["insecure-process"] } },
  "build.committed": { chain: { workingTree: true } },
  "build.hermetic": { chain: { hermetic: false, notHermetic: ["step build read 3 files that nobody accounts for"] } },
  "build.no-open-network": steppedWith({ network: "open" }),
  "build.observed": steppedWith({ observed: false }),
  "build.workloads-attested": without("workload-attestation"),
  "build.credentials-listed": without("credential-issuance"),
  "build.environment-recorded": without("/environment/"),
  "build.storage-recorded": without("mounts-and-network"),
  "build.duties-segregated": {
    chain: {
      statements: statements.map((each) => ({ ...each, signer: each.signer.replace("/step/build", "/step/fetch") })),
    },
  },
  "build.in-images": steppedWith({ image: null }),
  "build.images-secure": { chain: { images: [{ ...image, insecure: true, scan: "none" }] } },
  "sbom.complete": { chain: { analyses: [] } },
  "vulnerabilities.evaluated": analysedWith({ vulnerabilities: { evaluated: false } }),
  "vulnerabilities.none-refused": analysedWith({
    vulnerabilities: { evaluated: true, counts: { critical: 1, high: 0 } },
  }),
  "vulnerabilities.gate-passed": analysedWith({ gate: { verdict: "not-evaluated", results: [] } }),
  "licences.none-denied": analysedWith({ licences: { denied: 1, unknown: 0 } }),
  "licences.none-unknown": analysedWith({ licences: { denied: 0, unknown: 2 } }),
  "sbom.ingested-analysed": without("composition"),
  "tests.reported": without("step-report"),
  "builder.trusted": { parameters: { builders: ["spiffe://elsewhere.example/builder"] } },
  "source.trusted": { parameters: { sources: ["https://git.example/fork.git"] } },
  "source.revision-known": { chain: { source: { uri: "https://git.example/scale.git", commit: "main" } } },
  "review.approved": reviewedWith({
    reviews: [{ reviewer: { name: "ada", system: "git" }, decision: "approved", commit: COMMIT }],
  }),
  "review.distinct-author": reviewedWith({ distinctFromAuthor: false }),
  "approval.distinct-roles": { evidence: approvals.slice(0, 1) },
  "approval.not-withdrawn": {
    evidence: [
      ...approvals,
      ...approvals.slice(0, 1).map((each) => ({
        ...each,
        predicate: { user: "ada", decision: "withdrawn" },
        time: "2026-06-01T11:00:00Z",
      })),
    ],
  },
  "layout.followed": { layout: "refused" },
  "reproducible.two-builders": { evidence: provenance === undefined ? [] : [provenance] },
  "reproducible.fixed-inputs": { chain: { hermetic: false, notHermetic: ["step fetch had the open network"] } },
  "freshness.evidence": {
    evidence: provenance === undefined ? [] : [{ ...provenance, time: "2025-06-01T12:00:00Z" }],
  },
  "secrets.scan-passed": {
    evidence: (goodEvidence["secret_scan"] ?? []).map((each) => ({ ...each, predicate: { result: "FAILED" } })),
  },
  "decision.published": {
    evidence: (goodEvidence["decision"] ?? []).map((each) => ({
      ...each,
      // It passed another gate: nothing of publication.
      predicate: { verificationResult: "PASSED", touchmark_decision: { point: "deploy" } },
    })),
  },
  "publish.oci-target": { request: { target: "/srv/files/scale.tar" } },
};
