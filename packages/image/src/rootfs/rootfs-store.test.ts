import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Digest, fixedClock } from "@touchmark/core";
import { type Descriptor, type ImageManifest, type OciReader, parseManifest } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { contentOf, freshPlace, platform, sceneImage } from "../unpack/scene.fixture.ts";
import { openRootfsStore } from "./rootfs-store.ts";

const clock = fixedClock("2026-01-01T00:00:00Z");
const layers = [
  [
    { name: "bin/", type: "5", mode: 0o755 },
    { name: "bin/sh", content: "shell", mode: 0o755 },
    { name: "etc/passwd", content: "root:x:0:0" },
    { name: "l", type: "2", target: "bin/sh" },
  ],
  [{ name: "etc/more", content: "more" }],
] as const;
const config = { Env: ["PATH=/bin", "A=1", "A=2=3"], User: "1000:1000", WorkingDir: "/work" };

async function scene(directory = freshPlace()) {
  const image = await sceneImage(layers, config);
  return { ...image, directory, store: openRootfsStore({ directory, clock }) };
}

/** A reader that counts the layers it gives out. */
function counting(reader: OciReader): OciReader & { readonly blobs: number } {
  let blobs = 0;
  return {
    ...reader,
    blob(descriptor) {
      blobs++;
      return reader.blob(descriptor);
    },
    get blobs() {
      return blobs;
    },
  };
}

async function bytesOf(reader: OciReader, descriptor: Descriptor): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader.blob(descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("X8: an image is unpacked once, with what its configuration says", async () => {
  const { reader, digest, store } = await scene();
  const counted = counting(reader);
  const rootfs = await store.ensure(counted, digest, platform);
  expect(contentOf(rootfs.directory)).toEqual([
    "bin/",
    "bin/sh = shell",
    "etc/",
    "etc/more = more",
    "etc/passwd = root:x:0:0",
    "l -> bin/sh",
  ]);
  expect(rootfs).toMatchObject({
    image: digest,
    environment: { PATH: "/bin", A: "2=3" },
    user: "1000:1000",
    workingDirectory: "/work",
    files: 3,
    bytes: 19,
  });
  const read = counted.blobs;
  const again = await store.ensure(counted, digest, platform);
  expect(counted.blobs).toBe(read);
  expect({ ...again, release: 0 }).toEqual({ ...rootfs, release: 0 });
  await expect(store.ensure(reader, digest, { os: "linux", architecture: "arm64" })).rejects.toMatchObject({
    code: "OCI_CONFIG_PLATFORM",
  });
});

test("X8: many who ask at once get one copy", async () => {
  const { reader, digest, directory } = await scene();
  const counted = counting(reader);
  const stores = Array.from({ length: 4 }, () => openRootfsStore({ directory, clock }));
  const all = await Promise.all(stores.map((store) => store.ensure(counted, digest, platform)));
  expect(new Set(all.map(({ directory: place }) => statSync(place).ino)).size).toBe(1);
  // One configuration each to find the image, one more to unpack it, and the layers once.
  expect(counted.blobs).toBe(4 + 1 + layers.length);
});

test("X8: an image whose layers are bad leaves nothing", async () => {
  const directory = freshPlace();
  const store = openRootfsStore({ directory, clock });
  const { reader, digest } = await sceneImage([layers[0], [{ name: "../x", content: "evil" }]]);
  await expect(store.ensure(reader, digest, platform)).rejects.toMatchObject({ code: "UNPACK_PATH_OUTSIDE" });
  expect(await store.list()).toEqual([]);
  expect(readdirSync(join(directory, "sha256"))).toEqual([]);
});

test("X8: what a process left that was killed while it unpacked is reclaimed, and the image unpacked by the next", async () => {
  const { reader, digest, directory, store } = await scene();
  const manifest = (await reader.manifest(digest)).bytes;
  const { config: of, layers: descriptors } = parseManifest(manifest, {}) as ImageManifest;
  const blobs = await Promise.all([of, descriptors[0] as typeof of].map((each) => bytesOf(reader, each)));
  const program = fileURLToPath(new URL("./killed-unpacker.fixture.ts", import.meta.url));
  const words = [manifest, ...blobs].map((bytes) => Buffer.from(bytes).toString("base64"));
  const child = spawn(process.execPath, [program, directory, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const [leftover] = readdirSync(join(directory, "work"));
  expect(leftover).toMatch(/^\d+-/);
  child.kill("SIGKILL");
  await once(child, "close");
  const rootfs = await store.ensure(reader, digest, platform);
  await store.verify(digest, "rehash");
  expect(existsSync(join(rootfs.directory, "bin/sh"))).toBe(true);
  expect(readdirSync(join(directory, "work"))).not.toContain(leftover);
});

test("X8: half an image from another hand is set aside", async () => {
  const { reader, digest, directory, store } = await scene();
  const { release } = await store.ensure(reader, digest, platform);
  release();
  const place = join(directory, "sha256", digest.slice(7));
  writeFileSync(join(place, "root", "evil"), "evil");
  const record = join(place, "record.json");
  const text = readFileSync(record, "utf8");
  writeFileSync(record, text.replace(digest, digest.replace(/.$/, "0")));
  await expect(store.ensure(reader, digest, platform)).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
  const fresh = await store.ensure(reader, digest, platform);
  expect(contentOf(fresh.directory)).not.toContain("evil = evil");
  expect(readdirSync(join(directory, "quarantine"))).toHaveLength(1);
});

test("X10: images go by age and by size, the least recently used first, and never one in use", async () => {
  const directory = freshPlace();
  const store = openRootfsStore({ directory, clock });
  const images: Digest[] = [];
  const leases: (() => void)[] = [];
  for (let i = 0; i < 5; i++) {
    clock.set(new Date(Date.UTC(2026, 1, 1 + i)));
    const { reader, digest } = await sceneImage([[{ name: "a", content: `${i}`.repeat(100) }]]);
    images.push(digest);
    leases.push((await store.ensure(reader, digest, platform)).release);
  }
  clock.set("2026-02-06T00:00:00Z");
  for (const release of leases.slice(1)) release();
  const stored = async () => (await store.list()).map(({ image }) => image);
  expect(await stored()).toEqual([...images].sort());
  const age = { maxAgeSeconds: 3.5 * 86_400 };
  expect(await store.prune({ ...age, dryRun: true })).toMatchObject({ deleted: [images[1]], inUse: [images[0]] });
  expect(await stored()).toHaveLength(5);
  expect(await store.prune(age)).toEqual({
    dryRun: false,
    bytesBefore: 500,
    freedBytes: 100,
    deleted: [images[1]],
    inUse: [images[0]],
    quarantined: 0,
  });
  expect(await store.prune({ maxBytes: 250 })).toMatchObject({ deleted: [images[2], images[3]], freedBytes: 200 });
  leases[0]?.();
  expect(await store.prune({ maxBytes: 0 })).toMatchObject({ deleted: [images[0], images[4]], inUse: [] });
  expect(readdirSync(join(directory, "sha256"))).toEqual([]);
});

test("X10: damaged copies go by age as well", async () => {
  const { reader, digest, directory, store } = await scene();
  clock.set("2026-03-01T00:00:00Z");
  const { directory: root, release } = await store.ensure(reader, digest, platform);
  release();
  writeFileSync(join(root, "evil"), "");
  await expect(store.verify(digest, "listing")).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
  await expect(store.verify(digest, "listing")).rejects.toMatchObject({ code: "ROOTFS_MISSING" });
  expect(await store.prune({ maxAgeSeconds: 60 })).toMatchObject({ quarantined: 0 });
  clock.set("2026-03-02T00:00:00Z");
  expect(await store.prune({ maxAgeSeconds: 60 })).toMatchObject({ quarantined: 1 });
  expect(readdirSync(join(directory, "quarantine"))).toEqual([]);
});
