import type { Layout, Policy, PolicyException, PolicySet } from "../policy/index.ts";
import type { PredicateOf } from "./catalogue.ts";
import { chain, digest } from "./example-parts.ts";

const policy: Policy = {
  touchmark: "policy/v1",
  name: "production",
  version: 3,
  expires: "2027-05-01T00:00:00Z",
  point: "deploy",
  trust: { builder: { identities: [{ identity: "spiffe://factory.example/builder" }] } },
  attestations: { provenance: { predicateType: "https://slsa.dev/provenance/v1", by: ["builder"] } },
  rules: [
    {
      id: "hermetic",
      title: "Every step was hermetic",
      expression: "chain.hermetic",
      solution: "Fetch through the proxy in a fetch step.",
      severity: "high",
    },
  ],
};

const layout: Layout = {
  touchmark: "layout/v1",
  name: "demo",
  version: 1,
  expires: "2027-05-01T00:00:00Z",
  functionaries: {
    build: { identities: [{ identity: "spiffe://factory.example/project/demo/pipeline/default/step/build" }] },
  },
  steps: [
    {
      name: "build",
      functionaries: ["build"],
      materials: [
        { rule: "MATCH", pattern: "*", with: "products", from: "source" },
        { rule: "DISALLOW", pattern: "*" },
      ],
    },
  ],
  subjects: [{ step: "build" }],
};

const exception: PolicyException = {
  touchmark: "exception/v1",
  id: "TICKET-12",
  policy: "production",
  rules: ["hermetic"],
  subject: { digest: digest(0xb1) },
  reason: "The vendor's installer has to be fetched by the step itself until it is packaged.",
  ticket: "https://tickets.example/12",
  requester: "spiffe://factory.example/user/ada",
  approvers: ["spiffe://factory.example/user/grace"],
  created: "2026-11-21T10:42:30Z",
  expires: "2026-12-21T00:00:00Z",
};

const set: PolicySet = {
  touchmark: "policy-set/v1",
  name: "factory",
  version: 7,
  expires: "2027-05-01T00:00:00Z",
  members: [{ kind: "policy", name: "production", digest: digest(0xb2) }],
  trust: { security: { identities: [{ identity: "spiffe://factory.example/user/grace" }] } },
  threshold: 1,
};

/** Examples of the signed documents of policy. */
export const policyExamples: {
  readonly [Name in "control-test" | "exception" | "layout" | "policy" | "policy-set"]: PredicateOf<Name>;
} = {
  policy: { ...chain, predecessors: [], document: digest(0xb2), content: policy },
  layout: { ...chain, predecessors: [], document: digest(0xb3), content: layout },
  exception: { ...chain, predecessors: [], document: digest(0xb4), content: exception },
  "control-test": {
    ...chain,
    predecessors: [],
    project: "demo",
    pipeline: "default",
    source: { uri: "file:///srv/demo", commit: "3b18e512dba79e4c8300dd08aeb37f8e728b8dad" },
    baseline: digest(0xb1),
    startedAt: "2026-11-21T10:42:31Z",
    finishedAt: "2026-11-21T10:45:02Z",
    version: "0.1.0",
    experiments: [
      {
        id: "no-log",
        kind: "stopped",
        control: "nothing is released that is not in the transparency log",
        attempt: "the transparency log is gone",
        practices: ["test-pipeline-security-controls"],
        outcome: "held",
        detail: "LOG_UNREADABLE",
      },
    ],
    outcome: "passed",
  },
  "policy-set": { ...chain, predecessors: [], document: digest(0xb5), content: set },
};
