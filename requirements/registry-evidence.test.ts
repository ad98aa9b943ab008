import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { type Factory, openFactory, type RunOutcome, verifyFoundHere } from "@touchmark/pipeline";
import {
  findEvidence,
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  startRegistry,
} from "@touchmark/registry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { artifactOf, canBuild, openScene, type Scene } from "./scene.ts";

/* What a run released, published to a registry, and verified from there by the factory that made it. */

let scene: Scene;
let run: RunOutcome;
beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
});
afterAll(() => scene?.close());

/** Publishes the artifact with all evidence; gives what is found beside it in the registry. */
async function publishedBundles(): Promise<Uint8Array[]> {
  const registry = await startRegistry({
    ...{ backend: memoryRegistryBackend(), authority: openAuthority() },
    ...{ listen: { host: "127.0.0.1", port: 0 }, closeSeconds: 0 },
  });
  const client = openRegistryClient({ environment: {} });
  try {
    const to = client.repository({ registry: registry.address, repository: "team/app" });
    const digest = artifactOf(run);
    const { all } = await scene.evidence(run);
    const size = (await scene.factory.content.get(digest)).length;
    const open = () => scene.factory.content.stream(digest);
    const { subject } = await publishArtifact(to, {
      files: [{ name: "app.tar", mediaType: "application/x-tar", digest, size, open }],
      bundles: all.map(({ bytes, verified }) => ({ bytes, predicateType: verified.statement.predicateType })),
      ...{ created: systemClock, tag: "1.0" },
    });
    const found: Uint8Array[] = [];
    for await (const { bytes } of findEvidence(to, subject.digest)) found.push(bytes);
    expect(found).toHaveLength(all.length);
    return found;
  } finally {
    client.close();
    await registry.close();
  }
}

test.skipIf(!canBuild)("a factory verifies what it published, by what a registry lists alone", async () => {
  const bundles = await publishedBundles();
  const { chain, refused } = await verifyFoundHere(scene.factory, artifactOf(run), [...bundles, Buffer.from("{}")]);
  expect(chain).toMatchObject({ run: run.run, artifact: { digest: artifactOf(run) } });
  expect([...refused.values()]).toHaveLength(1);
  const stranger = mkdtempSync(join(tmpdir(), "touchmark-stranger-"));
  let other: Factory | undefined;
  try {
    other = await openFactory({ home: stranger, create: true });
    await expect(verifyFoundHere(other, artifactOf(run), bundles)).rejects.toThrow(
      expect.objectContaining({ code: "EVIDENCE_MISSING" }),
    );
  } finally {
    await other?.close();
    rmSync(stranger, { recursive: true, force: true });
  }
});

test.skipIf(!canBuild)("what was built of a source that nobody asked for here is not accepted", async () => {
  const bundles = await publishedBundles();
  const projects = join(scene.factory.home.path, "projects");
  rmSync(projects, { recursive: true, force: true });
  await expect(verifyFoundHere(scene.factory, artifactOf(run), bundles)).rejects.toThrow(
    expect.objectContaining({ code: "PROJECT_SOURCE_UNKNOWN" }),
  );
});
