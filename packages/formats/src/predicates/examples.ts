import type { Digest } from "@touchmark/core";
import type { PredicateName, PredicateOf } from "./catalogue.ts";
import type { Chain, Selector } from "./common.ts";
import { linkPredicate } from "./link.ts";
import { PIPELINE_BUILD_TYPE, provenancePredicate } from "./provenance.ts";
import { runtimeTracePredicate } from "./runtime-trace.ts";

/** One small, valid example of every predicate: published beside the schemas, and the seed of their tests. */

const digest = (n: number): Digest => `sha256:${n.toString(16).padStart(64, "0")}`;
const chain: Chain = {
  run: "20261121-104231-4f1d",
  createdAt: "2026-11-21T10:42:31Z",
  predecessors: [{ name: "source", digest: digest(0xa1) }],
};
const node = "spiffe://factory.example/node";
const step = "spiffe://factory.example/project/demo/pipeline/default/step/build";
const commit = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad";
const person = { name: "ada", system: "forge.example", id: "1815" };
const kernel = (type: string, value: string): Selector => ({ type, value, label: "kernel" });

export const predicateExamples: { readonly [Name in PredicateName]: PredicateOf<Name> } = {
  trigger: {
    ...chain,
    predecessors: [],
    actor: { kind: "local-user", name: "ada", id: "1000", authentication: "kernel" },
    cause: "command",
    requestedAt: "2026-11-21T10:42:30Z",
    request: {
      source: { uri: "file:///srv/demo", revision: "HEAD" },
      pipeline: { file: "touchmark.yaml", name: "default" },
      parameters: { version: "1.2.0", debug: false },
      insecureOptions: [],
      cache: true,
      jobs: 2,
    },
    factory: { name: "touchmark", version: "0.1.0", builder: "spiffe://factory.example/builder" },
  },
  source: {
    ...chain,
    uri: "file:///srv/demo",
    revision: "HEAD",
    commit,
    tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    treeDigest: digest(0xb2),
    entries: 42,
    committedAt: "2026-11-20T08:00:00Z",
    author: "Ada <ada@demo.example>",
    signature: { format: "ssh", status: "good", key: "SHA256:abc", signer: "ada@demo.example" },
    submodules: [],
    largeFiles: [],
    workingTree: false,
    changedFiles: [],
    pipelineFile: { path: "touchmark.yaml", digest: digest(0xb3) },
  },
  "node-attestation": {
    ...chain,
    node,
    evidence: "self-claim",
    attestedAt: "2026-11-21T10:42:31Z",
    selectors: [{ type: "kernel", value: "linux 6.18.0 x64", label: "self-claim" }],
    limits: ["The node vouches for itself: whoever controls it controls this statement."],
  },
  "workload-attestation": {
    ...chain,
    node,
    workloads: [
      {
        step: "build",
        spiffeId: step,
        attestedAt: "2026-11-21T10:42:40Z",
        selectors: [kernel("pid-namespace", "4026532281"), kernel("executable-digest", digest(0xc1))],
        keyHolder: "control-plane",
      },
    ],
  },
  "mounts-and-network": {
    ...chain,
    steps: [
      {
        step: "build",
        mounts: [{ at: "/work/source", kind: "input", from: "source", access: "read-only", digest: digest(0xb2) }],
        output: { at: "/work/output", digest: digest(0xd1), sharedWith: ["pack"] },
        network: { declared: "none", enforced: "none", namespace: "4026532284", attempts: 0, recorded: false },
      },
    ],
    hermetic: true,
  },
  "cache-hit": {
    ...chain,
    step: "build",
    key: digest(0xe1),
    output: digest(0xd1),
    materials: [{ name: "source", digest: digest(0xb2) }],
    original: { run: "20261120-080000-0a1b", functionary: step, link: digest(0xe2), bundles: [digest(0xe2)] },
  },
  environment: {
    ...chain,
    platform: { system: "Linux", release: "6.18.0", architecture: "x64", distribution: "debian 12", processors: 2 },
    runtime: { name: "node", version: "24.21.0" },
    packages: { manager: "dpkg", list: [{ name: "gcc", version: "4:12.2.0-3", architecture: "amd64" }] },
    files: [{ path: "/usr/bin/make", digest: digest(0xf1), package: "make" }],
    complete: true,
    toolchains: [],
    variables: [{ step: "build", values: { CI: "1" }, withheld: ["NPM_TOKEN"] }],
    tools: [{ name: "bubblewrap", version: "0.8.0", path: "/usr/bin/bwrap" }],
  },
  release: {
    ...chain,
    project: "demo",
    pipeline: "default",
    source: { uri: "file:///srv/demo", commit, treeDigest: digest(0xb2) },
    artifacts: [
      {
        name: "package",
        kind: "npm-package",
        step: "pack",
        path: "demo.tgz",
        digest: digest(0xd2),
        bytes: 4711,
        bundles: [digest(0xe4)],
      },
    ],
    steps: [{ name: "build", output: digest(0xd1), link: digest(0xe2), trace: digest(0xe3) }],
    bundles: [
      {
        name: "source",
        predicateType: "https://touchmark.dev/predicates/source/v1",
        digest: digest(0xa1),
        logIndex: 7,
      },
    ],
  },
  "credential-issuance": {
    ...chain,
    issuer: "https://factory.example",
    certificates: [
      {
        spiffeId: step,
        profile: "signing",
        serial: "5f3a",
        notBefore: "2026-11-21T10:42:21Z",
        notAfter: "2026-11-21T10:52:21Z",
        certificate: digest(0x11),
        publicKey: digest(0x12),
        issuer: digest(0x13),
      },
    ],
  },
  review: {
    ...chain,
    repository: "https://forge.example/demo.git",
    change: { id: "17", base: "4b825dc642cb6eb9a060e54bf8d69288fbee4904", head: commit },
    author: person,
    reviews: [
      { reviewer: { ...person, name: "grace", id: "1906" }, decision: "approved", commit, at: "2026-11-20T09:00:00Z" },
    ],
    required: 1,
    distinctFromAuthor: true,
    scope: "code",
  },
  "role-export": {
    ...chain,
    system: "forge.example",
    exportedAt: "2026-11-21T10:00:00Z",
    connectorPermissions: ["read:members"],
    roles: [{ role: "maintainer", permissions: ["merge"] }],
    assignments: [{ who: person, role: "maintainer", scope: "demo" }],
  },
  "repository-controls": {
    ...chain,
    repository: "https://forge.example/demo.git",
    observedAt: "2026-11-21T10:00:00Z",
    connectorPermissions: ["read:settings"],
    defaultBranch: "main",
    controls: [{ control: "require-signed-commits", ref: "main", state: "enforced", bypass: [] }],
  },
  "key-event": {
    ...chain,
    event: "rotated",
    at: "2026-11-21T10:00:00Z",
    key: {
      role: "intermediate",
      algorithm: "ecdsa-p256-sha256",
      publicKey: digest(0x21),
      storage: "file",
      online: true,
      notBefore: "2026-11-21T10:00:00Z",
      notAfter: "2027-12-23T10:00:00Z",
    },
    successor: digest(0x22),
    reason: "yearly rotation",
    responsible: "ada",
  },
  drill: {
    ...chain,
    kind: "revocation",
    startedAt: "2026-11-21T10:00:00Z",
    finishedAt: "2026-11-21T10:04:00Z",
    scenario: "The intermediate key was said to be stolen.",
    participants: [person],
    measurements: [{ name: "until verifiers refuse", milliseconds: 181_000, target: 600_000 }],
    outcome: "passed",
    findings: [],
    evidence: [digest(0x31)],
  },
  "human-answer": {
    ...chain,
    requirement: "EQ8",
    question: "Is multi-factor authentication demanded of every account that can push?",
    answer: "met",
    explanation: "Enforced by the organisation's settings since 2024.",
    person,
    answeredAt: "2026-11-21T10:00:00Z",
    expires: "2027-05-21T10:00:00Z",
    evidence: [{ name: "screenshot of the settings", digest: digest(0x41) }],
  },
  link: linkPredicate({
    chain,
    step: "build",
    command: ["make", "all"],
    materials: [{ name: "source", digest: digest(0xb2) }],
    exitCode: 0,
    log: { digest: digest(0x51), bytes: 1024 },
    environment: { tier: "sandbox-own-user" },
  }),
  "runtime-trace": runtimeTracePredicate({
    chain,
    node,
    buildType: PIPELINE_BUILD_TYPE,
    step: "build",
    startedOn: "2026-11-21T10:42:32Z",
    finishedOn: "2026-11-21T10:42:40Z",
    observation: {
      tier: "strace-seccomp",
      complete: true,
      losses: [],
      coverage: { notCovered: [] },
      events: { opens: 2 },
      processes: [
        {
          pid: 4711,
          parent: undefined,
          executable: "/usr/bin/make",
          executableBy: "argument",
          digest: digest(0xf1),
          argv: ["make", "all"],
          argvTruncated: false,
          directory: "/work/source",
          exit: { code: 0 },
        },
      ],
      files: {
        read: [{ path: "/work/source/Makefile", origin: "input", digest: digest(0x61), digestTime: "before-use" }],
        written: [{ path: "/work/output/app", origin: "output", digest: digest(0x62), digestTime: "after-use" }],
        deleted: [],
        transient: { count: 1, sample: ["/tmp/cc1.o"] },
        directories: { count: 1, sample: ["/work/source"] },
      },
      network: [
        { pid: 4711, call: "connect", family: "AF_INET", address: "192.0.2.1", port: 443, result: "EPERM", count: 1 },
      ],
      refused: [{ call: "ptrace", pid: 4711, count: 1, answer: "EPERM" }],
      log: { digest: digest(0x63), bytes: 512, uncompressedBytes: 4096 },
    },
  }),
  provenance: provenancePredicate({
    chain,
    builder: "spiffe://factory.example/builder",
    version: "0.1.0",
    external: {
      source: { uri: "file:///srv/demo", revision: "HEAD" },
      pipeline: { file: "touchmark.yaml", name: "default" },
      parameters: { version: "1.2.0" },
      insecure: [],
    },
    internal: {
      artifact: { name: "package", step: "pack", path: "demo.tgz" },
      pipelineFile: digest(0xb3),
      hermetic: true,
      openNetwork: [],
      workingTree: false,
      isolation: { build: "sandbox-own-user" },
      observation: { build: { tier: "strace-seccomp", complete: true } },
      cached: {},
    },
    source: { uri: "git+file:///srv/demo", commit, treeDigest: digest(0xb2) },
    dependencies: [{ name: "environment", digest: { sha256: digest(0x71).slice(7) } }],
    startedOn: "2026-11-21T10:42:31Z",
    finishedOn: "2026-11-21T10:42:50Z",
    byproducts: [{ name: "step/build/trace", digest: { sha256: digest(0xe3).slice(7) } }],
  }),
};
