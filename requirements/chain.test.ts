import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, sha256 } from "@touchmark/core";
import { type PredicateOf, predicateType } from "@touchmark/formats/predicates";
import { fsckLog } from "@touchmark/log";
import { gatherEvidence, namedArtifact, type RunOutcome, verifyArtifact } from "@touchmark/pipeline";
import { findBundles, openIndex } from "@touchmark/store";
import { mintRun, mintWorld, type RunRecipe, runFacts, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, type TrustRoot, verifyBundle } from "@touchmark/verify";
import { type ChainExpectations, verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alterPayload } from "./forgery.ts";
import {
  artifactOf,
  canBuild,
  codeOf,
  type Evidence,
  openScene,
  pipelineFile,
  refusal,
  type Scene,
  signedAt,
} from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;
let trustRoot: TrustRoot;
let expected: ChainExpectations;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
  trustRoot = readTrustRoot(await scene.factory.trustRoot());
  const { trustDomain } = await scene.factory.identity();
  expected = { artifact: artifactOf(run), builder: `spiffe://${trustDomain}/builder`, source: run.source.uri };
});
afterAll(() => scene?.close());

const steps = ["fetch", "build", "pack"];
const kindsOfStep = ["workload", "link", "trace", "mounts"];
const bundles = (): Uint8Array[] => evidence.all.map((bundle) => bundle.bytes);
const without = (name: string): Uint8Array[] =>
  evidence.all.filter((bundle) => bundle.name !== name).map((bundle) => bundle.bytes);
const release = (): PredicateOf<"release"> => evidence.predicate("release", "release");

// A run whose signers are at the test's disposal, for forgeries that no factory signs.
const world = mintWorld();
const minted = (recipe: RunRecipe = {}): string =>
  codeOf(() =>
    verifyRun(mintRun(world, recipe).bundles(), readTrustRoot(trustedRootBytes(world)), {
      artifact: runFacts.artifact,
      builder: `spiffe://${world.trustDomain}/builder`,
      source: runFacts.source,
      now: world.at,
    }),
  );

const checkedLog = async () => fsckLog(scene.factory.home.paths.log, (await scene.factory.log()).verifierKey);

test.skipIf(!canBuild)("RA-PRIN-05: artifact, metadata and both altered: verification fails each time", async () => {
  const bytes = Buffer.from(await scene.factory.content.get(artifactOf(run)));
  await expect(verifyArtifact(scene.factory, { digest: sha256(bytes) })).resolves.toMatchObject({ statements: 30 });
  const file = join(scene.directory, "altered.tar");
  bytes.writeUInt8(bytes.readUInt8(600) ^ 1, 600);
  writeFileSync(file, bytes);
  const altered = await namedArtifact(file);
  await expect(verifyArtifact(scene.factory, altered)).rejects.toMatchObject(refusal("EVIDENCE_MISSING"));
  expect(codeOf(() => verifyRun(bundles(), trustRoot, { ...expected, artifact: altered.digest }))).toBe(
    "CHAIN_RELEASE_MISSING",
  );

  const commit = run.source.commit;
  const metadata = evidence.all.map(({ name, bytes: bundle }) =>
    name === "source"
      ? alterPayload(
          bundle,
          commit,
          commit.replace(/^./, (c) => (c === "0" ? "1" : "0")),
        )
      : bundle,
  );
  expect(codeOf(() => verifyRun(metadata, trustRoot, expected))).toBe("SIGNATURE_INVALID");

  const both = evidence.all.map(({ name, bytes: bundle }) =>
    ["release", "provenance/app", "step/pack/link"].includes(name)
      ? alterPayload(bundle, digestHex(artifactOf(run)), digestHex(altered.digest))
      : bundle,
  );
  expect(codeOf(() => verifyRun(both, trustRoot, { ...expected, artifact: altered.digest }))).toBe("SIGNATURE_INVALID");
});

test.skipIf(!canBuild)("RA-CHN-01: the chain leads from artifact to commit, and breaks without any link", () => {
  const chain = verifyRun(bundles(), trustRoot, expected);
  // Walk backwards: artifact, its step, what that step used, and so on, until nothing is left but the source.
  const reached = new Set<string>();
  const visit = (step: string): void => {
    reached.add(step);
    const { materials = [] } = evidence.predicate("link", `step/${step}/link`);
    for (const { name = "", digest } of materials) {
      if (name === "source") {
        expect(`sha256:${digest?.["sha256"]}`).toBe(chain.source.treeDigest);
        reached.add("source");
      } else {
        const from = evidence.named(`step/${name}/link`).verified.statement.subject[0];
        expect([from?.name, from?.digest["sha256"]]).toEqual([`output/${name}`, digest?.["sha256"]]);
        visit(name);
      }
    }
  };
  visit(chain.artifact.step);
  expect([...reached].sort()).toEqual([...steps, "source"].sort());
  expect(evidence.predicate("source", "source")).toMatchObject({
    commit: run.source.commit,
    treeDigest: chain.source.treeDigest,
  });
  for (const step of steps) {
    expect(
      codeOf(() => verifyRun(without(`step/${step}/link`), trustRoot, expected)),
      step,
    ).toBe("CHAIN_BUNDLE_MISSING");
  }
  // Reordered by somebody who can sign: links in each other's place.
  expect(minted()).toBe("accepted");
  const swap = (predicate: { steps: { link: Digest }[] }): void => {
    const [one, two] = predicate.steps as [{ link: Digest }, { link: Digest }];
    [one.link, two.link] = [two.link, one.link];
  };
  expect(minted({ release: swap })).toBe("CHAIN_STEP_MISMATCH");
});

test.skipIf(!canBuild)("RA-RUN-01: tasks and their order are recorded; an omitted or shuffled task shows", async () => {
  const began = (name: string): number => Date.parse(evidence.trace(name).metadata?.buildStartedOn ?? "");
  const ended = (name: string): number => Date.parse(evidence.trace(name).metadata?.buildFinishedOn ?? "");
  const recorded = [...steps].sort((a, b) => began(a) - began(b));
  expect(recorded).toEqual(steps);
  expect(ended("fetch")).toBeLessThanOrEqual(began("build"));
  expect(ended("build")).toBeLessThanOrEqual(began("pack"));
  expect(release().steps.map((step) => step.name)).toEqual(steps);

  scene.commit({
    "touchmark.yaml": pipelineFile
      .replace(/ {6}pack:[\s\S]*?(?= {4}artifacts:)/, "")
      .replace("from: pack, path: app.tar", "from: build, path: app.txt"),
  });
  const shorter = await scene.run();
  const other = await scene.evidence(shorter);
  scene.commit({ "touchmark.yaml": pipelineFile });
  expect(other.predicate("release", "release").steps.map((step) => step.name)).toEqual(["fetch", "build"]);
  const theirs = other.all.map((bundle) => bundle.bytes);
  expect(codeOf(() => verifyRun(theirs, trustRoot, expected))).toBe("CHAIN_RELEASE_MISSING");
  for (const kind of ["link", "trace"]) {
    expect(codeOf(() => verifyRun(without(`step/build/${kind}`), trustRoot, expected))).toBe("CHAIN_BUNDLE_MISSING");
  }
  // Omitted by the builder itself, and a record in which the order is another one.
  expect(minted({ release: (predicate) => predicate.steps.pop() })).toBe("CHAIN_STEP_UNLISTED");
  const shuffled: RunRecipe = {
    change: (statement) => {
      if (statement.name === "step/fetch/link") statement.predecessors.push("step/build/link");
      if (statement.name === "step/build/link") statement.predecessors.splice(-1);
    },
  };
  expect(minted(shuffled)).toBe("CHAIN_PREDECESSOR_MISSING");
});

test.skipIf(!canBuild)("RA-RUN-03: every task is able to attest, and each has its signed entries", async () => {
  const log = await checkedLog();
  const ofSteps = evidence.names.filter((name) => name.startsWith("step/"));
  const wanted = [
    ...steps.flatMap((step) => kindsOfStep.map((kind) => `step/${step}/${kind}`)),
    "step/fetch/materials",
    ...steps.map((step) => `step/${step}/decision`),
    "step/fetch/composition",
  ];
  expect(ofSteps.sort()).toEqual(wanted.sort());
  for (const name of ofSteps) {
    const { digest, verified } = evidence.named(name);
    expect(await scene.factory.content.has(digest)).toBe(true);
    expect(verified.logEntries[0]?.logIndex).toBeLessThan(log.size);
  }
});

test.skipIf(!canBuild)("RA-OBS-04: observer, node and workload attestor have signed documents in the release", () => {
  const kinds = { trace: "step/build/trace", node: "node", workload: "step/build/workload" };
  const listed = release().bundles.map((row) => row.name);
  for (const [kind, name] of Object.entries(kinds)) {
    expect(listed, kind).toContain(name);
    expect(evidence.named(name).verified.signer).toMatchObject({ kind: "certificate" });
    expect(
      codeOf(() => verifyRun(without(name), trustRoot, expected)),
      kind,
    ).toBe("CHAIN_BUNDLE_MISSING");
  }
  // Left out by who signs the manifest, the kinds are missed all the same.
  for (const name of ["step/build/trace", "node", "step/build/workload"]) {
    const omit = (predicate: { bundles: { name: string }[] }, statement: { predecessors: string[] }): void => {
      predicate.bundles = predicate.bundles.filter((row) => row.name !== name);
      statement.predecessors = statement.predecessors.filter((each) => each !== name);
    };
    expect(minted({ release: omit }), name).toMatch(/^CHAIN_(STATEMENT|PREDECESSOR)_MISSING$/);
  }
});

test.skipIf(!canBuild)(
  "RA-S0-01: each step has node identity, workload identity and the observer's statement",
  async () => {
    const { trustDomain } = await scene.factory.identity();
    for (const step of steps) {
      const id = `spiffe://${trustDomain}/project/demo/pipeline/default/step/${step}`;
      const workload = evidence.workload(step);
      expect(workload.spiffeId).toBe(id);
      expect(workload.selectors.filter((row) => row.label === "kernel").map((row) => row.type)).toEqual(
        expect.arrayContaining(["process", "start-time", "user", "pid-namespace", "executable-digest"]),
      );
      const trace = evidence.named(`step/${step}/trace`);
      expect(trace.verified.signer).toMatchObject({ identity: id });
      expect(evidence.trace(step).monitoredProcess.hostID).toBe(`spiffe://${trustDomain}/node`);
      expect(evidence.trace(step).touchmark_chain?.predecessors).toContainEqual({
        name: "node",
        digest: evidence.named("node").digest,
      });
    }
    const builder = { identity: `spiffe://${trustDomain}/builder` };
    expect(evidence.named("trigger").verified.signer).toMatchObject(builder);
    expect(evidence.named("node").verified.signer).toMatchObject({ identity: `spiffe://${trustDomain}/node` });
  },
);

test.skipIf(!canBuild)("RA-S1-05: products of a step are the materials of the next, unchanged", () => {
  for (const step of steps) {
    const link = evidence.predicate("link", `step/${step}/link`);
    for (const { name = "", digest } of link.materials ?? []) {
      if (name === "source") continue;
      const product = evidence.named(`step/${name}/link`).verified.statement.subject[0];
      expect(digest?.["sha256"]).toBe(product?.digest["sha256"]);
    }
  }
  const other = (name: string): RunRecipe => ({
    change: (statement) => {
      if (statement.name === name) statement.statement.predicate.materials[1].digest.sha256 = "0".repeat(64);
    },
  });
  expect(minted(other("step/build/link"))).toBe("CHAIN_MATERIAL_MISMATCH");
});

test.skipIf(!canBuild)("RA-S3-07: the source's predecessor is the stored statement of the trigger", async () => {
  const [predecessor] = evidence.predicate("source", "source").predecessors;
  const trigger = evidence.named("trigger");
  expect(predecessor).toEqual({ name: "trigger", digest: trigger.digest });
  expect(sha256(await scene.factory.content.get(trigger.digest))).toBe(trigger.digest);
  expect(trigger.verified.logEntries[0]?.logIndex).toBeLessThan(
    evidence.named("source").verified.logEntries[0]?.logIndex ?? 0,
  );
  const unlinked: RunRecipe = {
    change: (statement) => {
      if (statement.name === "source") statement.predecessors = [];
    },
  };
  expect(minted(unlinked)).toBe("CHAIN_PREDECESSOR_UNNAMED");
});

test.skipIf(!canBuild)("RA-S3-08: from a released artifact an auditor reaches the record of its trigger", async () => {
  const found = await gatherEvidence(scene.factory, artifactOf(run));
  const chain = verifyRun(
    found.bundles.map((bundle) => bundle.bytes),
    trustRoot,
    expected,
  );
  const reached = chain.statements.find((each) => each.predicateType === predicateType("trigger"));
  expect(reached?.digest).toBe(evidence.named("trigger").digest);
  expect(evidence.predicate("trigger", "trigger")).toMatchObject({ run: run.run, cause: "command" });
});

test.skipIf(!canBuild)("RA-OUT-01: the release manifest lists every output with kind and digest", async () => {
  const { artifacts, steps: released, bundles: listed } = release();
  expect(artifacts).toMatchObject([{ name: "app", kind: "file", digest: artifactOf(run), step: "pack" }]);
  expect(sha256(await scene.factory.content.get(artifactOf(run)))).toBe(artifactOf(run));
  expect(released.map(({ name, output }) => [name, output])).toEqual(run.steps.map((step) => [step.name, step.output]));
  // Every bundle of the run but the manifest itself, each with its kind, and nothing else.
  const made = (await scene.factory.runs.get(run.run)).bundles;
  expect(listed.map(({ digest, predicateType: kind }) => [digest, kind])).toEqual(
    made
      .slice(0, -1)
      .filter((row) => row.predicateType !== predicateType("release"))
      .map((row) => [row.digest, row.predicateType]),
  );
  // And after the manifest one more: the gate's decision to publish what it lists.
  expect(made.at(-1)).toMatchObject({ predicateType: predicateType("verification-summary") });
  for (const row of listed)
    expect(codeOf(() => verifyRun(without(row.name), trustRoot, expected))).not.toBe("accepted");
});

test.skipIf(!canBuild)(
  "RA-REPO-01: every digest of the release resolves in the store, and its bytes are verified",
  async () => {
    const { artifacts, steps: released, bundles: listed } = release();
    for (const { digest } of [...artifacts, ...listed]) {
      expect(sha256(await scene.factory.content.get(digest))).toBe(digest);
    }
    for (const { output } of released) await scene.factory.trees.verify(output);
  },
);

test.skipIf(!canBuild)(
  "RA-META-01: the store holds one entry for each signed statement, and overwrites none",
  async () => {
    const before = (await checkedLog()).size;
    const again = await scene.run({ cache: false });
    const made = await scene.evidence(again);
    expect(made.all).toHaveLength(again.evidence);
    expect((await checkedLog()).size - before).toBe(again.evidence);
    const indexes = made.all.map((bundle) => bundle.verified.logEntries[0]?.logIndex);
    expect(new Set(indexes).size).toBe(again.evidence);
    const digest = made.named("source").digest;
    const forged = alterPayload(made.named("source").bytes, again.run, run.run);
    await expect(scene.factory.content.put(forged, { expected: digest })).rejects.toMatchObject(
      refusal("STORE_BLOB_MISMATCH"),
    );
    expect(await scene.factory.content.get(digest)).toEqual(Buffer.from(made.named("source").bytes));
  },
);

test.skipIf(!canBuild)("RA-DIST-02: a digest is enough to find and verify the signatures, in one lookup", async () => {
  const { chain } = await verifyArtifact(scene.factory, { digest: artifactOf(run) });
  expect(chain.artifact.digest).toBe(artifactOf(run));
  const index = await openIndex(scene.factory.home);
  const stores = { content: scene.factory.content, runs: scene.factory.runs, index };
  const found = await findBundles(stores, artifactOf(run));
  index.close();
  expect(found.map((bundle) => bundle.digest)).toEqual(
    expect.arrayContaining(["provenance/app", "release"].map((name) => evidence.named(name).digest)),
  );
  for (const { bytes } of found) {
    const { issuer } = await scene.factory.identity();
    const expectations = { artifact: artifactOf(run), identityPattern: "spiffe://.+", issuer } as const;
    expect(verifyBundle(bytes, trustRoot, expectations).artifact).toBe(artifactOf(run));
  }
});

test.skipIf(!canBuild)(
  "RA-S6-11: the signed provenance of an artifact is stored and found before anything is exported",
  async () => {
    const index = await openIndex(scene.factory.home);
    const stores = { content: scene.factory.content, runs: scene.factory.runs, index };
    const found = await findBundles(stores, artifactOf(run), predicateType("provenance"));
    index.close();
    expect(found.map((bundle) => bundle.digest)).toContain(evidence.named("provenance/app").digest);
    const { buildDefinition } = evidence.predicate("provenance", "provenance/app");
    expect(buildDefinition.externalParameters).toMatchObject({ parameters: { version: "1" } });
    expect(signedAt(evidence.named("provenance/app"))).toBeLessThanOrEqual(signedAt(evidence.named("release")));
    // Nothing leaves without it, whichever of the runs that made these bytes is asked.
    const { run: newest } = await gatherEvidence(scene.factory, artifactOf(run));
    const lost = newest.bundles.find((row) => row.predicateType === predicateType("provenance"))?.digest;
    if (lost === undefined) throw new Error("the run has no provenance");
    const kept = await scene.factory.content.get(lost);
    await scene.factory.content.delete(lost);
    await expect(scene.export(run)).rejects.toMatchObject(refusal("EVIDENCE_MISSING"));
    await scene.factory.content.put(kept);
  },
);

test.skipIf(!canBuild)("RA-S7-01: the packaging step uses what was built and makes the package", () => {
  const pack = evidence.predicate("link", "step/pack/link");
  const built = run.steps.find((step) => step.name === "build")?.output;
  expect(pack.materials).toEqual([{ name: "build", digest: { sha256: built?.slice(7) } }]);
  const [, product] = evidence.named("step/pack/link").verified.statement.subject;
  expect([product?.name, `sha256:${product?.digest["sha256"]}`]).toEqual(["app.tar", artifactOf(run)]);
});

test.skipIf(!canBuild)(
  "sign-every-step: links of all steps by their own identities, in order, in a signed manifest bound to the artifact",
  async () => {
    const { trustDomain } = await scene.factory.identity();
    const observed = [...run.steps].map((step) => step.name);
    expect(release().steps.map((step) => step.name)).toEqual(observed);
    let last = -1;
    for (const step of observed) {
      const link = evidence.named(`step/${step}/link`);
      expect(link.verified.signer).toMatchObject({
        kind: "certificate",
        identity: `spiffe://${trustDomain}/project/demo/pipeline/default/step/${step}`,
      });
      const [entry] = link.verified.logEntries;
      expect(entry?.logIndex).toBeGreaterThan(last);
      last = entry?.logIndex ?? 0;
      const { link: listed } = release().steps.find((each) => each.name === step) ?? {};
      expect(listed).toBe(link.digest);
    }
    const manifest = evidence.named("release").verified;
    expect(manifest.statement.subject).toEqual([{ name: "app.tar", digest: { sha256: digestHex(artifactOf(run)) } }]);
    expect(manifest.logEntries).toHaveLength(1);
    // Completeness, order and the join of products and materials are what chain verification demands.
    expect(verifyRun(bundles(), trustRoot, expected).steps.map((step) => step.name)).toEqual(observed);
    for (const step of observed) {
      expect(codeOf(() => verifyRun(without(`step/${step}/link`), trustRoot, expected))).toBe("CHAIN_BUNDLE_MISSING");
    }
  },
);
