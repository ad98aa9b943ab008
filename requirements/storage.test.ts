import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { treeDigest } from "@touchmark/core";
import { parsePipelineFile, selectPipeline } from "@touchmark/formats/pipeline";
import type { RunOutcome } from "@touchmark/pipeline";
import { hashDirectory } from "@touchmark/store";
import { mintRun, mintWorld, runFacts, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  artifactOf,
  canBuild,
  type Evidence,
  openScene,
  pipelineFile,
  projectFiles,
  refusal,
  type Scene,
  signedAt,
} from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
});
afterAll(() => scene?.close());

const steps = ["fetch", "build", "pack"];
const definitions = selectPipeline(parsePipelineFile(pipelineFile, "touchmark.yaml"), undefined).steps;
const outputOf = (step: string) => {
  const output = run.steps.find((each) => each.name === step)?.output;
  if (output === undefined) throw new Error(`no output of ${step}`);
  return output;
};
/** Volumes of data that a task mounts: source and outputs, its own among them. */
const volumes = (step: string): string[] => [
  step,
  ...evidence.mounts(step).mounts.flatMap((mount) => (mount.kind === "input" ? [mount.from ?? ""] : [])),
];
/** Runs a script as the first step, then what is asked of the second. */
const twoSteps = (one: string, two: string, access = "read-only"): string => `touchmark: pipeline/v1
project: demo
pipelines:
  default:
    steps:
      one:
        run: ${JSON.stringify(one)}
        inputs: { source: { at: /work/source, access: ${access} } }
        limits: { time: 1m }
      two:
        run: ${JSON.stringify(two)}
        inputs: { one: /work/one, source: /work/source }
        directory: /work/output
        limits: { time: 1m }
    artifacts:
      app: { from: two, path: app.tar, kind: file }
`;
const made = 'echo made > "$TOUCHMARK_OUTPUT/app.tar"';
async function runOf(file: string, more: Parameters<Scene["run"]>[0] = {}): Promise<RunOutcome> {
  scene.commit({ "touchmark.yaml": file });
  try {
    return await scene.run(more);
  } finally {
    scene.commit({ "touchmark.yaml": pipelineFile });
  }
}

test.skipIf(!canBuild)("RA-RUN-02: the manifest shows who shares each volume, and unrelated tasks share none", () => {
  expect(evidence.mounts("fetch").output.sharedWith).toEqual(["build"]);
  expect(evidence.mounts("build").output.sharedWith).toEqual(["pack"]);
  expect(evidence.mounts("pack").output.sharedWith).toEqual([]);
  expect(volumes("fetch").filter((volume) => volumes("pack").includes(volume))).toEqual([]);
  expect(volumes("build").filter((volume) => volumes("pack").includes(volume))).toEqual(["build"]);
});

test.skipIf(!canBuild)("RA-S1-01: every volume has a policy that lists the tasks allowed and their modes", async () => {
  for (const step of steps) {
    const { mounts, output } = evidence.mounts(step);
    for (const mount of mounts) expect(["read-only", "copy-on-write", "read-write"]).toContain(mount.access);
    expect(mounts.filter((mount) => mount.access === "read-write").map((mount) => mount.at)).toEqual([output.at]);
    const readers = definitions.filter((each) => each.inputs.some((input) => input.from === step));
    expect(output.sharedWith).toEqual(readers.map((reader) => reader.name));
  }
  // A task that is not on the list does not get there, by whatever path.
  const look = `ls -d /work/one /work/output/../one 2>/dev/null && exit 9; find / -name planted 2>/dev/null | grep . && exit 9; ${made}`;
  const file = twoSteps('echo x > "$TOUCHMARK_OUTPUT/planted"', look).replace("{ one: /work/one, source", "{ source");
  expect((await runOf(file)).steps.map((step) => step.error)).toEqual([undefined, undefined]);
});

test.skipIf(!canBuild)(
  "RA-S1-03: volumes and tasks make the graph that was declared; a further mount is refused",
  () => {
    const declared = definitions.flatMap((step) =>
      step.inputs.map((input) => `${input.from} > ${step.name} at ${input.at}`),
    );
    const mounted = steps.flatMap((step) =>
      evidence
        .mounts(step)
        .mounts.flatMap((mount) => (mount.kind === "input" ? [`${mount.from} > ${step} at ${mount.at}`] : [])),
    );
    expect(mounted.sort()).toEqual(declared.sort());
    const world = mintWorld();
    const forged = mintRun(world, {
      change: (statement) => {
        if (statement.name !== "step/fetch/mounts") return;
        const [storage] = statement.statement.predicate.steps;
        storage.mounts.push({
          ...storage.mounts[0],
          at: "/work/more",
          from: "build",
          digest: runFacts.outputs["build"],
        });
      },
    });
    expect(() =>
      verifyRun(forged.bundles(), readTrustRoot(trustedRootBytes(world)), {
        artifact: runFacts.artifact,
        builder: `spiffe://${world.trustDomain}/builder`,
        source: runFacts.source,
        now: world.at,
      }),
    ).toThrow(expect.objectContaining(refusal("CHAIN_MOUNT_MISMATCH")));
  },
);

test.skipIf(!canBuild)("RA-S1-04: writing to a read-only mount fails, and each mount's mode is recorded", async () => {
  const attempt = `! (echo x > /work/source/main.txt) 2>/dev/null; ! (echo x > /work/source/new) 2>/dev/null; ! rm -f /work/one/lib.txt 2>/dev/null; ! mount -o remount,rw /work/source 2>/dev/null; ${made}`;
  const tried = await runOf(twoSteps('cp lib.txt "$TOUCHMARK_OUTPUT/"', attempt));
  expect(tried.status).toBe("succeeded");
  const recorded = (await scene.evidence(tried)).mounts("two").mounts.filter((mount) => mount.kind === "input");
  expect(recorded.map((mount) => `${mount.from} ${mount.access}`).sort()).toEqual([
    "one read-only",
    "source read-only",
  ]);
  // The private copy is told apart, and what is written there reaches nobody.
  const privately = await runOf(
    twoSteps(`echo changed > main.txt; ${made}`, `grep -qx main /work/source/main.txt; ${made}`, "copy-on-write"),
  );
  expect(privately.status).toBe("succeeded");
  const [mode] = (await scene.evidence(privately)).mounts("one").mounts.filter((mount) => mount.kind === "input");
  expect(mode?.access).toBe("copy-on-write");
});

test.skipIf(!canBuild)("RA-BENV-02: each job gets a new environment, and finds nothing that another left", async () => {
  const places = ["/tmp", "/var/tmp", "/dev/shm", "$HOME", "/run", "/work"];
  const look = places.map((place) => `if [ -e ${place}/leftover ]; then exit 9; fi;`).join(" ");
  const plant = places.map((place) => `echo x > ${place}/leftover 2>/dev/null || :;`).join(" ");
  const script = `${look} ${plant} test -e /tmp/leftover; test -e "$HOME/leftover"; (sleep 300 &) ; ${made}`;
  const left = await runOf(twoSteps(script, script), { jobs: 1 });
  const again = await runOf(twoSteps(script, script), { cache: false });
  expect([left.status, again.status]).toEqual(["succeeded", "succeeded"]);
  const ids: string[] = [];
  for (const outcome of [left, again]) {
    const of = await scene.evidence(outcome);
    for (const step of ["one", "two"]) {
      const { process } = of.workload(step).sandbox ?? {};
      ids.push(`${process?.pid} ${process?.startTime}`);
    }
  }
  expect(new Set(ids).size).toBe(4);
});

test.skipIf(!canBuild)(
  "RA-ADM-04: an intermediate file that was altered between steps stops the next one",
  async () => {
    const outcome = await runOf(
      twoSteps('echo good > "$TOUCHMARK_OUTPUT/lib.txt"', `cat /work/one/lib.txt > "$TOUCHMARK_OUTPUT/app.tar"`),
      {
        cache: false,
        listener: (event) => {
          if (event.type !== "step-finished" || event.step !== "one") return;
          alterStored("lib.txt", "good\n", "evil\n");
        },
      },
    );
    expect(outcome.status).toBe("refused");
    expect(outcome.steps.find((step) => step.name === "two")).toMatchObject({
      status: "refused",
      error: { code: "INPUT_CHANGED" },
    });
    expect(outcome.artifacts).toEqual([]);
  },
);

/** Alters a file behind the stores' back, wherever a tree holds it. */
function alterStored(name: string, from: string, to: string): void {
  const trees = scene.factory.home.paths.trees;
  const found = readdirSync(trees, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name === name,
  );
  const paths = found
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path, "utf8") === from);
  if (paths.length === 0) throw new Error(`no stored ${name} holds ${from}`);
  for (const path of paths) {
    chmodSync(path, 0o600);
    writeFileSync(path, to);
    chmodSync(path, 0o644);
  }
}

test.skipIf(!canBuild)(
  "RA-S5-05: a dependency's hook that edits the source is found out, and stops the run",
  async () => {
    scene.commit({ "edited.txt": "as committed\n" });
    // Within the sandbox the edit fails; a hook that demands it fails with it.
    const hook = await runOf(twoSteps(`echo evil > main.txt; ${made}`, made));
    expect(hook.status).toBe("failed");
    expect(hook.steps.map((step) => step.status)).toEqual(["failed", "skipped"]);
    // One that got out of it and edits the source where it is stored: the next step's inputs are hashed again.
    const escaped = await runOf(twoSteps(made, made), {
      cache: false,
      listener: (event) => {
        if (event.type === "step-finished" && event.step === "one")
          alterStored("edited.txt", "as committed\n", "evil\n");
      },
    });
    expect(escaped.steps.find((step) => step.name === "two")).toMatchObject({ error: { code: "INPUT_CHANGED" } });
    expect([escaped.status, escaped.artifacts]).toEqual(["refused", []]);
  },
);

test.skipIf(!canBuild)("RA-S5-06: a package manager's script writes nothing outside its volume", async () => {
  const script = [
    "for place in / /etc /usr/local/bin /usr/lib /opt /root /var/lib /work /work/source /sys /proc/sys/kernel; do",
    'if (echo x > "$place/planted") 2>/dev/null; then echo "$place" >> "$TOUCHMARK_OUTPUT/escaped"; fi; done;',
    'cp lib.txt "$TOUCHMARK_OUTPUT/app.tar"',
  ].join(" ");
  const file = twoSteps(script, `cat /work/one/app.tar > "$TOUCHMARK_OUTPUT/app.tar"`).replace(
    "limits: { time: 1m }\n      two:",
    "limits: { time: 1m }\n        network: fetch\n      two:",
  );
  const outcome = await runOf(file);
  expect(outcome.status).toBe("succeeded");
  const of = await scene.evidence(outcome);
  const products = of.named("step/one/link").verified.statement.subject.map((subject) => subject.name);
  // `/work` is a directory of the sandbox itself, and gone with it.
  const kept = products.filter((name) => !["output/one", "app.tar"].includes(name ?? ""));
  if (kept.length > 0) {
    const escaped = outcome.steps[0]?.output;
    if (escaped === undefined) throw new Error("the step has no output");
    expect(
      readFileSync(join(scene.factory.trees.root(escaped), "escaped"), "utf8")
        .trim()
        .split("\n"),
    ).toEqual(["/work"]);
  }
  for (const place of ["/planted", "/etc/planted", "/usr/local/bin/planted", "/opt/planted", "/root/planted"]) {
    expect(() => readFileSync(place)).toThrow();
  }
});

test.skipIf(!canBuild)(
  "RA-S6-10: output goes to a volume of its own that was empty, and no input changed",
  async () => {
    const tree = { source: run.source.treeDigest, fetch: outputOf("fetch") };
    for (const { from, digest, access } of evidence.mounts("build").mounts.filter((mount) => mount.kind === "input")) {
      expect(digest).toBe(tree[from as keyof typeof tree]);
      expect(access).toBe("read-only");
      expect(treeDigest(await hashDirectory(scene.factory.trees.root(tree[from as keyof typeof tree])))).toBe(digest);
    }
    const { mounts, output } = evidence.mounts("build");
    expect(mounts.filter((mount) => mount.kind === "output")).toEqual([
      { at: "/work/output", kind: "output", access: "read-write" },
    ]);
    expect(output.digest).toBe(outputOf("build"));
    expect(Object.values(tree)).not.toContain(output.digest);
    const empty = `test -z "$(ls -A "$TOUCHMARK_OUTPUT")"; ${made}`;
    await expect(runOf(twoSteps(empty, empty), { cache: false })).resolves.toMatchObject({ status: "succeeded" });
  },
);

test.skipIf(!canBuild)("RA-S5-07: the signed digest of fetched dependencies is that of the volume", async () => {
  const [statement] = evidence.named("step/fetch/link").verified.statement.subject;
  const fresh = treeDigest(await hashDirectory(scene.factory.trees.root(outputOf("fetch"))));
  expect([statement?.name, `sha256:${statement?.digest["sha256"]}`]).toEqual(["output/fetch", fresh]);
  expect(signedAt(evidence.named("step/fetch/link"))).toBeLessThanOrEqual(signedAt(evidence.named("step/build/link")));
});

test.skipIf(!canBuild)(
  "write-output-to-separate-storage: inputs cannot be written, and another identity stores and signs the output",
  async () => {
    for (const step of steps) {
      const { mounts, output } = evidence.mounts(step);
      const writable = mounts.filter((mount) => mount.access !== "read-only");
      expect(writable).toEqual([{ at: output.at, kind: "output", access: "read-write" }]);
    }
    const { trustDomain } = await scene.factory.identity();
    const who = (name: string): string => {
      const { signer } = evidence.named(name).verified;
      return signer.kind === "certificate" ? signer.identity : "";
    };
    const worker = `spiffe://${trustDomain}/project/demo/pipeline/default/step/pack`;
    expect([who("step/pack/link"), who("release"), who("provenance/app")]).toEqual([
      worker,
      `spiffe://${trustDomain}/builder`,
      `spiffe://${trustDomain}/builder`,
    ]);
    const product = evidence.named("step/pack/link").verified.statement.subject.find((each) => each.name === "app.tar");
    expect(`sha256:${product?.digest["sha256"]}`).toBe(artifactOf(run));
    expect(evidence.predicate("release", "release").artifacts[0]?.digest).toBe(artifactOf(run));
    expect(await scene.factory.content.size(artifactOf(run))).toBe(run.artifacts[0]?.bytes);
    const writes = await runOf(twoSteps("echo x > /work/source/main.txt", made));
    expect(writes.steps[0]).toMatchObject({ status: "failed" });
    expect(projectFiles["main.txt"]).toBe("main\n");
  },
);
