import { sha256 } from "@touchmark/core";
import {
  type Descriptor,
  descriptorOf,
  type ImageIndex,
  mediaTypes,
  type OciReader,
  type OciWriter,
  parsePlatform,
  serializeIndex,
} from "@touchmark/formats/oci";
import { afterEach, expect, test } from "vitest";
import { memoryRegistryBackend } from "../backends/memory.ts";
import { localRepository } from "../local-repository.ts";
import { copyImage } from "./copy.ts";
import { putImage, putManifest, putReferrer } from "./images.fixture.ts";
import { closeScripted, collected, listed, repositoryAt, scriptedRegistry } from "./scripted.fixture.ts";

afterEach(closeScripted);
const refused = (code: string) => expect.objectContaining({ code });
const local = () => localRepository(memoryRegistryBackend(), "a/b", "local");

async function putIndex(to: OciWriter, tag: string, more: Partial<Descriptor>[] = []): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const name of ["linux/amd64", "linux/arm64", "linux/s390x"]) {
    manifests.push({ ...(await putImage(to)), platform: parsePlatform(name) });
  }
  const index: ImageIndex = {
    kind: "index",
    mediaType: mediaTypes.index,
    manifests: [...manifests, ...(more as Descriptor[])],
  };
  return to.putManifest(serializeIndex(index), mediaTypes.index, tag);
}

/** Digests of everything below a manifest, read and verified. */
async function everything(place: OciReader, reference: string): Promise<number> {
  const { bytes } = await place.manifest(reference);
  const read = JSON.parse(Buffer.from(bytes).toString()) as {
    manifests?: Descriptor[];
    config?: Descriptor;
    layers?: Descriptor[];
  };
  let count = 1;
  for (const child of read.manifests ?? []) count += await everything(place, child.digest);
  for (const blob of [...(read.config === undefined ? [] : [read.config]), ...(read.layers ?? [])]) {
    expect(sha256(await collected(place.blob(blob)))).toBe(blob.digest);
    count++;
  }
  return count;
}

test("C15: an index, its images and what refers to any of them come to a registry, the tag last", async () => {
  const from = local();
  const index = await putIndex(from, "v1");
  const { bytes } = await from.manifest("v1");
  const [first] = (JSON.parse(Buffer.from(bytes).toString()) as { manifests: Descriptor[] }).manifests;
  const onIndex = await putReferrer(from, index, Buffer.from("about the index"));
  const onImage = await putReferrer(from, first as Descriptor, Buffer.from("about one"));
  const onReferrer = await putReferrer(from, onIndex, Buffer.from("about what is said"));
  const registry = await scriptedRegistry();
  const to = repositoryAt(registry.host);
  const progress: string[] = [];
  const report = await copyImage({
    ...{ from, to, reference: "v1", referrers: true, tag: "v2" },
    onProgress: ({ done, total }) => progress.push(`${done}/${total}`),
  });
  expect(report).toMatchObject({
    digest: index.digest,
    manifests: 4,
    referrers: 3,
    skipped: [],
    tag: "v2",
    narrowed: false,
  });
  expect(report.blobs.sent).toBe(10);
  expect(progress.at(-1)).toBe("14/14");
  expect(await everything(to, "v2")).toBe(13);
  for (const [subject, referrer] of [
    [index, onIndex],
    [first as Descriptor, onImage],
    [onIndex, onReferrer],
  ] as const) {
    expect((await listed(to.referrers(subject.digest))).map(({ digest }) => digest)).toEqual([referrer.digest]);
  }
  const puts = registry.log.filter((line) => line.startsWith("PUT"));
  expect(puts.at(-1)).toBe("PUT /v2/a/b/manifests/v2");
  const again = await copyImage({ from, to, reference: "v1", referrers: true, tag: "v2" });
  expect(again).toMatchObject({ bytes: 0, blobs: { sent: 0, mounted: 0, there: 13 } });
});

test("C15: a copy that broke goes on where it was, and the tag is not there before", async () => {
  const from = local();
  await putImage(from, { tag: "v1", layers: 6 });
  let left = 9;
  const registry = await scriptedRegistry((request) => {
    if (left-- > 0 || request.url === "/v2/") return false;
    request.socket.destroy();
    return true;
  });
  const to = repositoryAt(registry.host);
  const request = { from, to, reference: "v1", referrers: true, tag: "v1", atOnce: 1 };
  await expect(copyImage(request)).rejects.toThrow(refused("OCI_CLIENT_UNREACHABLE"));
  registry.script = () => false;
  await expect(to.manifest("v1")).rejects.toThrow(refused("OCI_CLIENT_NOT_FOUND"));
  const report = await copyImage(request);
  expect(report.blobs.there).toBeGreaterThan(1);
  expect(await everything(to, "v1")).toBe(8);
});

test("C15: within one registry blobs are mounted; from registry to registry they stream", async () => {
  const registry = await scriptedRegistry();
  const from = repositoryAt(registry.host, {}, "a/one");
  await putImage(from, { tag: "v1" });
  const near = await copyImage({
    from,
    to: repositoryAt(registry.host, {}, "a/two"),
    reference: "v1",
    referrers: false,
    tag: "v1",
  });
  expect(near).toMatchObject({ bytes: 0, blobs: { sent: 0, mounted: 3, there: 0 } });
  const far = repositoryAt((await scriptedRegistry()).host);
  const report = await copyImage({ from, to: far, reference: "v1", referrers: false });
  expect(report.blobs.sent).toBe(3);
  expect(await everything(far, report.digest)).toBe(4);
});

test("C14: of one platform its own image is copied, of several a new index, and one that is not there is refused", async () => {
  const from = local();
  const index = await putIndex(from, "v1");
  const platforms = (...names: string[]) => ({ platforms: names.map(parsePlatform) });
  const request = { from, to: local(), reference: "v1", referrers: true };
  const one = await copyImage({ ...request, ...platforms("linux/arm64") });
  expect(one).toMatchObject({ mediaType: mediaTypes.manifest, manifests: 1, narrowed: false });
  const two = await copyImage({ ...request, ...platforms("linux/arm64", "linux/amd64") });
  expect(two).toMatchObject({ mediaType: mediaTypes.index, manifests: 3, narrowed: true });
  expect(two.digest).not.toBe(index.digest);
  const all = await copyImage({ ...request, ...platforms("linux/arm64", "linux/amd64", "linux/s390x") });
  expect(all.digest).toBe(index.digest);
  await expect(copyImage({ ...request, ...platforms("windows/amd64") })).rejects.toThrow(
    refused("OCI_PLATFORM_MISSING"),
  );
});

test("C14: foreign layers are refused, and their addresses asked by nobody", async () => {
  const registry = await scriptedRegistry();
  const foreign = await scriptedRegistry();
  const to = repositoryAt(registry.host);
  const layer = { ...descriptorOf(Buffer.from("far"), mediaTypes.layer), urls: [`http://${foreign.host}/layer`] };
  const image = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptorOf(Buffer.from("{}"), mediaTypes.config),
    layers: [layer],
  });
  const digest = sha256(image);
  const from: OciReader = {
    ...local(),
    manifest: async () => ({
      descriptor: { mediaType: mediaTypes.manifest, digest, size: image.length },
      bytes: Buffer.from(image),
    }),
  };
  await expect(copyImage({ from, to, reference: digest, referrers: true })).rejects.toThrow(
    refused("OCI_FOREIGN_CONTENT"),
  );
  expect([...foreign.log, ...registry.log]).toEqual([]);
});

test("C14: an image of too many manifests, or with too many referrers, is not begun", async () => {
  const from = local();
  const index = await putIndex(from, "v1");
  for (const word of ["one", "two", "three"]) await putReferrer(from, index, Buffer.from(word));
  const request = { from, to: local(), reference: "v1", referrers: true };
  for (const limits of [{ maxManifests: 3 }, { maxReferrers: 2 }, { maxDepth: 0 }]) {
    await expect(copyImage({ ...request, limits })).rejects.toThrow(refused("OCI_TRANSFER_LIMIT"));
  }
});

test("C14: a child of another size than its index says is refused", async () => {
  const from = local();
  await putIndex(from, "v1");
  const lying: OciReader = {
    ...from,
    manifest: async (reference) => {
      const found = await from.manifest(reference);
      return reference === "v1" ? found : { ...found, bytes: Buffer.concat([found.bytes, Buffer.from(" ")]) };
    },
  };
  await expect(copyImage({ from: lying, to: local(), reference: "v1", referrers: true })).rejects.toThrow(
    refused("OCI_TRANSFER_SOURCE_CHANGED"),
  );
});

test("C14: what is listed as a referrer and is none, or has no content, is left out and named", async () => {
  const from = local();
  const image = await putImage(from, { tag: "v1" });
  const other = await putImage(from);
  const good = await putReferrer(from, image, Buffer.from("good"));
  const lost = await putReferrer(from, image, Buffer.from("lost"));
  const stranger = await putReferrer(from, other, Buffer.from("stranger"));
  const absent = { ...descriptorOf(Buffer.from("absent"), mediaTypes.manifest) };
  const lying: OciReader = {
    ...from,
    async *referrers(subject) {
      if (subject === image.digest) yield* [absent, stranger];
      yield* from.referrers(subject);
    },
    blob: (descriptor) => missingBlob(from, descriptor),
  };
  const report = await copyImage({ from: lying, to: local(), reference: "v1", referrers: true });
  expect(report.referrers).toBe(1);
  expect(new Map(report.skipped.map(({ digest, code }) => [digest, code]))).toEqual(
    new Map([
      [absent.digest, "REGISTRY_CONTENT_MISSING"],
      [stranger.digest, "OCI_TRANSFER_NO_REFERRER"],
      [lost.digest, "REGISTRY_CONTENT_CORRUPT"],
    ]),
  );
  expect(good.digest).toMatch(/^sha256:/);
});

/** Content of `from`, but for one blob that is another size there. */
async function* missingBlob(from: OciReader, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  yield* from.blob(descriptor.digest === sha256("lost") ? { ...descriptor, size: 1 } : descriptor);
}

test("C15: a target that gives something else back is found out, at the digest and at the tag", async () => {
  const from = local();
  await putImage(from, { tag: "v1" });
  const to = local();
  const other = await putImage(to);
  const swapped = (wrong: (reference: string) => boolean) => ({
    ...to,
    manifest: (reference: string) => to.manifest(wrong(reference) ? other.digest : reference),
  });
  const request = { from, reference: "v1", referrers: true, tag: "v9" };
  for (const wrong of [(text: string) => text.includes(":"), (text: string) => text === "v9"]) {
    await expect(copyImage({ ...request, to: swapped(wrong) })).rejects.toThrow(refused("OCI_TRANSFER_TARGET_DIFFERS"));
  }
});

test("C15: whoever is asked before the tag can stop it", async () => {
  const from = local();
  await putManifest(from, {}, "v1");
  const to = local();
  const stop = async (): Promise<void> => {
    throw new Error("no");
  };
  await expect(copyImage({ from, to, reference: "v1", referrers: true, tag: "v1", beforeTag: stop })).rejects.toThrow(
    "no",
  );
  await expect(to.manifest("v1")).rejects.toThrow();
});
