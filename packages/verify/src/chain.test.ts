import { sha256 } from "@touchmark/core";
import {
  mintBundle,
  mintRun,
  mintWorld,
  type RunRecipe,
  type RunStatement,
  runFacts,
  statementOf,
  trustedRootBytes,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { type ChainExpectations, isVerifiedChain, verifyChain, verifyRun } from "./chain.ts";
import { readTrustRoot, verifyBundle } from "./index.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const good = mintRun(world);
const expected: ChainExpectations & { now: Date } = {
  artifact: good.artifact,
  builder: good.builder,
  source: good.source,
  now: world.at,
};
const other = sha256("something else");
const withCode = (code: string, nature = "refused") => expect.objectContaining({ code, nature });
const at = (name: string, change: (statement: RunStatement) => void): RunRecipe => ({
  change: (statement) => {
    if (statement.name === name) change(statement);
  },
});

test("V13: a whole run is one chain from source to artifact", () => {
  const chain = verifyRun(good.bundles(), trustRoot, expected);
  expect(isVerifiedChain(chain)).toBe(true);
  expect(isVerifiedChain({ ...chain })).toBe(false);
  expect(chain).toMatchObject({
    run: runFacts.run,
    project: "demo",
    pipeline: "default",
    source: { uri: runFacts.source, commit: runFacts.commit },
    artifact: { name: "app", step: "build" },
    steps: [
      { name: "fetch", network: "open", observed: true, cachedFrom: undefined },
      { name: "build", network: "none", observed: true },
    ],
    hermetic: false,
    workingTree: false,
    unlisted: [],
  });
  expect(chain.statements).toHaveLength(good.bundles().length);
  expect(chain.notChecked).toContain("what came through the open network of fetch");
});

test("V13: bundles may come in any order, and others beside them are shown and not judged", () => {
  const stray = mintBundle(world, {
    statement: statementOf(Buffer.from("x")),
    leaf: { uris: [`spiffe://${world.trustDomain}/attest`] },
  });
  const chain = verifyRun([stray.bytes, ...good.bundles().reverse()], trustRoot, {
    ...expected,
    commit: runFacts.commit,
  });
  expect(chain.unlisted).toEqual([sha256(stray.bytes)]);
});

test("V13: every single bundle is needed", () => {
  for (const name of good.statements.keys()) {
    const rest = [...good.statements].filter(([each]) => each !== name).map(([, each]) => each.bytes);
    const code = name === "release" ? "CHAIN_RELEASE_MISSING" : "CHAIN_BUNDLE_MISSING";
    expect(() => verifyRun(rest, trustRoot, expected), name).toThrow(withCode(code));
  }
});

test("V13: statements that were not verified here, twice or with another root are refused", () => {
  const unbound = { artifact: "unbound", identityPattern: ".+", issuer: world.issuer } as const;
  const verified = good.bundles().map((bytes) => verifyBundle(bytes, trustRoot, unbound));
  const [first, ...rest] = verified as [(typeof verified)[number], ...typeof verified];
  expect(() => verifyChain([{ ...first }, ...rest], expected)).toThrow(withCode("CHAIN_UNVERIFIED"));
  expect(() => verifyChain([first, ...verified], expected)).toThrow(withCode("CHAIN_BUNDLE_DUPLICATE"));
  const elsewhere = readTrustRoot(trustedRootBytes(world, (root) => void root.tlogs.reverse()));
  const foreign = verifyBundle(good.bundles()[0] as Uint8Array, elsewhere, unbound);
  expect(() => verifyChain([...rest, foreign], expected)).toThrow(withCode("CHAIN_UNVERIFIED"));
});

test("V13: expectations that say nothing decide nothing", () => {
  for (const change of [{ builder: "builder" }, { artifact: "x" }, { source: "" }]) {
    expect(() => verifyRun(good.bundles(), trustRoot, { ...expected, ...change } as never)).toThrow(
      withCode("CHAIN_EXPECTATION_INVALID", "invalid"),
    );
  }
});

const asked: readonly (readonly [string, Partial<ChainExpectations>])[] = [
  ["CHAIN_RELEASE_MISSING", { artifact: other }],
  ["CHAIN_SOURCE_MISMATCH", { source: `${runFacts.source}2` }],
  ["CHAIN_SOURCE_MISMATCH", { commit: "f".repeat(40) }],
  ["CHAIN_PIPELINE_MISMATCH", { project: "another" }],
  ["CHAIN_PIPELINE_MISMATCH", { pipeline: "another" }],
  ["CHAIN_SIGNER_UNEXPECTED", { builder: `spiffe://${world.trustDomain}/other-builder` }],
  ["ISSUER_MISMATCH", { issuer: "https://other.example" }],
  ["IDENTITY_MISMATCH", { builder: "spiffe://other.example/builder" }],
];
test.each(asked)("V13: %s: what is expected differs: %j", (code, change) => {
  const issuer = change.builder === "spiffe://other.example/builder" ? { issuer: world.issuer } : {};
  expect(() => verifyRun(good.bundles(), trustRoot, { ...expected, ...issuer, ...change })).toThrow(withCode(code));
});

const builder = `spiffe://${world.trustDomain}/builder`;
const stepId = (name: string) => `spiffe://${world.trustDomain}/project/demo/pipeline/default/step/${name}`;

const bent: readonly (readonly [string, string, RunRecipe])[] = [
  [
    "CHAIN_SIGNER_UNEXPECTED",
    "a step signs for another one",
    at("step/build/link", (s) => (s.signer = stepId("fetch"))),
  ],
  ["CHAIN_SIGNER_UNEXPECTED", "a step signs the provenance", at("provenance/app", (s) => (s.signer = stepId("build")))],
  ["CHAIN_SIGNER_UNEXPECTED", "a step signs the manifest", at("release", (s) => (s.signer = stepId("build")))],
  [
    "CHAIN_SIGNER_UNEXPECTED",
    "attest signs the source",
    at("source", (s) => (s.signer = `spiffe://${world.trustDomain}/attest`)),
  ],
  ["CHAIN_SIGNER_UNEXPECTED", "the builder signs a link", at("step/build/link", (s) => (s.signer = builder))],
  [
    "CHAIN_SIGNER_UNEXPECTED",
    "the trace is of another project",
    at("step/build/trace", (s) => (s.signer = stepId("build").replace("/demo/", "/evil/"))),
  ],
  [
    "CHAIN_PREDICATE_MALFORMED",
    "a predicate with an unknown member",
    at("source", (s) => (s.statement.predicate.more = 1)),
  ],
  [
    "CHAIN_PREDICATE_MALFORMED",
    "a link without a place in the chain",
    {
      change: (s) => {
        if (s.name === "step/build/link") s.statement.predicate.touchmark_chain = undefined;
      },
    },
  ],
  ["CHAIN_RUN_MIXED", "a statement of another run", at("environment", (s) => (s.statement.predicate.run = "run-0"))],
  [
    "CHAIN_PREDECESSOR_MISSING",
    "a predecessor that does not exist",
    at("environment", (s) => s.predecessors.push("nothing")),
  ],
  ["CHAIN_PREDECESSOR_UNNAMED", "a source that names no trigger", at("source", (s) => (s.predecessors = []))],
  [
    "CHAIN_PREDECESSOR_UNNAMED",
    "a link that names no source",
    at("step/build/link", (s) => (s.predecessors = ["trigger"])),
  ],
  [
    "CHAIN_PREDECESSOR_UNNAMED",
    "a provenance that names one link of two",
    at("provenance/app", (s) => s.predecessors.pop()),
  ],
  [
    "CHAIN_PREDECESSOR_UNNAMED",
    "a manifest that rests on less than it lists",
    at("release", (s) => s.predecessors.pop()),
  ],
  [
    "CHAIN_REQUEST_MISMATCH",
    "a trigger about another request",
    at("trigger", (s) => (s.statement.predicate.request.cache = false)),
  ],
  [
    "CHAIN_REQUEST_MISMATCH",
    "parameters that nobody asked for",
    at("provenance/app", (s) => (s.statement.predicate.buildDefinition.externalParameters.parameters.version = "2")),
  ],
  [
    "CHAIN_BUILDER_MISMATCH",
    "a trigger of another builder",
    at("trigger", (s) => (s.statement.predicate.factory.builder = "spiffe://a.example/builder")),
  ],
  [
    "CHAIN_BUILDER_MISMATCH",
    "a provenance of another builder",
    at("provenance/app", (s) => (s.statement.predicate.runDetails.builder.id = "spiffe://a.example/builder")),
  ],
  [
    "CHAIN_SOURCE_MISMATCH",
    "a source statement about another tree",
    at("source", (s) => (s.statement.predicate.treeDigest = other)),
  ],
  ["CHAIN_SOURCE_MISMATCH", "a manifest of another commit", { release: (p) => (p.source.commit = "f".repeat(40)) }],
  [
    "CHAIN_PIPELINE_MISMATCH",
    "a provenance of another pipeline file",
    at("provenance/app", (s) => (s.statement.predicate.buildDefinition.internalParameters.pipelineFile = other)),
  ],
  [
    "CHAIN_PIPELINE_MISMATCH",
    "a manifest of another pipeline",
    { ...at("x", () => {}), release: (p) => (p.pipeline = "x"), change: renamePipeline },
  ],
  [
    "CHAIN_PROVENANCE_MISMATCH",
    "another build type",
    at("provenance/app", (s) => (s.statement.predicate.buildDefinition.buildType = "https://a.example/b")),
  ],
  [
    "CHAIN_PROVENANCE_MISMATCH",
    "a provenance of another commit",
    at(
      "provenance/app",
      (s) => (s.statement.predicate.buildDefinition.resolvedDependencies[0].digest.gitCommit = "f".repeat(40)),
    ),
  ],
  [
    "CHAIN_PROVENANCE_MISMATCH",
    "a provenance with another output",
    at(
      "provenance/app",
      (s) => (s.statement.predicate.buildDefinition.resolvedDependencies[2].digest.sha256 = other.slice(7)),
    ),
  ],
  [
    "CHAIN_STATEMENT_MISSING",
    "a provenance about another artifact",
    at("provenance/app", (s) => (s.statement.subject[0].digest.sha256 = other.slice(7))),
  ],
  ["CHAIN_STATEMENT_DUPLICATE", "two source statements", { more: () => [], change: duplicateSource() }],
  [
    "CHAIN_STEP_FAILED",
    "a link of a command that failed",
    at("step/build/link", (s) => (s.statement.predicate.byproducts["return-value"] = 1)),
  ],
  [
    "CHAIN_STEP_MISMATCH",
    "links in each other's place",
    { release: (p) => ([p.steps[0].link, p.steps[1].link] = [p.steps[1].link, p.steps[0].link]) },
  ],
  [
    "CHAIN_STEP_MISMATCH",
    "traces in each other's place",
    { release: (p) => ([p.steps[0].trace, p.steps[1].trace] = [p.steps[1].trace, p.steps[0].trace]) },
  ],
  ["CHAIN_STEP_MISMATCH", "one step twice", { release: (p) => p.steps.push(p.steps[0]) }],
  ["CHAIN_STEP_UNLISTED", "a step that the manifest leaves out", { release: (p) => p.steps.pop() }],
  ["CHAIN_PRODUCT_MISMATCH", "a manifest with another output", { release: (p) => (p.steps[1].output = other) }],
  [
    "CHAIN_PRODUCT_MISMATCH",
    "a trace about another output",
    at("step/build/trace", (s) => (s.statement.subject[0].digest.sha256 = other.slice(7))),
  ],
  [
    "CHAIN_MATERIAL_MISMATCH",
    "a step that used another source",
    at("step/build/link", (s) => (s.statement.predicate.materials[0].digest.sha256 = other.slice(7))),
  ],
  [
    "CHAIN_MATERIAL_MISMATCH",
    "a step that used what nobody made",
    at("step/build/link", (s) =>
      s.statement.predicate.materials.push({ name: "elsewhere", digest: { sha256: other.slice(7) } }),
    ),
  ],
  [
    "CHAIN_MATERIAL_MISMATCH",
    "a step that used its own output",
    at("step/fetch/link", (s) =>
      s.statement.predicate.materials.push({
        name: "fetch",
        digest: { sha256: (runFacts.outputs["fetch"] ?? "").slice(7) },
      }),
    ),
  ],
  [
    "CHAIN_MOUNT_MISMATCH",
    "an input that the link does not list",
    at("step/build/mounts", (s) => (s.statement.predicate.steps[0].mounts[0].from = "elsewhere")),
  ],
  [
    "CHAIN_MOUNT_MISMATCH",
    "an output that is another one",
    at("step/build/mounts", (s) => (s.statement.predicate.steps[0].output.digest = other)),
  ],
  [
    "CHAIN_STATEMENT_MISSING",
    "no storage statement of a step",
    at("step/build/mounts", (s) => (s.statement.predicate.steps[0].step = "test")),
  ],
  [
    "CHAIN_STATEMENT_MISSING",
    "a workload of another identity",
    at("step/build/workload", (s) => (s.statement.predicate.workloads[0].spiffeId = stepId("fetch"))),
  ],
  ["CHAIN_STATEMENT_MISSING", "no trace listed", { release: (p) => delete p.steps[1].trace }],
  ["CHAIN_ARTIFACT_NOT_PRODUCED", "an artifact of no step", { release: (p) => (p.artifacts[0].step = "deploy") }],
  [
    "CHAIN_ARTIFACT_NOT_PRODUCED",
    "an artifact that the link has not",
    { release: (p) => (p.artifacts[0].path = "other.tgz") },
  ],
  [
    "CHAIN_ARTIFACT_NOT_PRODUCED",
    "a product of another digest",
    at("step/build/link", (s) => (s.statement.subject[1].digest.sha256 = other.slice(7))),
  ],
  [
    "CHAIN_BUNDLE_MISSING",
    "an artifact's bundle that is not of the release",
    { release: (p) => p.artifacts[0].bundles.push(other) },
  ],
  [
    "CHAIN_BUNDLE_MISSING",
    "a bundle that is listed and not there",
    { release: (p) => p.bundles.push({ ...p.bundles[0], digest: other }) },
  ],
  [
    "CHAIN_BUNDLE_MISDESCRIBED",
    "a bundle under another predicate type",
    { release: (p) => (p.bundles[0].predicateType = "https://a.example/b") },
  ],
  ["CHAIN_BUNDLE_MISDESCRIBED", "a bundle under another log index", { release: (p) => (p.bundles[0].logIndex = 9999) }],
  [
    "CHAIN_CREDENTIAL_UNLISTED",
    "a certificate that the run does not account for",
    at("credentials", (s) => s.statement.predicate.certificates.splice(0, 1)),
  ],
];

function renamePipeline(statement: RunStatement): void {
  statement.signer = statement.signer.replace("/pipeline/default/", "/pipeline/x/");
}

function duplicateSource(): (statement: RunStatement) => void {
  return (statement) => {
    if (statement.name !== "node") return;
    // The statement in the node's place is a second source statement.
    statement.signer = builder;
    const { predicate, subject } = JSON.parse(JSON.stringify(good.statements.get("source")?.statement));
    const { run, createdAt, predecessors, ...rest } = predicate;
    Object.assign(statement.statement, {
      subject,
      predicate: rest,
      predicateType: "https://touchmark.dev/predicates/source/v1",
    });
  };
}

test.each(bent)("V13: %s: %s", (code, _, recipe) => {
  expect(() => verifyRun(mintRun(world, recipe).bundles(), trustRoot, expected)).toThrow(withCode(code));
});

test("V13: CHAIN_RELEASE_AMBIGUOUS: two runs that release one artifact are not one chain", () => {
  const second = mintRun(world, { run: "run-2" });
  expect(() => verifyRun([...good.bundles(), ...second.bundles()], trustRoot, expected)).toThrow(
    withCode("CHAIN_RELEASE_AMBIGUOUS"),
  );
});

const cachedRun = (recipe: RunRecipe = {}) => mintRun(world, { run: "run-2", cached: good, logBefore: 100, ...recipe });

test("V13: a step of an earlier run counts when a cache hit accounts for it", () => {
  const chain = verifyRun(cachedRun().bundles(), trustRoot, expected);
  expect(chain.run).toBe("run-2");
  expect(chain.steps).toMatchObject([
    { name: "fetch", cachedFrom: undefined },
    { name: "build", cachedFrom: runFacts.run },
  ]);
});

const hits: readonly (readonly [string, string, RunRecipe])[] = [
  ["CHAIN_CACHE_MISMATCH", "another key", at("step/build/cache-hit", (s) => (s.statement.predicate.key = other))],
  ["CHAIN_CACHE_MISMATCH", "another output", at("step/build/cache-hit", (s) => (s.statement.predicate.output = other))],
  [
    "CHAIN_CACHE_MISMATCH",
    "other inputs",
    at("step/build/cache-hit", (s) => (s.statement.predicate.materials[0].digest = other)),
  ],
  [
    "CHAIN_CACHE_MISMATCH",
    "another run",
    at("step/build/cache-hit", (s) => (s.statement.predicate.original.run = "run-0")),
  ],
  [
    "CHAIN_RUN_MIXED",
    "another link",
    at("step/build/cache-hit", (s) => Object.assign(s.statement.predicate.original, { link: other, bundles: [other] })),
  ],
  [
    "CHAIN_STATEMENT_MISSING",
    "another step",
    at("step/build/cache-hit", (s) => (s.statement.predicate.step = "fetch")),
  ],
  [
    "CHAIN_PREDECESSOR_UNNAMED",
    "no link that it rests on",
    at("step/build/cache-hit", (s) => (s.predecessors = s.predecessors.slice(0, 3))),
  ],
  ["CHAIN_ORDER", "a link that was logged later", { logBefore: 0 }],
];

test.each(hits)("V13: %s: a cache hit with %s", (code, _, recipe) => {
  expect(() => verifyRun(cachedRun(recipe).bundles(), trustRoot, expected)).toThrow(withCode(code));
});
