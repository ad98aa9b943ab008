import { sha256 } from "@touchmark/core";
import { emptyContent, emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { memoryRegistryBackend } from "./backends/memory.ts";
import { localRepository } from "./local-repository.ts";

async function all<T>(items: AsyncIterable<T> | undefined): Promise<T[]> {
  const list: T[] = [];
  if (items !== undefined) for await (const item of items) list.push(item);
  return list;
}

async function* chunks(bytes: Uint8Array) {
  yield bytes;
}

const { data: _, ...empty } = emptyDescriptor;
const image = (artifactType: string, subject?: { digest: `sha256:${string}`; size: number }) =>
  serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    artifactType,
    config: empty,
    layers: [],
    ...(subject === undefined ? {} : { subject: { mediaType: mediaTypes.manifest, ...subject } }),
  });

test("L1: what was put is found by tag and digest, with more referrers than a page", async () => {
  const repository = localRepository(memoryRegistryBackend(), "shop/app", "factory:shop/app");
  await repository.putBlob(empty, () => chunks(emptyContent));
  const bytes = image("application/example");
  const put = await repository.putManifest(bytes, mediaTypes.manifest, "1");
  expect((await repository.manifest("1")).descriptor).toEqual(put);
  for (let i = 0; i < 130; i++) {
    await repository.putManifest(image(`application/x${i}`, put), mediaTypes.manifest);
  }
  const found = await all(repository.referrers(put.digest));
  expect(new Set(found.map((each) => each.digest)).size).toBe(130);
  expect(await all(repository.referrers(put.digest, { artifactType: "application/x7" }))).toHaveLength(1);
  expect(await all(repository.tags?.())).toEqual(["1"]);
  expect(await repository.hasBlob(sha256("other"))).toBe(false);
});

test("L1: what is not there, or needs what is not there, is refused by name", async () => {
  const repository = localRepository(memoryRegistryBackend(), "shop/app", "factory:shop/app");
  const bytes = image("application/example");
  await expect(repository.manifest("1")).rejects.toMatchObject({ code: "REGISTRY_CONTENT_MISSING" });
  await expect(repository.manifest(sha256("x"))).rejects.toMatchObject({ code: "REGISTRY_CONTENT_MISSING" });
  await expect(all(repository.blob(empty))).rejects.toMatchObject({ code: "REGISTRY_CONTENT_MISSING" });
  await expect(repository.putManifest(bytes, mediaTypes.manifest)).rejects.toMatchObject({
    code: "REGISTRY_REFERENCE_MISSING",
  });
  await repository.putBlob(empty, () => chunks(emptyContent));
  await expect(all(repository.blob({ ...empty, size: 3 }))).rejects.toMatchObject({
    code: "REGISTRY_CONTENT_CORRUPT",
  });
});

test("L2: rules of tags hold without a server too", async () => {
  const judged: string[] = [];
  const rules = {
    judge: async (repository: string, tag: string) => {
      judged.push(`${repository}:${tag}`);
      return { immutable: true };
    },
  };
  const repository = localRepository(memoryRegistryBackend(), "shop/app", "factory:shop/app", rules);
  await repository.putBlob(empty, () => chunks(emptyContent));
  await repository.putManifest(image("application/one"), mediaTypes.manifest, "1");
  await expect(repository.putManifest(image("application/two"), mediaTypes.manifest, "1")).rejects.toMatchObject({
    code: "REGISTRY_TAG_IMMUTABLE",
  });
  expect(judged).toEqual(["shop/app:1", "shop/app:1"]);
});
