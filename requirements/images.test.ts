import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { verifyArtifact } from "@touchmark/pipeline";
import { openScene, type Performed, type Project, type Scene, statementsOf } from "@touchmark/pipeline/fixture";
import { openOwnRegistry } from "@touchmark/pipeline/images";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootstrap, buildIn, canRunInImages, describedImage, digestOf, imagesOf } from "./images-scene.ts";
import { policyAt, ruled, startedIn, withOthers } from "./policy-scene.ts";

/* One factory that makes its first worker image, builds in it, and builds once more in what came of that. */

let scene: Scene;
let shop: Project;
let [tools, first, second]: Performed[] = [];

beforeAll(async () => {
  if (!canRunInImages) return;
  scene = await openScene();
  tools = await scene.run(scene.project("tools", bootstrap));
  shop = scene.project("shop", buildIn("factory:tools/base:latest"), { "hello.txt": "hello\n" });
  first = await scene.run(shop);
  const file = { "hello.txt": "again\n" };
  second = await scene.run(scene.project("more", buildIn(`factory:shop/app@${digestOf(first, "app")}`), file));
});
afterAll(() => scene?.close());

const made = (run: Performed | undefined): Performed => {
  if (run === undefined) throw new Error("the scene did not run");
  return run;
};

/** Puts the worker image there once more, with one word changed: an image that no evidence speaks of. */
async function counterfeit(repository: string, tag?: string): Promise<Digest> {
  const own = await openOwnRegistry(scene.factory);
  const [from, to] = [own.repository("tools/base"), own.repository(repository)];
  const { manifest } = await describedImage(scene, "tools/base", digestOf(made(tools), "base"));
  for (const each of [manifest.config, ...manifest.layers]) await to.putBlob(each, () => from.blob(each));
  const { bytes, descriptor } = await from.manifest(digestOf(made(tools), "base"));
  const altered = Buffer.from(bytes).toString("utf8").replace('"annotations":{', '"annotations":{"a":"b",');
  const { digest } = await to.putManifest(Buffer.from(altered), descriptor.mediaType, tag);
  await own.close();
  return digest;
}

/** An image that nobody signed is what a step wants to run in. */
async function runUnsigned(name: string): Promise<{ readonly run: Performed; readonly digest: Digest }> {
  const digest = await counterfeit("tools/unsigned");
  const project = scene.project(name, buildIn(`factory:tools/unsigned@${digest}`), { "hello.txt": "hello\n" });
  return { run: await scene.run(project), digest };
}

test.skipIf(!canRunInImages)(
  "RA-PIPE-04: a run that names an unsigned task image is refused, and the reason is recorded",
  async () => {
    const { run } = await runUnsigned("unsigned-task");
    expect(run).toMatchObject({ status: "refused", steps: [], error: { code: "STEP_IMAGE_UNTRUSTED" } });
    expect(run.error?.message).toContain("tools/unsigned");
    const record = await scene.factory.runs.get(run.run);
    expect(record.state).toBe("refused");
    expect(JSON.stringify(record.details)).toContain("STEP_IMAGE_UNTRUSTED");
  },
);

test.skipIf(!canRunInImages)(
  "RA-BIMG-02: a worker from an unsigned build image is not started, and nothing of the image is unpacked",
  async () => {
    const { run, digest } = await runUnsigned("unsigned-worker");
    expect(run.events.filter((event) => event.type === "step-started")).toEqual([]);
    const unpacked = readdirSync(join(scene.home, "rootfs"), { recursive: true, encoding: "utf8" });
    const hex = (of: Digest): string => of.slice("sha256:".length);
    expect(unpacked.some((path) => path.includes(hex(digestOf(made(tools), "base"))))).toBe(true);
    expect(unpacked.some((path) => path.includes(hex(digest)))).toBe(false);
  },
);

test.skipIf(!canRunInImages)(
  "RA-PIPE-05: an image of which no advisory data speaks is recorded as not evaluated, never as passed",
  async () => {
    for (const image of await imagesOf(scene, made(first))) {
      expect(image).toMatchObject({ scan: "not-evaluated", scanned: { vulnerabilities: { evaluated: false } } });
    }
  },
);

test.skipIf(!canRunInImages)(
  "RA-BIMG-01: every worker image has provenance of this factory, and the first of its line a bootstrap record",
  async () => {
    for (const run of [made(first), made(second)]) {
      const rows = (await imagesOf(scene, run)).filter((row) => row.use === "step");
      expect(rows).toHaveLength(1);
      for (const row of rows) {
        const { chain } = await verifyArtifact(scene.factory, { digest: row.digest });
        expect(row.vouchers).toEqual([expect.objectContaining({ by: "factory", run: chain.run })]);
        const firstOfLine = row.ancestry.filter((each) => each.bootstrap === true);
        expect(firstOfLine.map((each) => each.digest)).toEqual([digestOf(made(tools), "base")]);
      }
    }
  },
);

test.skipIf(!canRunInImages)(
  "derive-worker-images-from-trusted-sources: the line of a worker image ends at scratch, each image of it proven",
  async () => {
    const [row] = await imagesOf(scene, made(second));
    expect(row?.ancestry.map((each) => [each.origin, each.digest])).toEqual([
      ["factory", digestOf(made(first), "app")],
      ["factory", digestOf(made(tools), "base")],
      ["scratch", undefined],
    ]);
    expect(row?.ancestry.map((each) => each.run)).toEqual([made(first).run, made(tools).run, undefined]);
  },
);

test.skipIf(!canRunInImages)(
  "RA-BENV-01: provenance names worker instance and image digest for each artifact",
  async () => {
    const image = digestOf(made(tools), "base").slice("sha256:".length);
    const [workload] = await statementsOf(scene, made(first).run, "workload-attestation");
    const workers = workload?.predicate["workloads"] as unknown as { sandbox: { process: { startTime: string } } }[];
    expect(workers.map((each) => each.sandbox.process.startTime)).toEqual([expect.stringMatching(/^\d+$/)]);
    const provenance = await statementsOf(scene, made(first).run, "provenance");
    expect(provenance).toHaveLength(made(first).artifacts.length);
    for (const { predicate } of provenance) {
      const { buildDefinition, touchmark_chain } = predicate as unknown as {
        buildDefinition: { resolvedDependencies: { name: string; digest: { sha256: string } }[] };
        touchmark_chain: { predecessors: { name: string; digest: string }[] };
      };
      expect(touchmark_chain.predecessors).toContainEqual({ name: "step/make/workload", digest: workload?.bundle });
      const named = buildDefinition.resolvedDependencies.filter((each) => each.name.startsWith("image/"));
      expect(named.map((each) => each.digest.sha256)).toContain(image);
    }
  },
);

test.skipIf(!canRunInImages)(
  "pull-images-by-digest: what a tag meant is looked up once, recorded, and used by digest from then on",
  async () => {
    const [row] = await imagesOf(scene, made(first));
    expect(row).toMatchObject({ reference: "factory:tools/base:latest", pinned: false });
    expect(row?.digest).toBe(digestOf(made(tools), "base"));
    expect((await imagesOf(scene, made(second)))[0]).toMatchObject({ pinned: true });
    const [link] = await statementsOf(scene, made(first).run, "link");
    expect(link?.predicate["environment"]).toMatchObject({ image: row?.manifest });
  },
);

test.skipIf(!canRunInImages)(
  "record-immutable-metadata-in-labels: an image's labels say what its provenance says",
  async () => {
    const { config } = await describedImage(scene, "shop/app", digestOf(made(first), "app"));
    const { chain } = await verifyArtifact(scene.factory, { digest: digestOf(made(first), "app") });
    expect(config.config?.Labels).toMatchObject({
      "org.opencontainers.image.revision": chain.source.commit,
      "org.opencontainers.image.source": chain.source.uri,
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.base.digest": digestOf(made(tools), "base"),
      team: "shop",
    });
  },
);

test.skipIf(!canRunInImages)("CNB-3: what a step has as environment is not in the image", async () => {
  const { config } = await describedImage(scene, "shop/app", digestOf(made(first), "app"));
  expect(config.config?.Env).toEqual(["VERSION=1.0"]);
  const [environment] = await statementsOf(scene, made(first).run, "environment");
  expect(environment?.predicate["variables"]).toMatchObject([{ step: "make", values: { STAGE: "build" } }]);
});

test.skipIf(!canRunInImages)(
  "record-build-arguments: an image's history holds the parameters that its provenance holds",
  async () => {
    const { config } = await describedImage(scene, "shop/app", digestOf(made(first), "app"));
    expect(config.history?.map((entry) => entry.created_by)).toContain("ARG version=1.0");
    const [provenance] = await statementsOf(scene, made(first).run, "provenance");
    expect(provenance?.predicate["buildDefinition"]).toMatchObject({
      externalParameters: { parameters: { version: "1.0" } },
    });
  },
);

test.skipIf(!canRunInImages)(
  "RA-REPO-01: an image and all evidence of its release resolve in the own registry by digest",
  async () => {
    const own = await openOwnRegistry(scene.factory);
    const reader = own.repository("shop/app");
    const digest = digestOf(made(first), "app");
    const { descriptor } = await reader.manifest(digest);
    expect(descriptor.digest).toBe(digest);
    const evidence: string[] = [];
    for await (const { artifactType } of reader.referrers(digest)) evidence.push(artifactType ?? "");
    await own.close();
    expect(evidence.every((type) => type.startsWith("application/vnd.dev.sigstore.bundle"))).toBe(true);
    expect(evidence.length).toBeGreaterThan(10);
  },
);

test.skipIf(!canRunInImages)(
  "automate-build-environment-creation: another factory makes the same worker image from the same definition",
  async () => {
    const other = await openScene();
    try {
      const again = await other.run(other.project("tools", bootstrap));
      const [mine, theirs] = [digestOf(made(tools), "base"), digestOf(again, "base")];
      const layers = async (of: Scene, digest: Digest) =>
        (await describedImage(of, "tools/base", digest)).manifest.layers.map((layer) => layer.digest);
      expect(await layers(other, theirs)).toEqual(await layers(scene, mine));
    } finally {
      await other.close();
    }
  },
);

test.skipIf(!canRunInImages)("AT25: an unsigned base image under an image of ours", async () => {
  const digest = await counterfeit("others/base");
  const body = `
  steps:
    make: { run: 'echo x > "$TOUCHMARK_OUTPUT/x"', limits: { memory: 512MiB, time: 2m } }
  artifacts:
    app:
      image:
        base: factory:others/base@${digest}
        layers: [{ from: make, to: /app }]
        user: "1001:1001"
`;
  const run = await scene.run(scene.project("unsigned-base", body));
  expect(run).toMatchObject({ status: "refused", steps: [], artifacts: [], error: { code: "STEP_IMAGE_UNTRUSTED" } });
});

test.skipIf(!canRunInImages)(
  "AT18: a tag that was moved to a counterfeit image, for which nobody vouches",
  async () => {
    const digest = await counterfeit("tools/base", "latest");
    const run = await scene.run(shop, { cache: false });
    expect(run).toMatchObject({ status: "refused", steps: [], error: { code: "STEP_IMAGE_UNTRUSTED" } });
    const pinned = buildIn(`factory:tools/base@${digestOf(made(tools), "base")}`);
    const held = await scene.run(scene.project("pinned", pinned, { "hello.txt": "hello\n" }));
    expect(held.status).toBe("succeeded");
    expect((await imagesOf(scene, held)).map((row) => row.digest)).not.toContain(digest);
  },
);

test.skipIf(!canRunInImages)("RA-POL-04: an image whose digest a policy does not list starts no step", async () => {
  const listed = (digest: Digest) => {
    const allowed = {
      ...ruled("request.images.all(image, image.digest in params.images)"),
      parameters: images(digest),
    };
    return withOthers(policyAt("request", allowed));
  };
  const images = (digest: Digest) => ({ images: { type: "list" as const, default: [digest] } });
  const base = digestOf(made(tools), "base");
  const project = scene.project("listed", buildIn(`factory:tools/base@${base}`), { "hello.txt": "hello\n" });
  const denied = await scene.run(project, { policies: listed(digestOf(made(first), "app")) });
  expect([denied.status, denied.error?.code, startedIn(denied)]).toEqual(["refused", "GATE_REFUSED", 0]);
  const allowed = await scene.run(project, { policies: listed(base) });
  expect(allowed.status).toBe("succeeded");
});
