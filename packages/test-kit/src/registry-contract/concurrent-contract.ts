import type { Digest } from "@touchmark/core";
import { expect, test } from "vitest";
import { codeOf, type RegistryBackendFixture } from "./registry-fixture.ts";
import { putBlob, readBlob, sampleManifest } from "./sample-registry.ts";

const WRITERS = 4;
const ROUNDS = 12;

/** Writers beside a collection that is always on, without any grace (registry SPEC B11). */
export function concurrentContract(name: string, make: () => Promise<RegistryBackendFixture>): void {
  test(`B11: ${name}: nothing that was acknowledged beside a collection is lost`, { timeout: 240_000 }, async () => {
    const { backend, clock } = await make();
    // To the collection everything is old, whenever it was put.
    clock.set(new Date(clock.now().getTime() + 3_600_000));
    const acknowledged = new Map<string, Digest>();
    const codes = new Set<unknown>();
    let running = WRITERS;
    /** Pushes one of a few images, so that writers share content, and moves the writer's tag to it. */
    const push = async (writer: number, round: number): Promise<void> => {
      const word = `image ${(writer + round) % 5}`;
      const config = await putBlob(backend, "a", `{"word":"${word}"}`);
      const layer = await putBlob(backend, "a", `layer ${word}`);
      if (!(await backend.blobs.mount(layer, "a", "b"))) await putBlob(backend, "b", `layer ${word}`);
      const manifest = sampleManifest({ config, layers: [layer], word });
      const referrer = sampleManifest({ config, layers: [layer], subject: manifest.digest, word: `about ${word}` });
      for (const repository of ["a", "b"]) {
        if (repository === "b") await putBlob(backend, "b", `{"word":"${word}"}`);
        await backend.manifests.put(repository, manifest, { name: `writer-${writer}`, immutable: false });
        acknowledged.set(`${repository} writer-${writer}`, manifest.digest);
        await backend.manifests.put(repository, referrer);
      }
    };
    const write = async (writer: number): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        // To begin again is what the writer is told where a collection was first.
        let code: unknown = "REGISTRY_BACKEND_COLLECTED";
        for (let attempt = 0; attempt < 5 && code === "REGISTRY_BACKEND_COLLECTED"; attempt++) {
          code = await codeOf(push(writer, round));
          codes.add(code);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      running--;
    };
    let deleted = 0;
    const collect = async (): Promise<void> => {
      while (running > 0) {
        const report = await backend.collect({ untagged: true, graceSeconds: 0, dryRun: false });
        deleted += report.deletedBlobs.length;
        await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 40));
      }
    };
    await Promise.all([...Array.from({ length: WRITERS }, (_, writer) => write(writer)), collect()]);
    expect([...codes].filter((code) => code !== "no error" && code !== "REGISTRY_BACKEND_COLLECTED")).toEqual([]);
    deleted += (await backend.collect({ untagged: true, graceSeconds: 0, dryRun: false })).deletedBlobs.length;
    expect([deleted, acknowledged.size].every((count) => count > 0)).toBe(true);
    for (const [place, digest] of acknowledged) {
      const [repository = "", tag = ""] = place.split(" ");
      const found = await backend.tags.resolve(repository, tag);
      // A push that was told to begin again may have moved it before.
      if (codes.size === 1) expect(found).toBe(digest);
      const manifest = await backend.manifests.get(repository, found as Digest);
      const { config, layers } = JSON.parse(Buffer.from(manifest?.bytes ?? []).toString());
      for (const { digest: blob } of [config, ...layers])
        expect(await readBlob(backend, repository, blob)).toBeDefined();
    }
    expect(await backend.fsck()).toEqual([]);
  });
}
