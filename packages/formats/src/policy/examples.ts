import type { PolicyDocuments } from "./kinds.ts";

const hash = (digit: string) => `sha256:${digit.repeat(64)}` as const;
const builder = "spiffe://factory.example/project/shop/pipeline/default/step/build";

/** One document of each kind, as the documentation shows it. */
export const policyDocumentExamples: PolicyDocuments = {
  policy: {
    touchmark: "policy/v1",
    name: "shop-deploy",
    version: 3,
    description: "What the shop demands before anything goes into production.",
    expires: "2027-06-30T00:00:00Z",
    point: "deploy",
    mode: "enforce",
    match: { names: ["registry.example/shop/**"], environments: ["production"] },
    trust: {
      factory: { identities: [{ identity: "spiffe://factory.example/builder" }] },
      reviewers: {
        identities: [{ identity: "spiffe://factory.example/user/*", pattern: true }],
        role: "reviewer",
      },
    },
    attestations: {
      provenance: { predicateType: "https://slsa.dev/provenance/v1", by: ["factory"], about: "subject" },
      scan: {
        predicateType: "https://in-toto.io/attestation/vulns/v0.2",
        by: ["factory"],
        maxAgeSeconds: 604_800,
      },
    },
    exceptions: { by: ["reviewers"] },
    layout: hash("1"),
    parameters: {
      mostHigh: { type: "int", description: "How many findings of severity high may be open.", default: 0 },
    },
    variables: [{ name: "definition", expression: "attestations.provenance[0].predicate.buildDefinition" }],
    rules: [
      {
        id: "build-type",
        title: "Built by a pipeline of this factory",
        expression: 'vars.definition.buildType == "https://touchmark.dev/buildtypes/pipeline/v1"',
        message: "The artifact was built by something else.",
        solution: "Run it through `touchmark run`.",
        severity: "critical",
        practices: ["RA-POL-02"],
      },
      {
        id: "findings",
        title: "Few open findings of severity high",
        expression:
          'attestations.scan.all(s, s.predicate.scanner.result.filter(r, r.severity == "high").size() <= params.mostHigh)',
        dependsOn: ["build-type"],
        effectiveOn: "2026-12-01T00:00:00Z",
      },
    ],
  },
  layout: {
    touchmark: "layout/v1",
    name: "shop",
    version: 1,
    expires: "2027-06-30T00:00:00Z",
    source: { uri: "git+https://code.example/shop.git", revision: "refs/heads/main" },
    functionaries: {
      builder: { identities: [{ identity: builder }] },
      packer: { identities: [{ identity: builder.replace("build", "pack") }], keys: [hash("2")] },
    },
    steps: [
      {
        name: "build",
        functionaries: ["builder"],
        materials: [
          { rule: "MATCH", pattern: "*", with: "products", from: "source" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        products: [
          { rule: "CREATE", pattern: "dist/*" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      },
      {
        name: "pack",
        after: ["build"],
        functionaries: ["packer"],
        command: ["tar", "cf", "shop.tar", "dist"],
        materials: [
          { rule: "MATCH", pattern: "*", with: "products", from: "build" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        products: [
          { rule: "REQUIRE", pattern: "shop.tar" },
          { rule: "CREATE", pattern: "shop.tar" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      },
    ],
    inspections: [{ name: "listing", command: ["tar", "tf", "shop.tar"], products: [{ rule: "ALLOW", pattern: "*" }] }],
    subjects: [{ step: "pack", products: ["shop.tar"] }],
  },
  exception: {
    touchmark: "exception/v1",
    id: "shop-2026-11",
    policy: "shop-deploy",
    rules: ["findings"],
    subject: { digest: hash("3") },
    reason: "The finding is in a test fixture; the fix comes with the next release.",
    ticket: "https://tickets.example/SHOP-41",
    requester: "spiffe://factory.example/user/ada",
    approvers: ["spiffe://factory.example/user/grace"],
    created: "2026-11-20T09:00:00Z",
    expires: "2026-12-04T00:00:00Z",
  },
  "policy-set": {
    touchmark: "policy-set/v1",
    name: "shop",
    version: 12,
    expires: "2027-03-31T00:00:00Z",
    engine: "0.1.0",
    members: [
      { kind: "policy", name: "shop-deploy", digest: hash("4") },
      { kind: "layout", name: "shop", digest: hash("1") },
    ],
    trust: {
      security: { identities: [{ identity: "spiffe://factory.example/user/grace" }] },
      operations: { identities: [{ identity: "spiffe://factory.example/user/edsger" }] },
    },
    threshold: 2,
  },
  "policy-test": {
    touchmark: "policy-test/v1",
    policy: "shop-deploy.yaml",
    cases: [
      {
        name: "built elsewhere",
        now: "2026-12-24T18:00:00Z",
        subject: { name: "registry.example/shop/web", digest: hash("3") },
        request: { environment: "production" },
        evidence: [
          {
            predicateType: "https://slsa.dev/provenance/v1",
            predicate: { buildDefinition: { buildType: "https://elsewhere.example/v1" } },
            identity: "spiffe://factory.example/builder",
          },
        ],
        expect: { decision: "deny", rules: { "build-type": "failed", findings: "skipped" } },
      },
    ],
  },
};
