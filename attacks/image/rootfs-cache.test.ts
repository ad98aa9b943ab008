import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { openRootfsStore } from "@touchmark/image";
import type { ForgedTarEntry } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { forgeImage, platform } from "./scene.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-rootfs-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;

const layer: readonly ForgedTarEntry[] = [
  { name: "bin/sh", content: "#!shell".repeat(100), mode: 0o755 },
  { name: "etc/passwd", content: "root:x:0:0\n" },
  { name: "lib/x.so", content: Buffer.alloc(5000, 7) },
];

async function unpackedScene() {
  const { reader, digest } = await forgeImage({ layers: [layer], environment: ["PATH=/bin", "LD_LIBRARY_PATH=/lib"] });
  const place = join(directory, String(count++));
  const store = openRootfsStore({ directory: place, clock: systemClock });
  const { directory: root, release } = await store.ensure(reader, digest, platform);
  release();
  // Until the stamps are a little older than the files, everything is read again anyway.
  await new Promise((resolve) => setTimeout(resolve, 70));
  await store.verify(digest, "listing");
  return { reader, digest, place, root, store, cache: join(place, "sha256", digest.slice(7)) };
}

test("X9: AT18: one bit of any file in the cache of unpacked images is noticed, its times set back or not", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("bin/sh", "etc/passwd", "lib/x.so"),
      fc.nat(),
      fc.nat({ max: 7 }),
      fc.boolean(),
      fc.constantFrom("listing" as const, "rehash" as const),
      async (path, at, bit, isQuiet, how) => {
        const { digest, root, store } = await unpackedScene();
        const file = join(root, path);
        const { atime, mtime } = statSync(file);
        const bytes = readFileSync(file);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        writeFileSync(file, bytes);
        if (isQuiet) utimesSync(file, atime, mtime);
        await expect(store.verify(digest, how)).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
      },
    ),
    { numRuns: 40 },
  );
});

test("X9: AT18: one bit of the listing or the record is noticed, and never crashes the verification", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("listing", "record.json"), fc.nat(), fc.nat({ max: 7 }), async (name, at, bit) => {
      const { cache, digest, reader, store } = await unpackedScene();
      const file = join(cache, name);
      const bytes = readFileSync(file);
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      const isTime = name === "record.json" && /"unpackedAt":/.test(bytes.subarray(index - 40, index + 1).toString());
      writeFileSync(file, bytes);
      const verdict = await store.verify(digest, "listing").then(
        () => "passed",
        (error: { code: string }) => error.code,
      );
      // When it was unpacked is for people alone.
      if (!isTime && index < bytes.length - 2) expect(verdict).toBe("ROOTFS_CHANGED");
      await expect(store.ensure(reader, digest, platform)).resolves.toMatchObject({ image: digest });
    }),
    { numRuns: 60 },
  );
});

test("X9: a cache that was filled for another image does not pass for this one", async () => {
  const mine = await unpackedScene();
  const { reader, digest } = await forgeImage({ layers: [[{ name: "bin/sh", content: "evil" }]] });
  const { directory: evil } = await mine.store.ensure(reader, digest, platform);
  rmSync(mine.cache, { recursive: true });
  symlinkSync(join(evil, ".."), mine.cache);
  await expect(mine.store.verify(mine.digest, "listing")).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
  const fresh = await mine.store.ensure(mine.reader, mine.digest, platform);
  expect(readFileSync(join(fresh.directory, "etc/passwd"), "utf8")).toContain("root");
  expect(lstatSync(mine.cache).isDirectory()).toBe(true);
});

test("X8: a layer that turns out bad at its end leaves no image, and nothing of it in the cache", async () => {
  const { place, store } = await unpackedScene();
  const { reader, digest } = await forgeImage({
    layers: [[{ name: "bin/sh", content: "evil" }]],
    diffIds: [`sha256:${"0".repeat(64)}`],
  });
  await expect(store.ensure(reader, digest, platform)).rejects.toMatchObject({ code: "UNPACK_DIFF_ID" });
  await expect(store.verify(digest, "listing")).rejects.toMatchObject({ code: "ROOTFS_MISSING" });
  const left = readdirSync(join(place, "work")).flatMap((owner) => readdirSync(join(place, "work", owner)));
  expect(left).toEqual([]);
});
