import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import { kernelWorkloadAttestor, workloadRegistry } from "@touchmark/identity";
import type { Factory, RunOutcome, RunRequest } from "@touchmark/pipeline";
import { runPipeline, verifyArtifact } from "@touchmark/pipeline";
import { mintRun, mintWorld, runFacts, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canBuild, type Evidence, openScene, pipelineFile, refusal, type Scene, signedAt } from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;
let trustDomain: string;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
  trustDomain = (await scene.factory.identity()).trustDomain;
});
afterAll(() => scene?.close());

const program = join(import.meta.dirname, "../packages/cli/src/main.ts");

/** The same factory with one of its parts stopped. */
function stopped(part: "node" | "workload" | "store" | "log" | "time"): Factory {
  const { factory } = scene;
  const broken = (what: string) => Promise.reject(new Error(`${what} is stopped`));
  if (part === "store") return { ...factory, content: { ...factory.content, put: () => broken("the store") } };
  if (part === "log") return { ...factory, log: () => broken("the log") };
  return {
    ...factory,
    identity: async () => {
      const identity = await factory.identity();
      if (part === "time") {
        const timestampAuthority = { ...identity.timestampAuthority, stamp: () => broken("the clock") };
        return { ...identity, timestampAuthority };
      }
      const path = part === "node" ? "/node" : "/project/";
      const newSigner: typeof identity.newSigner = (request) =>
        request.spiffeId.includes(path) ? broken(`the ${part} attestor`) : identity.newSigner(request);
      return { ...identity, newSigner };
    },
  };
}

let versions = 0;

/** A run that must not come to a release: what was started, and what is shown afterwards. */
async function withoutRelease(factory: Factory, more: Partial<RunRequest> = {}) {
  const started: string[] = [];
  const releases = async () =>
    (await scene.factory.runs.list()).filter((record) => record.state === "succeeded").length;
  const before = await releases();
  const version = `without ${++versions}`;
  const outcome = await runPipeline(factory, {
    location: scene.project,
    jobs: 2,
    cache: false,
    parameters: { version },
    environment: {},
    signal: new AbortController().signal,
    listener: (event) => {
      if (event.type === "step-started") started.push(event.step);
    },
    ...more,
  }).catch((error: unknown) => error);
  expect(await releases()).toBe(before);
  return { outcome, started };
}

test.skipIf(!canBuild)(
  "RA-S0-02: when the scheduling platform is stopped, no run completes and nothing is released",
  async () => {
    const aborted = await withoutRelease(scene.factory, { signal: AbortSignal.abort() });
    expect(aborted).toMatchObject({ outcome: { status: "cancelled", artifacts: [] }, started: [] });
    // And when it is killed in the middle.
    scene.commit({ "touchmark.yaml": pipelineFile.replace("[sh, build.sh]", "[sleep, '60']") });
    const child = spawn(process.execPath, [program, "run", "--source", scene.project], {
      env: { PATH: process.env["PATH"] ?? "", HOME: scene.directory, TOUCHMARK_HOME: join(scene.directory, "home") },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const record = async () => (await scene.factory.runs.list())[0];
    await expect
      .poll(async () => (await record())?.steps.find((step) => step.name === "fetch")?.status, { timeout: 30_000 })
      .toBe("succeeded");
    child.kill("SIGKILL");
    await ended;
    await expect.poll(async () => (await record())?.state, { timeout: 10_000 }).toBe("interrupted");
    expect((await record())?.artifacts).toEqual([]);
    scene.commit({ "touchmark.yaml": pipelineFile });
  },
);

test.skipIf(!canBuild)("RA-S0-03: no run starts without a pipeline definition that was found and read", async () => {
  const count = async () => (await scene.factory.runs.list()).length;
  const before = await count();
  scene.commit({ "touchmark.yaml": null });
  await expect(scene.run()).rejects.toMatchObject({ code: "PIPELINE_MISSING" });
  scene.commit({ "touchmark.yaml": pipelineFile.replace("command: [sh, build.sh]", "comand: [sh, build.sh]") });
  await expect(scene.run()).rejects.toMatchObject({ code: "PIPELINE_KEY_UNKNOWN" });
  scene.commit({ "touchmark.yaml": pipelineFile });
  await expect(scene.run({ pipeline: "unheard-of" })).rejects.toMatchObject({ code: "PIPELINE_UNKNOWN" });
  expect(await count()).toBe(before);
});

test.skipIf(!canBuild)("RA-S0-04: without the observer no step runs, and nothing is released", async () => {
  const bin = join(scene.directory, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "strace"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const child = spawn(process.execPath, [program, "run", "--source", scene.project, "--no-cache", "--json"], {
    env: {
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
      HOME: scene.directory,
      TOUCHMARK_HOME: join(scene.directory, "home"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => void (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => void (text += chunk.toString()));
  const status = await new Promise((resolve) => child.once("close", resolve));
  expect(status).not.toBe(0);
  expect(text).toContain("OBSERVER_UNAVAILABLE");
  const [record] = await scene.factory.runs.list();
  expect(record?.state).not.toBe("succeeded");
  expect(record?.artifacts).toEqual([]);
});

test.skipIf(!canBuild)("RA-S0-05: without the node attestor no step starts, and nothing is released", async () => {
  const { outcome, started } = await withoutRelease(stopped("node"));
  expect(outcome).toMatchObject({ message: "the node attestor is stopped" });
  expect(started).toEqual([]);
});

test.skipIf(!canBuild)("RA-S0-06: without the workload attestor no step is done, and nothing is released", async () => {
  const { outcome, started } = await withoutRelease(stopped("workload"));
  expect(outcome).toMatchObject({ message: "the workload attestor is stopped" });
  expect(started).toEqual(["fetch"]);
});

test.skipIf(!canBuild)(
  "RA-S0-07: without the metadata storage, log or store, no step starts, and nothing is released",
  async () => {
    for (const part of ["store", "log"] as const) {
      const { outcome, started } = await withoutRelease(stopped(part));
      expect(outcome, part).toMatchObject({ message: `the ${part} is stopped` });
      expect(started, part).toEqual([]);
    }
  },
);

test.skipIf(!canBuild)(
  "RA-S0-08: the node's identity is older than the first job, and a node without one gets none",
  async () => {
    const first = Math.min(
      ...["fetch", "build", "pack"].map((step) => Date.parse(evidence.trace(step).metadata?.buildStartedOn ?? "")),
    );
    expect(signedAt(evidence.named("node"))).toBeLessThanOrEqual(first);
    expect((await withoutRelease(stopped("node"))).started).toEqual([]);
  },
);

test.skipIf(!canBuild)("RA-S0-09: the id of the triggering event stands in the first record of the run", () => {
  const indexes = evidence.all.map((bundle) => bundle.verified.logEntries[0]?.logIndex ?? -1);
  const trigger = evidence.named("trigger");
  expect(trigger.verified.logEntries[0]?.logIndex).toBe(Math.min(...indexes));
  const predicate = evidence.predicate("trigger", "trigger");
  expect([predicate.run, predicate.predecessors]).toEqual([run.run, []]);
  const [event] = trigger.verified.statement.subject;
  expect(`sha256:${event?.digest["sha256"]}`).toBe(sha256(canonicalJson(predicate.request)));
});

test.skipIf(!canBuild)(
  "RA-S0-10: the identity's subject is the task, and a different process cannot obtain it",
  async () => {
    const step = `spiffe://${trustDomain}/project/demo/pipeline/default/step/build`;
    expect(evidence.named("step/build/link").verified.signer).toMatchObject({ identity: step });
    expect(evidence.workload("build")).toMatchObject({ step: "build", spiffeId: step, keyHolder: "control-plane" });
    const attest = await scene.factory.attestIdentity();
    await expect(attest.newSigner({ spiffeId: step })).rejects.toMatchObject(refusal("IDENTITY_NOT_PERMITTED"));
    const registry = workloadRegistry(await scene.factory.identity());
    const [task, other] = [spawn("sleep", ["60"]), spawn("sleep", ["61"])];
    try {
      const attestor = kernelWorkloadAttestor({ clock: scene.factory.clock });
      const workload = attestor.attest(task.pid ?? 0);
      registry.register(step, workload.selectors);
      await expect(registry.newSigner(attestor.attest(other.pid ?? 0), step)).rejects.toMatchObject(
        refusal("WORKLOAD_SELECTOR_MISMATCH"),
      );
      expect((await registry.newSigner(workload, step)).spiffeId).toBe(step);
      expect(() => attestor.attest(1)).toThrow(expect.objectContaining(refusal("WORKLOAD_NOT_OURS")));
    } finally {
      task.kill("SIGKILL");
      other.kill("SIGKILL");
    }
  },
);

test.skipIf(!canBuild)("RA-OBS-03: a step that fails or never ran stops the later ones", async () => {
  scene.commit({ "build.sh": "exit 7\n" });
  const failed = await scene.run({ cache: false });
  expect(failed.steps.map((step) => [step.name, step.status])).toEqual([
    ["fetch", "succeeded"],
    ["build", "failed"],
    ["pack", "skipped"],
  ]);
  expect([failed.status, failed.artifacts]).toEqual(["failed", []]);
  scene.commit({ "build.sh": "exit 0\n", "touchmark.yaml": pipelineFile.replace("cp lib.txt", "false; cp lib.txt") });
  const skipped = await scene.run({ cache: false });
  expect(skipped.steps.map((step) => step.status)).toEqual(["failed", "skipped", "skipped"]);
  // A later verifier sees as much: a link that records failure carries no release.
  const world = mintWorld();
  const forged = mintRun(world, {
    change: (statement) => {
      if (statement.name === "step/fetch/link") statement.statement.predicate.byproducts["return-value"] = 1;
    },
  });
  expect(() =>
    verifyRun(forged.bundles(), readTrustRoot(trustedRootBytes(world)), {
      artifact: runFacts.artifact,
      builder: `spiffe://${world.trustDomain}/builder`,
      source: runFacts.source,
      now: world.at,
    }),
  ).toThrow(expect.objectContaining(refusal("CHAIN_STEP_FAILED")));
});

test.skipIf(!canBuild)("RA-S3-02: the record of the trigger holds the caller's authenticated identity", () => {
  const { username, uid } = userInfo();
  expect(evidence.predicate("trigger", "trigger").actor).toEqual({
    kind: "local-user",
    name: username,
    id: String(uid),
    authentication: "kernel",
  });
});

test.skipIf(!canBuild)(
  "RA-S3-05: the trigger's statement verifies against the builder's workload identity and no other",
  async () => {
    const { issuer } = await scene.factory.identity();
    const trustRoot = readTrustRoot(await scene.factory.trustRoot());
    const { bytes } = evidence.named("trigger");
    const as = (path: string) =>
      verifyBundle(bytes, trustRoot, { artifact: "unbound", identity: `spiffe://${trustDomain}/${path}`, issuer });
    expect(as("builder").signer).toMatchObject({ kind: "certificate" });
    for (const path of ["node", "attest", "project/demo/pipeline/default/step/fetch"]) {
      expect(() => as(path), path).toThrow(expect.objectContaining(refusal("IDENTITY_MISMATCH")));
    }
    expect(evidence.predicate("trigger", "trigger")).toMatchObject({
      requestedAt: expect.stringMatching(/^2\d{3}-.*Z$/),
      request: { pipeline: { name: "default" }, parameters: { version: "1" }, source: { revision: "HEAD" } },
    });
  },
);

test.skipIf(!canBuild)("RA-OUT-02: an artifact without provenance is not released", async () => {
  // The clock of the stamps stops when the artifact is there and its provenance is not.
  let isStopped = false;
  const { factory } = scene;
  scene.commit({ "build.sh": `echo other > "$TOUCHMARK_OUTPUT/app.txt"\n`, "touchmark.yaml": pipelineFile });
  const halting: Factory = {
    ...factory,
    identity: async () => {
      const identity = await factory.identity();
      const { timestampAuthority } = identity;
      const stamp: typeof timestampAuthority.stamp = (message) =>
        isStopped ? Promise.reject(new Error("the clock is stopped")) : timestampAuthority.stamp(message);
      return { ...identity, timestampAuthority: { ...timestampAuthority, stamp } };
    },
  };
  let artifact: Digest | undefined;
  const halted = await withoutRelease(halting, {
    listener: (event) => {
      if (event.type !== "artifact") return;
      isStopped = true;
      artifact = event.digest;
    },
  });
  expect(halted.outcome).toMatchObject({ message: "the clock is stopped" });
  if (artifact === undefined) throw new Error("no artifact was taken");
  await expect(verifyArtifact(factory, { digest: artifact })).rejects.toMatchObject(refusal("EVIDENCE_MISSING"));
  // Nor does a chain without it pass, whoever signed the manifest.
  const world = mintWorld();
  const forged = mintRun(world, {
    change: (statement) => {
      if (statement.name === "provenance/app") statement.statement.subject[0].digest.sha256 = "0".repeat(64);
    },
  });
  expect(() =>
    verifyRun(forged.bundles(), readTrustRoot(trustedRootBytes(world)), {
      artifact: runFacts.artifact,
      builder: `spiffe://${world.trustDomain}/builder`,
      source: runFacts.source,
      now: world.at,
    }),
  ).toThrow(expect.objectContaining(refusal("CHAIN_STATEMENT_MISSING")));
});
