import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  mediaTypes,
  serializeIndex,
  serializeManifest,
} from "@touchmark/formats/oci";
import { afterAll, describe, expect, test } from "vitest";
import type { WritableImages } from "./local-images.ts";
import { memoryImages } from "./memory-images.ts";
import { openLayout } from "./open-layout.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-layout-test-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const text = (value: string) => Buffer.from(value);
const once = (bytes: Uint8Array) =>
  async function* () {
    yield bytes;
  };
const code = (value: string) => expect.objectContaining({ code: value });

async function putArtifact(images: WritableImages, content: string, tag?: string, subject?: Descriptor) {
  const layer = descriptorOf(text(content), "text/plain");
  await images.putBlob(layer, once(text(content)));
  await images.putBlob(emptyDescriptor, once(emptyContent));
  const manifest = serializeManifest({
    ...{ kind: "manifest", mediaType: mediaTypes.manifest, artifactType: "text/x-note" },
    ...{ config: emptyDescriptor, layers: [layer], ...(subject === undefined ? {} : { subject }) },
  });
  return { layer, descriptor: await images.putManifest(manifest, mediaTypes.manifest, tag) };
}

async function all<T>(values: AsyncIterable<T> | undefined): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values ?? []) found.push(value);
  return found;
}

const places: [name: string, make: () => WritableImages][] = [
  ["a layout", () => openLayout(mkdtempSync(join(scratch, "layout-")))],
  ["memory", () => memoryImages()],
];

describe.each(places)("I1: %s", (_, make) => {
  test("I1: gives back what was put, by tag and by digest", async () => {
    const images = make();
    const { layer, descriptor } = await putArtifact(images, "one", "latest");
    expect((await images.manifest("latest")).descriptor).toEqual(descriptor);
    expect((await images.manifest(descriptor.digest)).descriptor).toEqual(descriptor);
    expect(Buffer.concat(await all(images.blob(layer))).toString()).toBe("one");
    expect(await images.hasBlob(layer.digest)).toBe(true);
    expect(await images.hasBlob(sha256("other"))).toBe(false);
    expect(await images.only()).toBe(descriptor.digest);
    const second = await putArtifact(images, "two", "latest");
    await putArtifact(images, "one", "old");
    expect((await images.manifest("latest")).descriptor.digest).toBe(second.descriptor.digest);
    expect(await all(images.tags?.())).toEqual(["latest", "old"]);
    await expect(images.only()).rejects.toEqual(code("IMAGE_REFERENCE_AMBIGUOUS"));
  });

  test("I1: refuses what is not there, and content that is not what was announced", async () => {
    const images = make();
    const { layer } = await putArtifact(images, "one", "latest");
    await expect(images.manifest("other")).rejects.toEqual(code("IMAGE_MANIFEST_MISSING"));
    await expect(images.manifest(sha256("other"))).rejects.toEqual(code("IMAGE_MANIFEST_MISSING"));
    const absent = { ...layer, digest: sha256("absent") };
    await expect(all(images.blob(absent))).rejects.toEqual(code("IMAGE_BLOB_MISSING"));
    await expect(images.putBlob(absent, once(text("one")))).rejects.toEqual(code("IMAGE_BLOB_MISMATCH"));
    await expect(images.putBlob({ ...absent, size: 2 }, once(text("one")))).rejects.toEqual(
      code("IMAGE_BLOB_MISMATCH"),
    );
    await expect(images.putBlob({ ...absent, size: 9 }, once(text("one")))).rejects.toEqual(
      code("IMAGE_BLOB_MISMATCH"),
    );
    expect(await images.hasBlob(absent.digest)).toBe(false);
    await expect(all(images.blob({ ...layer, size: 2 }))).rejects.toEqual(code("IMAGE_BLOB_CORRUPT"));
    const dangling = serializeManifest({
      ...{ kind: "manifest", mediaType: mediaTypes.manifest, config: emptyDescriptor, layers: [absent] },
    });
    await expect(images.putManifest(dangling, mediaTypes.manifest)).rejects.toEqual(code("IMAGE_BLOB_MISSING"));
  });

  test("I1: lists what refers to an image, by artifact type", async () => {
    const images = make();
    const { descriptor } = await putArtifact(images, "one", "latest");
    const note = await putArtifact(images, "about one", undefined, descriptor);
    const found = await all(images.referrers(descriptor.digest));
    expect(found).toEqual([expect.objectContaining({ digest: note.descriptor.digest, artifactType: "text/x-note" })]);
    expect(await all(images.referrers(descriptor.digest, { artifactType: "text/x-other" }))).toEqual([]);
    expect(await all(images.referrers(note.descriptor.digest))).toEqual([]);
  });

  test("I1: an index holds its manifests; nothing at all is an answer of its own", async () => {
    const images = make();
    const { descriptor } = await putArtifact(images, "one");
    const index = serializeIndex({ kind: "index", mediaType: mediaTypes.index, manifests: [descriptor] });
    const put = await images.putManifest(index, mediaTypes.index);
    expect(await images.only()).toBe(put.digest);
    await expect(memoryImages().only()).rejects.toEqual(code("IMAGE_MANIFEST_MISSING"));
  });
});

test("I1: a layout that is none, or is damaged, is refused", async () => {
  const directory = mkdtempSync(join(scratch, "damaged-"));
  const images = openLayout(directory);
  await expect(images.manifest("latest")).rejects.toEqual(code("IMAGE_LAYOUT_INVALID"));
  const { layer } = await putArtifact(images, "one", "latest");
  const blob = join(directory, "blobs", "sha256", layer.digest.slice(7));
  rmSync(blob);
  writeFileSync(blob, "two");
  await expect(all(images.blob(layer))).rejects.toEqual(code("IMAGE_BLOB_CORRUPT"));
  await putArtifact(images, "one", "latest");
  expect(readFileSync(blob, "utf8")).toBe("one");
  rmSync(blob);
  symlinkSync("/etc/hostname", blob);
  await expect(all(images.blob(layer))).rejects.toEqual(code("IMAGE_BLOB_MISSING"));
  for (const [name, content] of [
    ["index.json", "{}"],
    ["index.json", `{"schemaVersion":2,"manifests":[],"x":"${"x".repeat(5_000_000)}"}`],
    ["oci-layout", '{"imageLayoutVersion":"2.0.0"}'],
    ["oci-layout", "nonsense"],
  ] as const) {
    const before = readFileSync(join(directory, name));
    writeFileSync(join(directory, name), content);
    await expect(images.manifest("latest")).rejects.toEqual(code("IMAGE_LAYOUT_INVALID"));
    writeFileSync(join(directory, name), before);
  }
});

test("I1: writers of one layout do not lose each other's tags", async () => {
  const directory = mkdtempSync(join(scratch, "shared-"));
  const tags = Array.from({ length: 8 }, (_, i) => `tag-${i}`);
  await Promise.all(tags.map((tag) => putArtifact(openLayout(directory), tag, tag)));
  expect(await all(openLayout(directory).tags?.())).toEqual(tags);
});
