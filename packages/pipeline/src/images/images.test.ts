import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "@touchmark/core";
import {
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  mediaTypes,
  serializeImageConfig,
  serializeManifest,
} from "@touchmark/formats/oci";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Performed, type Project, type Scene, statementsOf } from "../fixture.ts";
import { gatherEvidence } from "../gather.ts";
import { verifyArtifact } from "../verify-artifact.ts";
import { bootstrap } from "./images.fixture.ts";
import { openOwnRegistry } from "./own-registry.ts";
import { publishFromRun } from "./publish-run.ts";
import { hostPlatform } from "./run-images.ts";

const missing = missingForRuns();
let scene: Scene;
let tools: Project;
let first: Performed;

const using = (image: string, more = "") => `
    steps:
      make:
        image: ${image}
        ${more}
        run: |
          test ! -e /usr/bin/git
          tr a-z A-Z < hello.txt > "$TOUCHMARK_OUTPUT/loud.txt"
          cat /etc/made-of >> "$TOUCHMARK_OUTPUT/loud.txt"
        inputs: { source: /work/source }
        limits: { memory: 512MiB, time: 2m }
    artifacts:
      loud: { from: make, path: loud.txt, kind: file }
      app:
        image:
          base: ${image}
          layers:
            - { from: make, to: /app }
          labels: { team: shop }
          allow: [build-base]
    publish:
      - { artifact: loud, to: "factory:shop/loud", tags: ["1.0"] }
`;

const artifact = (done: Performed, name: string) => done.artifacts.find((each) => each.name === name);

describe.skipIf(missing !== null)(`images${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    tools = scene.project("tools", bootstrap, { touched: "made of these\n" });
    first = await scene.run(tools);
  });
  afterAll(() => scene.close());

  test("R26: an image artifact is made of the outputs of steps, described, and found in the factory's own registry", async () => {
    expect(first).toMatchObject({ status: "succeeded" });
    const base = artifact(first, "base");
    expect(base).toMatchObject({ kind: "image", repository: "tools/base" });
    const { chain } = await verifyArtifact(scene.factory, { digest: base?.digest as Digest });
    expect(chain.artifact).toMatchObject({ name: "base", kind: "image" });
    const [assembly] = await statementsOf(scene, first.run, "image");
    expect(assembly?.predicate).toMatchObject({
      digest: base?.digest,
      images: [{ layers: [{ step: "gather", to: "/" }] }],
    });
    const own = await openOwnRegistry(scene.factory);
    const found = await own.repository("tools/base").manifest("latest");
    expect(found.descriptor.digest).toBe(base?.digest);
    const referrers: string[] = [];
    for await (const each of own.repository("tools/base").referrers(found.descriptor.digest)) {
      referrers.push(each.annotations?.["dev.sigstore.bundle.predicateType"] ?? "");
    }
    await own.close();
    // And the decision that let it go there.
    expect(referrers).toHaveLength(first.evidence + 1);
    expect(referrers).toContain("https://slsa.dev/provenance/v1");
  });

  test("R26: the same commit gives the same image, whatever ran before", async () => {
    const again = await scene.run(tools, { cache: false });
    expect(artifact(again, "base")?.digest).toBe(artifact(first, "base")?.digest);
  });

  test("A12: images are catalogued before the first step, and rules over them start nothing that they refuse", async () => {
    const rules = join(scene.home, "scan.yaml");
    writeFileSync(rules, "touchmark: scan/v1\nworker-images: { vulnerabilities: { refuse: high } }\n");
    const refused = await scene.run(
      scene.project("shop-blind", using("factory:tools/base:latest"), { "hello.txt": "hello\n" }),
    );
    rmSync(rules);
    expect(refused).toMatchObject({ status: "refused", error: { code: "SCAN_NOT_EVALUATED" } });
    expect(refused.steps.every(({ status }) => status !== "succeeded")).toBe(true);
    const [images] = await statementsOf(scene, refused.run, "worker-images");
    expect(images?.predicate).toMatchObject({
      images: [{ scan: "refused", scanned: { vulnerabilities: { evaluated: false } } }, { scan: "refused" }],
    });
  });

  test("R25, R27: a step sees its image and nothing of the host; what it made goes out with its evidence", async () => {
    const project = scene.project("shop", using("factory:tools/base:latest"), { "hello.txt": "hello\n" });
    const done = await scene.run(project);
    expect(done).toMatchObject({
      status: "succeeded",
      published: [{ artifact: "app" }, { artifact: "loud", tags: ["1.0"] }],
    });
    const base = artifact(first, "base")?.digest;
    const [images] = await statementsOf(scene, done.run, "worker-images");
    expect(images?.predicate).toMatchObject({
      images: [
        { use: "step", users: ["make"], manifest: base, scan: "not-evaluated", insecure: false, pinned: false },
        { use: "base", users: ["app"], manifest: base },
      ],
    });
    expect((images?.predicate["images"] as unknown as unknown[])[0]).toMatchObject({
      vouchers: [{ by: "factory" }],
      ancestry: [{ origin: "factory", bootstrap: true }, { origin: "scratch" }],
    });
    const apart = scene.project("apart", using("factory:tools/base:latest").replace(/allow: .*/, ""), {
      "hello.txt": "hello\n",
    });
    expect(await scene.run(apart)).toMatchObject({ status: "refused", error: { code: "STEP_IMAGE_NOT_APART" } });
    for (const name of ["loud", "app"]) {
      const { chain } = await verifyArtifact(scene.factory, { digest: artifact(done, name)?.digest as Digest });
      expect(chain.steps).toMatchObject([{ name: "make", image: base }]);
      expect(chain.images).toHaveLength(2);
      expect(chain.hermetic).toBe(true);
    }
    const [provenance] = await statementsOf(scene, done.run, "provenance");
    const names = (provenance?.predicate["buildDefinition"] as unknown as { resolvedDependencies: { name: string }[] })
      .resolvedDependencies;
    expect(names.map((each) => each.name)).toContain("image/factory:tools/base:latest");
    const again = await scene.run(project);
    expect(again.steps).toMatchObject([{ name: "make", cached: true }]);
    expect(await publishFromRun(scene.factory, again.run, { environment: {}, tags: [] })).toMatchObject([
      { artifact: "loud", sent: 0 },
    ]);
  });

  test("R25: a pinned image that nobody built here and no rule names is refused before anything runs", async () => {
    const digest = await foreignImage("others/base");
    const project = scene.project("stranger", using(`factory:others/base@${digest}`), { "hello.txt": "x\n" });
    const refused = await scene.run(project);
    expect(refused).toMatchObject({ status: "refused", error: { code: "STEP_IMAGE_UNTRUSTED" }, steps: [] });
  });

  test("R25: insecure-image needs the caller's word too, and is recorded", async () => {
    const digest = await foreignImage("others/base");
    const body = using(`factory:others/base@${digest}`, "insecure-image: true").replace(
      / {6}app:[\s\S]*?build-base\]\n/,
      "",
    );
    const project = scene.project("careless", body, { "hello.txt": "x\n" });
    expect(await scene.run(project)).toMatchObject({ error: { code: "STEP_IMAGE_NOT_ALLOWED" } });
    const done = await scene.run(project, { insecureImage: true });
    const [images] = await statementsOf(scene, done.run, "worker-images");
    expect(images?.predicate["images"]).toMatchObject([{ insecure: true, vouchers: [] }]);
  });

  test("R25: an image that is not there, or not for this platform, is refused by name", async () => {
    const gone = scene.project("gone", using("factory:tools/none:1"), { "hello.txt": "x\n" });
    expect(await scene.run(gone)).toMatchObject({ error: { code: "STEP_IMAGE_UNKNOWN" } });
    const digest = await foreignImage("others/risc", "riscv64");
    const other = scene.project("risc", using(`factory:others/risc@${digest}`), { "hello.txt": "x\n" });
    expect(await scene.run(other)).toMatchObject({ error: { code: "STEP_IMAGE_PLATFORM" } });
    const away = scene.project("away", using(`registry.example/a@${digest}`), { "hello.txt": "x\n" });
    expect(await scene.run(away, { offline: true })).toMatchObject({ error: { code: "STEP_IMAGE_OFFLINE" } });
  });

  test("R25: images.yaml that is none stops a run with images", async () => {
    const path = join(dirname(scene.factory.home.paths.version), "images.yaml");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "touchmark: images/v1\ntrust: [{ match: a, format: sigstore }]\n");
    try {
      expect(await scene.run(tools)).toMatchObject({ error: { code: "IMAGES_CONFIG_INVALID" } });
    } finally {
      writeFileSync(path, "touchmark: images/v1\n");
    }
  });

  test("R25: an image of this factory that stands on one which nobody vouches for is refused", async () => {
    const digest = await foreignImage("others/base");
    const standing = `
    steps:
      make: { command: [sh, -c, 'echo x > "$TOUCHMARK_OUTPUT/x"'], limits: { time: 1m } }
    artifacts:
      own: { image: { base: "factory:others/base@${digest}", layers: [{ from: make, to: /x }], user: "1" } }
`;
    const refused = await scene.run(scene.project("standing", standing));
    expect(refused).toMatchObject({ error: { code: "STEP_IMAGE_UNTRUSTED" } });
    // The same through a line whose lower part nothing proves any more.
    const name = `factory:tools/base@${artifact(first, "base")?.digest}`;
    const upper = scene.project("upper", standing.replace(/factory:others[^"]*/, name));
    const made = await scene.run(upper);
    expect(made).toMatchObject({ status: "succeeded" });
    const top = `factory:upper/own@${artifact(made, "own")?.digest}`;
    const newest = await gatherEvidence(scene.factory, artifact(first, "base")?.digest as Digest);
    const lost = newest.bundles.map(({ digest }) => digest);
    const kept = await Promise.all(lost.map(async (bundle) => scene.factory.content.get(bundle)));
    for (const bundle of lost) await scene.factory.content.delete(bundle);
    try {
      const user = scene.project("lower", using(top), { "hello.txt": "x\n" });
      expect(await scene.run(user)).toMatchObject({ error: { code: "STEP_IMAGE_ANCESTRY" } });
      await expect(
        publishFromRun(scene.factory, newest.run.id, { environment: {}, to: "factory:a/b", tags: [] }),
      ).rejects.toMatchObject({ code: "PUBLISH_EVIDENCE_MISSING" });
    } finally {
      for (const bytes of kept) await scene.factory.content.put(bytes);
    }
  });

  test("R27: tags that only the gate may set are not set by publishing", async () => {
    const path = join(scene.home, "registry.yaml");
    writeFileSync(
      path,
      "touchmark: registry/v1\ntags: { promotion-only: [{ repositories: [shop/gated], tags: [stable] }] }\n",
      { mode: 0o600 },
    );
    try {
      const options = { environment: {}, to: "factory:shop/gated", tags: ["stable"] };
      await expect(publishFromRun(scene.factory, first.run, options)).rejects.toMatchObject({
        code: "REGISTRY_PROMOTION_REFUSED",
      });
    } finally {
      rmSync(path);
    }
  });

  test("R27: nothing to publish, and no tag, are refused by name", async () => {
    await expect(publishFromRun(scene.factory, first.run, { environment: {}, tags: [] })).rejects.toMatchObject({
      code: "PUBLISH_NOTHING",
    });
    const tagged = publishFromRun(scene.factory, first.run, { environment: {}, to: "factory:a/b", tags: ["a b"] });
    await expect(tagged).rejects.toMatchObject({ code: "PUBLISH_TAG_INVALID" });
  });
});

/** An image without any layer, which nobody vouches for. */
async function foreignImage(repository: string, architecture = hostPlatform().architecture): Promise<Digest> {
  const own = await openOwnRegistry(scene.factory);
  const target = own.repository(repository);
  const config = serializeImageConfig({ architecture, os: "linux", rootfs: { type: "layers", diff_ids: [] } });
  const descriptor = descriptorOf(config, mediaTypes.config);
  const one = async function* () {
    yield config;
  };
  await target.putBlob(descriptor, one);
  await target.putBlob(emptyDescriptor, async function* () {
    yield emptyContent;
  });
  const manifest = serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: descriptor,
    layers: [],
  });
  const put = await target.putManifest(manifest, mediaTypes.manifest);
  await own.close();
  return put.digest;
}
