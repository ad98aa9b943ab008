import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { sbomOfArtifact } from "@touchmark/pipeline/analysis";
import {
  giveAdvisories,
  giveRules,
  npmAdvisory,
  openScene,
  type Performed,
  type Scene,
  statementsOf,
} from "@touchmark/pipeline/fixture";
import { openOwnRegistry } from "@touchmark/pipeline/images";
import { compareSboms, readSbom } from "@touchmark/sbom";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { bootstrap, buildIn, canRunInImages, digestOf, imagesOf } from "./images-scene.ts";
import { sbomType } from "./sbom-scene.ts";

/* Worker images with a compiler in them, of one version and of an older one. */

const compiler = (version: string): string =>
  bootstrap.replace(
    "for name in",
    `tools="$root/usr/lib/node_modules/compiler"
        mkdir -p "$tools"
        echo '{"name":"compiler","version":"${version}","license":"MIT"}' > "$tools/package.json"
        for name in`,
  );

let scene: Scene;
let tools: Performed;
let built: Performed;

beforeAll(async () => {
  if (!canRunInImages) return;
  scene = await openScene();
  tools = await scene.run(scene.project("tools", compiler("5.2.0")));
  built = await scene.run(scene.project("shop", buildIn("factory:tools/base:latest"), { "hello.txt": "hello\n" }));
});
afterAll(() => scene?.close());
afterEach(() => {
  for (const name of ["scan.yaml", "advisories"]) rmSync(join(scene.home, name), { recursive: true, force: true });
});

async function billOfWorker(run: Performed) {
  const row = (await imagesOf(scene, run)).find((each) => each.use === "step");
  const digest = row?.scanned?.sbom;
  if (row === undefined || digest === undefined) throw new Error("no bill of materials of the worker image");
  const { sbom } = readSbom(await scene.factory.content.get(digest), { name: "worker image" });
  return { row, sbom };
}

test.skipIf(!canRunInImages)(
  "sbom-per-build-stage-image: the image of each step has a bill of materials with its tools, named by digest in signed evidence",
  async () => {
    const { row, sbom } = await billOfWorker(built);
    expect(sbom.subject).toMatchObject({ kind: "image", digest: row.manifest });
    expect(sbom.components.map(({ purl }) => purl)).toContain("pkg:npm/compiler@5.2.0");
    const [provenance] = await statementsOf(scene, built.run, "provenance");
    expect(JSON.stringify(provenance?.predicate)).toContain(row.digest.slice("sha256:".length));
  },
);

test.skipIf(!canRunInImages)(
  "AT20: an older compiler under the same tag is told by the bill of materials",
  async () => {
    const before = await billOfWorker(built);
    await scene.run(scene.project("tools", compiler("4.9.0")));
    const run = await scene.run(
      scene.project("again", buildIn("factory:tools/base:latest"), { "hello.txt": "hello\n" }),
    );
    const after = await billOfWorker(run);
    const { changed } = compareSboms(before.sbom, after.sbom);
    expect(JSON.stringify(changed)).toContain("4.9.0");
    expect(after.sbom.components.map(({ purl }) => purl)).toContain("pkg:npm/compiler@4.9.0");
  },
);

test.skipIf(!canRunInImages)(
  "RA-PIPE-05: every image that a pipeline uses is scanned, and rules over images start nothing that they refuse",
  async () => {
    await giveAdvisories(scene, [npmAdvisory("CVE-2026-3001", "compiler", "9.0.0")]);
    const project = scene.project("scanned", buildIn("factory:tools/base:latest"), { "hello.txt": "hello\n" });
    const run = await scene.run(project);
    for (const row of await imagesOf(scene, run)) {
      expect(row).toMatchObject({ scanned: { vulnerabilities: { evaluated: true, counts: { critical: 1 } } } });
    }
    giveRules(scene, "worker-images: { vulnerabilities: { refuse: high } }\n");
    const refused = await scene.run(project);
    expect(refused).toMatchObject({ status: "refused", error: { code: "SCAN_VULNERABILITY" }, artifacts: [] });
    expect(refused.events.filter((event) => event.type === "step-started")).toEqual([]);
    for (const row of await imagesOf(scene, refused)) expect(row.scan).toBe("refused");
  },
);

test.skipIf(!canRunInImages)(
  "IMG-1: an image has a bill of materials of all in it, beside it in the registry",
  async () => {
    const digest = digestOf(tools, "base");
    const { sbom } = await sbomOfArtifact(scene.factory, digest);
    expect(sbom.subject).toMatchObject({ kind: "image" });
    expect(sbom.components.map(({ purl }) => purl)).toContain("pkg:npm/compiler@5.2.0");
    const own = await openOwnRegistry(scene.factory);
    const types: string[] = [];
    for await (const each of own.repository("tools/base").referrers(digest)) {
      types.push(each.annotations?.["dev.sigstore.bundle.predicateType"] ?? "");
    }
    await own.close();
    expect(types).toContain(sbomType);
  },
);

test.skipIf(!canRunInImages)("IMG-5: what a gate refuses is not published, in no registry", async () => {
  await giveAdvisories(scene, [npmAdvisory("CVE-2026-3002", "compiler", "9.0.0")]);
  giveRules(scene, "gate: { vulnerabilities: { refuse: high } }\n");
  const publishing = `${compiler("5.3.0").trimEnd()}
  publish:
    - { artifact: base, to: "factory:out/base", tags: ["1.0"] }
`;
  const run = await scene.run(scene.project("publishing", publishing));
  expect(run).toMatchObject({ status: "refused", error: { code: "SCAN_VULNERABILITY" }, artifacts: [] });
  const own = await openOwnRegistry(scene.factory);
  const found = await own
    .repository("out/base")
    .manifest("1.0")
    .then(
      ({ descriptor }): Digest | undefined => descriptor.digest,
      () => undefined,
    );
  await own.close();
  expect(found).toBeUndefined();
});
