import { digestHex, sha256 } from "@touchmark/core";
import { parsePipelineFile, selectPipeline } from "@touchmark/formats/pipeline";
import { type PredicateOf, predicateType } from "@touchmark/formats/predicates";
import type { RunOutcome } from "@touchmark/pipeline";
import { mintRun, mintWorld, runFacts, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canBuild, type Evidence, first, openScene, pipelineFile, refusal, type Scene } from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run({ parameters: { version: "7" } });
  evidence = await scene.evidence(run);
});
afterAll(() => scene?.close());

const steps = ["fetch", "build", "pack"];
const definitions = selectPipeline(parsePipelineFile(pipelineFile, "touchmark.yaml"), undefined).steps;

/** A process as the runtime trace lists it. */
interface TracedProcess {
  readonly pid: number;
  readonly parent?: number;
  readonly executable: string;
  readonly digest?: string;
  readonly arguments: readonly string[];
  readonly exit?: { readonly code?: number };
}
const processesOf = (step: string): TracedProcess[] =>
  (evidence.trace(step).monitorLog.process ?? []) as unknown as TracedProcess[];
const filesOf = (step: string) => evidence.trace(step).monitorLog.fileAccess ?? [];
/** The processes of the step itself: from the one that executed its command on. */
const command = (step: string): TracedProcess[] => {
  const definition = definitions.find((each) => each.name === step);
  return processesOf(step).filter((row) => row.arguments.join("\0") === definition?.command.join("\0"));
};

test.skipIf(!canBuild)(
  "RA-PRIN-04: a whole run shows no interactive command, and offers no terminal to one",
  async () => {
    for (const step of steps) {
      expect(command(step)).toHaveLength(1);
      for (const { arguments: words } of processesOf(step)) expect(words).not.toContain("-i");
      expect(filesOf(step).map((file) => file.name)).not.toContainEqual(
        expect.stringMatching(/^\/dev\/(tty|pts|console)/),
      );
    }
    const script =
      'test ! -t 0; test ! -t 1; ! read answer; ! (: < /dev/tty) 2> /dev/null; echo none > "$TOUCHMARK_OUTPUT/app.tar"';
    scene.commit({ "touchmark.yaml": onlyStep(script) });
    await expect(scene.run()).resolves.toMatchObject({ status: "succeeded" });
    scene.commit({ "touchmark.yaml": pipelineFile });
  },
);

/** A pipeline of one step that runs this script. */
function onlyStep(script: string): string {
  return pipelineFile.replace(
    / {4}steps:[\s\S]*?(?= {4}artifacts:)/,
    `    steps:\n      pack:\n        run: ${JSON.stringify(script)}\n        limits: { time: 1m }\n`,
  );
}

test.skipIf(!canBuild)("RA-PIPE-01: two runs of one definition perform the same tasks", async () => {
  const again = await scene.evidence(await scene.run({ parameters: { version: "7" }, cache: false }));
  const tasks = (of: Evidence) =>
    of.predicate("release", "release").steps.map(({ name }) => {
      const { command: words, materials } = of.predicate("link", `step/${name}/link`);
      return { name, words, materials };
    });
  expect(tasks(again)).toEqual(tasks(evidence));
  expect(tasks(again).map((task) => task.name)).toEqual(definitions.map((step) => step.name));
});

test.skipIf(!canBuild)("RA-PIPE-02: each task has a container of its own, with an instance id of its own", () => {
  const instances = steps.map((step) => evidence.workload(step).sandbox);
  const ids = instances.map((sandbox) => `${sandbox?.process.pid} ${sandbox?.process.startTime}`);
  expect(new Set(ids).size).toBe(steps.length);
  for (const sandbox of instances) {
    expect(sandbox?.backend).toBe("bubblewrap");
    expect(Object.keys(sandbox?.namespaces ?? {})).toEqual(
      expect.arrayContaining(["mnt", "pid", "user", "ipc", "uts"]),
    );
    expect(sandbox?.cgroup?.paths.length ?? 1).toBeGreaterThan(0);
  }
  const groups = instances.flatMap((sandbox) => sandbox?.cgroup?.paths ?? []);
  expect(new Set(groups).size).toBe(groups.length);
});

test.skipIf(!canBuild)(
  "RA-OBS-01: every task has an observer's entry that agrees with the platform's records",
  async () => {
    const record = await scene.factory.runs.get(run.run);
    for (const step of record.steps) {
      const { bundles, exitCode } = step.details as { bundles: string[]; exitCode: number };
      const trace = evidence.named(`step/${step.name}/trace`);
      expect(bundles).toContain(trace.digest);
      // The platform says which process it was, how it ended and what came out; the observer saw the same.
      const workload = evidence.workload(step.name);
      const [root] = command(step.name);
      expect(root?.exit).toMatchObject({ code: exitCode });
      const digest = workload.selectors.find((row) => row.type === "executable-digest")?.value;
      expect(processesOf(step.name).map((row) => row.digest)).toContain(digest);
      expect(trace.verified.statement.subject[0]?.digest["sha256"]).toBe(step.output?.slice(7));
      const { buildStartedOn = "", buildFinishedOn = "" } = evidence.trace(step.name).metadata ?? {};
      expect(Date.parse(buildFinishedOn) - Date.parse(buildStartedOn)).toBeLessThanOrEqual((step.durationMs ?? 0) + 1);
      expect(Date.parse(buildStartedOn)).toBeGreaterThanOrEqual(Date.parse(record.startedAt));
    }
  },
);

test.skipIf(!canBuild)(
  "RA-OBS-02: each observer's statement names the workload's certificate and the node in force",
  async () => {
    const { trustDomain } = await scene.factory.identity();
    const issued = evidence.credentials().certificates;
    for (const step of steps) {
      const { signer } = evidence.named(`step/${step}/trace`).verified;
      if (signer.kind !== "certificate") throw new Error("expected a certificate");
      const certificate = issued.find((row) => row.certificate === signer.certificate);
      expect(certificate?.spiffeId).toBe(evidence.workload(step).spiffeId);
      const { monitoredProcess, touchmark_chain: chain } = evidence.trace(step);
      expect(monitoredProcess.hostID).toBe(`spiffe://${trustDomain}/node`);
      expect(chain?.predecessors).toContainEqual({ name: "node", digest: evidence.named("node").digest });
    }
  },
);

test.skipIf(!canBuild)("RA-S0-11: inputs, times and outputs of every task are there and not empty", () => {
  for (const { name, inputs } of definitions) {
    const { materials = [] } = evidence.predicate("link", `step/${name}/link`);
    expect(materials).toHaveLength(inputs.length);
    expect(materials.map((each) => each.name)).toEqual(expect.arrayContaining(inputs.map((each) => each.from)));
    for (const { digest } of materials) expect(digest?.["sha256"]).toMatch(/^[0-9a-f]{64}$/);
    const { metadata, monitorLog, touchmark_trace: more } = evidence.trace(name);
    const [from, to] = [Date.parse(metadata?.buildStartedOn ?? ""), Date.parse(metadata?.buildFinishedOn ?? "")];
    expect(from).toBeGreaterThan(0);
    expect(to).toBeGreaterThan(from);
    expect(monitorLog.process?.length).toBeGreaterThan(0);
    expect(monitorLog.fileAccess?.length).toBeGreaterThan(0);
    expect(more?.written.length).toBeGreaterThan(0);
    expect(more).toMatchObject({ complete: true, losses: [] });
    const [output] = evidence.named(`step/${name}/trace`).verified.statement.subject;
    expect(output?.digest["sha256"]).toMatch(/^[0-9a-f]{64}$/);
  }
});

test.skipIf(!canBuild)(
  "RA-S0-12: metadata is signed with a certificate that names the task; another key is refused",
  async () => {
    const trustRoot = readTrustRoot(await scene.factory.trustRoot());
    const { trustDomain, issuer } = await scene.factory.identity();
    const id = (step: string) => `spiffe://${trustDomain}/project/demo/pipeline/default/step/${step}`;
    const { bytes } = evidence.named("step/build/trace");
    const expectations = (identity: string) => ({ artifact: "unbound", identity, issuer }) as const;
    expect(verifyBundle(bytes, trustRoot, expectations(id("build"))).signer).toMatchObject({ identity: id("build") });
    expect(() => verifyBundle(bytes, trustRoot, expectations(id("pack")))).toThrow(
      expect.objectContaining(refusal("IDENTITY_MISMATCH")),
    );
    // Signed with a valid key of the same authority that names another task, and with a key of a stranger.
    const world = mintWorld();
    const forged = mintRun(world, {
      change: (statement) => {
        if (statement.name === "step/build/trace") statement.signer = statement.signer.replace("/build", "/fetch");
      },
    });
    const expected = {
      artifact: runFacts.artifact,
      builder: `spiffe://${world.trustDomain}/builder`,
      source: runFacts.source,
      now: world.at,
    };
    expect(() => verifyRun(forged.bundles(), readTrustRoot(trustedRootBytes(world)), expected)).toThrow(
      expect.objectContaining(refusal("CHAIN_SIGNER_UNEXPECTED")),
    );
    const stranger = mintRun(world).bundles();
    expect(() => verifyBundle(first(stranger), trustRoot, { ...expectations(id("build")), now: world.at })).toThrow(
      expect.objectContaining({ nature: "refused" }),
    );
  },
);

test.skipIf(!canBuild)(
  "RA-BENV-04: parameters, commands and tools are attested, and the project wrote nothing for it",
  () => {
    const { buildDefinition } = evidence.predicate("provenance", "provenance/app");
    expect(buildDefinition.externalParameters).toMatchObject({ parameters: { version: "7" } });
    for (const step of definitions) {
      expect(evidence.predicate("link", `step/${step.name}/link`).command).toEqual([...step.command]);
    }
    const tools = new Map(evidence.predicate("environment", "environment").files.map((row) => [row.path, row.digest]));
    for (const step of steps) {
      const executed = filesOf(step).filter((file) => (file.annotations as { executed?: boolean }).executed === true);
      expect(executed.length).toBeGreaterThan(1);
      for (const { name = "", digest } of executed) expect(tools.get(name)).toBe(`sha256:${digest?.["sha256"]}`);
    }
  },
);

test.skipIf(!canBuild)(
  "RA-S6-06: the recorded command line is that of the process trace, options and parameters included",
  () => {
    for (const step of steps) {
      const { command: recorded } = evidence.predicate("link", `step/${step}/link`);
      const [root, ...more] = command(step);
      expect(more).toEqual([]);
      expect(root?.arguments).toEqual(recorded);
    }
    const [tar] = processesOf("pack").filter((row) => row.executable === "/usr/bin/tar");
    expect(tar?.arguments).toEqual(
      "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf /work/output/app.tar -C /work/built app.txt".split(
        " ",
      ),
    );
    const variables = evidence.predicate("environment", "environment").variables.find((row) => row.step === "build");
    expect(variables?.values).toEqual({ MODE: "release", TOUCHMARK_PARAM_VERSION: "7" });
  },
);

test.skipIf(!canBuild)("RA-S6-01: provenance names the building step and the digest of its product", () => {
  const { buildDefinition } = evidence.predicate("provenance", "provenance/app");
  expect(buildDefinition.internalParameters).toMatchObject({
    artifact: { name: "app", step: "pack", path: "app.tar" },
  });
  const built = run.steps.find((step) => step.name === "build")?.output ?? "";
  expect(buildDefinition.resolvedDependencies).toContainEqual(
    expect.objectContaining({ name: "output/build", digest: { sha256: built.slice(7) } }),
  );
  expect(evidence.predicate("link", "step/build/link").command).toEqual(["sh", "build.sh"]);
  expect(evidence.named("provenance/app").verified.statement.subject).toEqual([
    { name: "app.tar", digest: { sha256: digestHex(run.artifacts[0]?.digest ?? sha256("")) } },
  ]);
});

/** Evidence of one step in which each of the six actors has a part. */
async function actorsOf(step: string): Promise<Record<string, unknown>> {
  const { trustDomain } = await scene.factory.identity();
  const workload: PredicateOf<"workload-attestation">["workloads"][number] = evidence.workload(step);
  const trace = evidence.trace(step);
  const { verified } = evidence.named(`step/${step}/link`);
  const signer = verified.signer.kind === "certificate" ? verified.signer.identity : "";
  return {
    platform: workload.sandbox?.backend,
    pipeline: /\/project\/demo\/pipeline\/(\w+)\/step\//.exec(signer)?.[1],
    observer: trace.monitor.type,
    "node attestor": trace.monitoredProcess.hostID.replace(trustDomain, "TD"),
    "workload attestor": workload.spiffeId === signer,
    "metadata storage": verified.logEntries[0]?.origin.replace(trustDomain, "TD"),
  };
}
const sixActors = {
  platform: "bubblewrap",
  pipeline: "default",
  observer: "https://touchmark.dev/monitors/strace/v1",
  "node attestor": "spiffe://TD/node",
  "workload attestor": true,
  "metadata storage": "log.TD",
};

test.skipIf(!canBuild)("RA-S5-03: evidence of fetching dependencies references all six actors", async () => {
  expect(await actorsOf("fetch")).toEqual(sixActors);
  expect(evidence.names).toEqual(expect.arrayContaining(["step/fetch/workload", "step/fetch/trace", "node"]));
});

test.skipIf(!canBuild)("RA-S6-02: evidence of the build references all six actors", async () => {
  expect(await actorsOf("build")).toEqual(sixActors);
  expect(evidence.named("node").verified.statement.predicateType).toBe(predicateType("node-attestation"));
});
