import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import { descriptorOf, mediaTypes, type OciReader, serializeIndex, serializeManifest } from "@touchmark/formats/oci";
import { streamLayer, unpackImage } from "@touchmark/image";
import { type ForgedTarEntry, forgeTar } from "@touchmark/test-kit/archives";
import { afterAll, expect, test } from "vitest";
import { forgeImage, platform, unpackForged } from "./scene.ts";

const good: readonly ForgedTarEntry[] = [{ name: "a", content: "good" }];
const archive = forgeTar(good);
const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-layers-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("X5: a layer with other content than the configuration names is refused, and nothing of it stays", async () => {
  const layers = [good];
  const diffIds = [sha256("what was reviewed")];
  expect(await unpackForged({ layers, diffIds })).toMatchObject({ code: "UNPACK_DIFF_ID", isContained: true });
});

test("X5: two layers in the other order are refused", async () => {
  const layers = [good, [{ name: "b", content: "b" }]];
  const diffIds = layers.map((layer) => sha256(forgeTar(layer))).reverse();
  expect(await unpackForged({ layers, diffIds })).toMatchObject({ code: "UNPACK_DIFF_ID", isContained: true });
});

test.each<[string, string, { mediaType?: string; urls?: string[] }]>([
  ["with addresses", "UNPACK_LAYER_FOREIGN", { urls: ["https://evil.example.com/layer"] }],
  ["of Docker's foreign type", "UNPACK_LAYER_FOREIGN", { mediaType: mediaTypes.dockerForeignLayer }],
  [
    "that must not be distributed",
    "UNPACK_LAYER_FOREIGN",
    { mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" },
  ],
  ["of an unknown type", "UNPACK_LAYER_TYPE", { mediaType: "application/vnd.example.layer.v1.squashfs" }],
  ["that is encrypted", "UNPACK_LAYER_TYPE", { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" }],
])("X5: a layer %s is refused", async (_name, code, layer) => {
  expect(await unpackForged([{ archive, ...layer }])).toMatchObject({ code, isContained: true });
});

test("X4: more layers than the limit are refused before the first is read", async () => {
  const outcome = await unpackForged([good, good, good], { limits: { layers: 2 } });
  expect(outcome).toMatchObject({ code: "UNPACK_TOO_MANY_LAYERS", isContained: true });
});

test("X4: a manifest of 10,000 layers is refused", async () => {
  const { reader } = await forgeImage({ layers: [good] });
  const layer = descriptorOf(gzipSync(archive), mediaTypes.layerGzip);
  const config = descriptorOf(Buffer.from("{}"), mediaTypes.config);
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: Array.from({ length: 10_000 }, () => layer),
  });
  const bytes = Buffer.from(text);
  const lying: OciReader = {
    ...reader,
    manifest: async () => ({ bytes, descriptor: descriptorOf(bytes, mediaTypes.manifest) }),
  };
  const unpacking = unpackImage({ reader: lying, digest: "forged", platform, directory: join(directory, "many") });
  await expect(unpacking).rejects.toMatchObject({ code: "OCI_TOO_MANY_LAYERS" });
});

test("X5: an image of another platform than was asked for is refused", async () => {
  const outcome = await unpackForged({ layers: [good], os: "windows" });
  expect(outcome).toMatchObject({ code: "OCI_CONFIG_PLATFORM", isContained: true });
  const other = await unpackForged([good], { platform: { os: "linux", architecture: "arm64" } });
  expect(other).toMatchObject({ code: "OCI_CONFIG_PLATFORM", isContained: true });
});

test("X5: another number of layers than the configuration names is refused", async () => {
  const outcome = await unpackForged({ layers: [good, good], diffIds: [sha256(archive)] });
  expect(outcome).toMatchObject({ code: "OCI_CONFIG_LAYERS", isContained: true });
});

test("X5: an index in an index, and a manifest of something else, are refused", async () => {
  const { reader, digest } = await forgeImage({ layers: [good] });
  const { descriptor } = await reader.manifest(digest);
  const index = (of: typeof descriptor) =>
    serializeIndex({ kind: "index", mediaType: mediaTypes.index, manifests: [{ ...of, platform }] });
  const inner = await reader.putManifest(index(descriptor), mediaTypes.index);
  const outer = await reader.putManifest(index(inner), mediaTypes.index);
  const unpack = (reference: string, name: string) =>
    unpackImage({ reader, digest: reference, platform, directory: join(directory, name) });
  expect((await unpack(inner.digest, "inner")).image).toBe(digest);
  await expect(unpack(outer.digest, "outer")).rejects.toMatchObject({ code: "UNPACK_NOT_AN_IMAGE" });

  const config = { mediaType: mediaTypes.config, digest: sha256("large"), size: 2 ** 30 };
  const manifest = { kind: "manifest", mediaType: mediaTypes.manifest, config, layers: [] } as const;
  const bytes = serializeManifest(manifest);
  const lying: OciReader = {
    ...reader,
    manifest: async () => ({ bytes, descriptor: descriptorOf(bytes, mediaTypes.manifest) }),
  };
  const unpacking = unpackImage({ reader: lying, digest: "x", platform, directory: join(directory, "large") });
  await expect(unpacking).rejects.toMatchObject({ code: "UNPACK_NOT_AN_IMAGE" });
  expect(readdirSync(directory)).not.toContain("large");
});

test("X5: a directory that holds something is not unpacked into", async () => {
  const used = join(directory, "used");
  mkdirSync(used);
  writeFileSync(join(used, "mine"), "mine");
  const { reader, digest } = await forgeImage({ layers: [good] });
  const unpack = (place: string) => unpackImage({ reader, digest, platform, directory: place });
  await expect(unpack(used)).rejects.toMatchObject({ code: "UNPACK_DIRECTORY_USED" });
  await expect(unpack(join(used, "mine"))).rejects.toMatchObject({ code: "UNPACK_DIRECTORY_USED" });
  expect(readdirSync(used)).toEqual(["mine"]);
});

test("X5: an empty directory that unpacking failed into is empty again", async () => {
  const mine = join(directory, "mine");
  mkdirSync(mine);
  const { reader, digest } = await forgeImage({ layers: [good, [{ name: "../x", content: "evil" }]] });
  const unpacking = unpackImage({ reader, digest, platform, directory: mine });
  await expect(unpacking).rejects.toMatchObject({ code: "UNPACK_PATH_OUTSIDE" });
  expect(readdirSync(mine)).toEqual([]);
});

test("X5: AT18: blobs with other bytes than their digest end the unpacking, with the reader's own code", async () => {
  const { reader, digest } = await forgeImage({ layers: [good] });
  const manifest = await reader.manifest(digest);
  const layer = (JSON.parse(Buffer.from(manifest.bytes).toString()) as { layers: { digest: `sha256:${string}` }[] })
    .layers[0];
  const swapped: OciReader = {
    ...reader,
    async *blob(descriptor) {
      if (descriptor.digest !== layer?.digest) {
        yield* reader.blob(descriptor);
        return;
      }
      // As a reader does it that verifies: bytes first, the error before the last of them.
      yield gzipSync(forgeTar([{ name: "a", content: "evil" }])).subarray(0, 40);
      throw Object.assign(new Error("expected another digest"), { code: "SCENE_DIGEST" });
    },
  };
  const place = join(directory, "swapped");
  const unpacking = unpackImage({ reader: swapped, digest, platform, directory: place });
  await expect(unpacking).rejects.toMatchObject({ message: expect.stringContaining("another digest") });
  expect(readdirSync(directory)).not.toContain("swapped");
});

test("X5: reading a layer alone verifies its diffID before it ends", async () => {
  const { reader } = await forgeImage({ layers: [good] });
  const descriptor = descriptorOf(gzipSync(archive, { level: 1 }), mediaTypes.layerGzip);
  const read = async (diffId: `sha256:${string}`) => {
    const paths: string[] = [];
    for await (const entry of streamLayer(reader, descriptor, { diffId })) paths.push(entry.path);
    return paths;
  };
  expect(await read(sha256(archive))).toEqual(["a"]);
  await expect(read(sha256("other"))).rejects.toMatchObject({ code: "UNPACK_DIFF_ID" });
});
