import { createHash } from "node:crypto";
import type { Digest } from "@touchmark/core";
import type { Materials } from "@touchmark/formats/predicates";
import { openMirror } from "@touchmark/materials";
import { verifyArtifact } from "@touchmark/pipeline";
import {
  clientScript,
  missingForRuns,
  npmPackage,
  openScene,
  type Performed,
  packageLock,
  type Scene,
  statementsOf,
  type TestRegistry,
  testRegistry,
} from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, expect, test } from "vitest";

const canRun = missingForRuns() === null;
const good = npmPackage("good", "1.0.0", "module.exports = 1;\n");
const banned = npmPackage("banned", "1.0.0", "module.exports = 2;\n");
const unsigned = npmPackage("unsigned", "1.0.0", "module.exports = 3;\n");

let registry: TestRegistry;
let scene: Scene;
let count = 0;

beforeAll(async () => {
  if (!canRun) return;
  registry = await testRegistry();
  for (const [name, bytes] of Object.entries({ good, banned, unsigned }))
    registry.answers.set(`/${name}/-/${name}-1.0.0.tgz`, bytes);
  scene = await openScene({
    materials: `touchmark: materials/v1
upstreams:
  npm: [{ name: own, url: "${registry.url}" }]
gate:
  denied: [{ package: "pkg:npm/banned@*", reason: "sold to strangers" }]
  required-evidence: [{ packages: "pkg:npm/unsigned@*", all: [npm-signature] }]
`,
  });
});
afterAll(async () => {
  await scene?.close();
  await registry?.close();
});

const address = (name: string): string => `${registry.url}${name}/-/${name}-1.0.0.tgz`;

/** Runs a pipeline whose first step fetches these packages, all of them locked. */
async function fetching(
  packages: Readonly<Record<string, Uint8Array>>,
  options: { lock?: string; offline?: boolean; project?: string } = {},
): Promise<Performed> {
  const urls = Object.keys(packages).map(address).join(" ");
  const lock = packageLock(Object.entries(packages).map(([name, bytes]) => [name, "1.0.0", bytes] as const));
  const project = scene.project(
    `demo-${++count}`,
    `
  steps:
    fetch: { run: perl client.pl ${urls}, inputs: { source: /work/source }, network: fetch }
    build: { run: cat /work/deps/* > "$TOUCHMARK_OUTPUT/app", inputs: { fetch: /work/deps } }
  artifacts:
    app: { from: build, path: app, kind: file }
`,
    { "client.pl": clientScript, "package-lock.json": options.lock ?? lock },
  );
  return scene.run(project, { cache: false, ...(options.offline === undefined ? {} : { offline: options.offline }) });
}

async function materialsOf(done: Performed): Promise<Materials> {
  const [statement] = await statementsOf(scene, done.run, "materials");
  return statement?.predicate as unknown as Materials;
}

/** Digests of everything in the mirror. */
async function mirrored(): Promise<string[]> {
  const { home, content, clock } = scene.factory;
  const mirror = await openMirror({ directory: home.paths.materials, content, clock });
  const found: string[] = [];
  for await (const record of mirror.records()) found.push(record.digest);
  await mirror.close();
  return found;
}

const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

test.skipIf(!canRun)("RA-S5-02: the origin of every dependency is recorded, and was permitted", async () => {
  const done = await fetching({ good });
  const { materials, upstreams } = await materialsOf(done);
  expect(upstreams).toEqual([{ name: "own", ecosystem: "npm", url: registry.url }]);
  expect(materials.map((each) => [each.purl, each.url, each.upstream, each.digest])).toEqual([
    ["pkg:npm/good@1.0.0", address("good"), "own", sha256(good)],
  ]);
});

test.skipIf(!canRun)(
  "RA-ADM-03: an unknown origin, and a package without the signature that a rule demands, are denied",
  async () => {
    const elsewhere = scene.project(
      "elsewhere",
      `
  steps:
    fetch: { run: perl client.pl http://unknown.example/x.tgz, inputs: { source: /work/source }, network: fetch }
  artifacts: {}
`,
      { "client.pl": clientScript },
    );
    expect((await scene.run(elsewhere)).steps[0]?.error?.code).toBe("SESSION_ADDRESS_UNKNOWN");
    const done = await fetching({ unsigned });
    expect([done.status, done.steps[0]?.error?.code]).toEqual(["refused", "GATE_EVIDENCE_MISSING"]);
  },
);

test.skipIf(!canRun)(
  "RA-ADM-08: a dependency outside policy is blocked while it is fetched, and the step fails",
  async () => {
    registry.asked.length = 0;
    const done = await fetching({ good, banned });
    expect(done.steps.map((step) => [step.name, step.status])).toEqual([
      ["fetch", "refused"],
      ["build", "skipped"],
    ]);
    expect(done.artifacts).toEqual([]);
    expect(registry.asked).not.toContain("/banned/-/banned-1.0.0.tgz");
  },
);

test.skipIf(!canRun)(
  "RA-DEP-02: a violating component gives a denied verdict with the digest of the rules",
  async () => {
    const statement = await materialsOf(await fetching({ banned }));
    expect(statement.rules).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(statement.gate).toContain("denied");
    expect(statement.refused).toMatchObject([{ code: "GATE_DENIED", purl: "pkg:npm/banned@1.0.0" }]);
    expect(statement.refused[0]?.message).toContain("sold to strangers");
  },
);

test.skipIf(!canRun)(
  "RA-DEP-04: a version that is not locked, and a checksum that differs, fail the ingest",
  async () => {
    const floating = await fetching({ good }, { lock: packageLock([["good", "2.0.0", good]]) });
    expect(floating.steps[0]?.error?.code).toBe("GATE_NOT_LOCKED");
    const differing = await fetching({ good }, { lock: packageLock([["good", "1.0.0", banned]]) });
    expect(differing.steps[0]?.error?.code).toBe("SESSION_DIGEST_MISMATCH");
  },
);

test.skipIf(!canRun)(
  "RA-DEP-05: the build succeeds with the repositories unreachable, and gives the same artifact",
  async () => {
    const online = await fetching({ good });
    const answers = new Map(registry.answers);
    registry.answers.clear();
    try {
      const offline = await fetching({ good }, { offline: true });
      expect(offline.artifacts.map((each) => each.digest)).toEqual(online.artifacts.map((each) => each.digest));
    } finally {
      for (const [path, bytes] of answers) registry.answers.set(path, bytes);
    }
  },
);

test.skipIf(!canRun)("RA-DEP-06: a component that fails a rule never appears in the mirror", async () => {
  await fetching({ good, banned });
  await fetching({ unsigned });
  const held = await mirrored();
  expect(held).toContain(sha256(good));
  expect(held).not.toContain(sha256(banned));
  expect(held).not.toContain(sha256(unsigned));
});

test.skipIf(!canRun)(
  "lock-and-verify-external-requirements: lockfile, provenance and what was used agree, and the claim is measured",
  async () => {
    const done = await fetching({ good });
    const [reconciled] = await statementsOf(scene, done.run, "reconciliation");
    expect(reconciled?.predicate).toMatchObject({
      hermetic: true,
      steps: [{ step: "fetch", accounted: true, summary: "1 locked, 1 fetched, 0 unknown" }],
    });
    const digest = done.artifacts[0]?.digest as Digest;
    const { chain } = await verifyArtifact(scene.factory, { digest }, { require: ["hermetic"] });
    expect(chain.hermetic).toBe(true);
  },
);
