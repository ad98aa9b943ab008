import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { descriptorOf, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { type LayerSource, memoryImages, openRootfsStore, unpackImage, writeLayer } from "@touchmark/image";
import type { ForgedTarEntry } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { forgeImage, platform, unpackForged } from "./scene.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-random-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const letters = "abcdefghijklmnopqrstuvwxyzABCD".split("");
const name = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...letters) },
  { weight: 4, arbitrary: fc.constantFrom("etc", "canary", ".", "\u00e9", ".wh..wh..opq") },
  { weight: 4, arbitrary: fc.constantFrom(...letters).map((letter) => `.wh.${letter}`) },
  { weight: 1, arbitrary: fc.constantFrom("..", ".wh.", ".wh..wh.a", "e\u0301") },
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const target = fc.oneof(path, fc.constantFrom("/", "/etc/passwd", "../canary", "../../..", "..", "../etc", "."));
const entry: fc.Arbitrary<ForgedTarEntry> = fc.oneof(
  { weight: 4, arbitrary: path.map((each) => ({ name: each, content: "evil" })) },
  { weight: 2, arbitrary: path.map((each) => ({ name: each })) },
  { weight: 2, arbitrary: path.map((each) => ({ name: each, type: "5", mode: 0o755 })) },
  { weight: 4, arbitrary: fc.record({ name: path, type: fc.constant("2"), target }) },
  { weight: 1, arbitrary: fc.record({ name: path, type: fc.constant("1"), target }) },
  { weight: 1, arbitrary: fc.record({ name: path, type: fc.constantFrom("3", "6", "0", "\0", "7") }) },
  { weight: 1, arbitrary: fc.record({ name: path, longName: path, content: fc.constant("x") }) },
);
const layers = fc.array(fc.array(entry, { maxLength: 8 }), { minLength: 1, maxLength: 3 });

test("X3: whatever layers hold, nothing beside the directory changes, and what is there is what the listing says", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(layers, fc.constantFrom("refuse" as const, "resolve" as const), async (all, throughLinks) => {
      const { isContained, report, directory: root, code } = await unpackForged(all, { throughLinks });
      expect(isContained).toBe(true);
      expect(code ?? "UNPACK_").toMatch(/^UNPACK_/);
      if (code === undefined) accepted++;
      for (const each of report?.listing.entries ?? []) {
        const stat = lstatSync(join(root, each.path));
        const kind = stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "symlink";
        expect([each.path, kind]).toEqual([each.path, each.kind]);
      }
    }),
    { numRuns: 400 },
  );
  // A property of refusals alone would say little.
  expect(accepted).toBeGreaterThan(40);
});

test("X9: whatever layers hold, what was unpacked is what is derived and verified", async () => {
  const store = openRootfsStore({ directory: join(directory, "rootfs"), clock: systemClock });
  await fc.assert(
    fc.asyncProperty(layers, async (all) => {
      const { reader, digest } = await forgeImage({ layers: all });
      const made = await store.ensure(reader, digest, platform).catch((error: { code: string }) => error.code);
      if (typeof made === "string") return;
      await store.verify(digest, "rehash");
      await store.derive(reader, digest, platform);
      made.release();
    }),
    { numRuns: 60 },
  );
});

const part = fc.stringMatching(/^[a-c\u00e9 ]{1,3}$/).filter((text) => text.trim() === text);
const tree = fc.uniqueArray(
  fc.record({
    path: fc.array(part, { minLength: 1, maxLength: 3 }),
    content: fc.uint8Array({ maxLength: 2000 }),
    executable: fc.boolean(),
  }),
  { selector: ({ path }) => path.join("/"), maxLength: 12 },
);

test("X6: unpacking what was assembled gives what it was assembled of", async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.constantFrom("none" as const, "gzip" as const, "zstd" as const),
      async (found, compression) => {
        const paths = new Set(found.map(({ path }) => path.join("/")));
        // A file cannot be a directory as well.
        const files = found.filter(({ path }) =>
          path.every((_, i) => i === 0 || !paths.has(path.slice(0, i).join("/"))),
        );
        const source: LayerSource = [
          ...files.map(({ path, content, executable }) => ({
            kind: "file" as const,
            to: `/${path.join("/")}`,
            content,
            mode: executable ? 0o755 : 0o644,
          })),
          { kind: "symlink", to: "/link", target: "/a" },
        ];
        const layer = await writeLayer({
          files: source,
          epoch: 1000,
          compression,
          scratch: join(directory, "scratch"),
        });
        const images = memoryImages();
        const put = (descriptor: ReturnType<typeof descriptorOf>, bytes: Uint8Array) =>
          images.putBlob(descriptor, async function* () {
            yield bytes;
          });
        await put(layer.descriptor, readFileSync(layer.file));
        const config = Buffer.from(
          JSON.stringify({ ...platform, rootfs: { type: "layers", diff_ids: [layer.diffId] } }),
        );
        const of = descriptorOf(config, mediaTypes.config);
        await put(of, config);
        const manifest = {
          kind: "manifest",
          mediaType: mediaTypes.manifest,
          config: of,
          layers: [layer.descriptor],
        } as const;
        const { digest } = await images.putManifest(serializeManifest(manifest), mediaTypes.manifest);
        const root = mkdtempSync(join(directory, "tree-"));
        const { listing } = await unpackImage({ reader: images, digest, platform, directory: root });
        for (const { path, content, executable } of files) {
          const place = join(root, ...path);
          expect(readFileSync(place).equals(content)).toBe(true);
          expect(lstatSync(place)).toMatchObject({ mtimeMs: 1_000_000 });
          expect(lstatSync(place).mode & 0o777).toBe(executable ? 0o755 : 0o644);
        }
        expect(readlinkSync(join(root, "link"))).toBe("/a");
        expect(listing.files).toBe(files.length);
        rmSync(layer.file);
        rmSync(root, { recursive: true });
      },
    ),
    { numRuns: 40 },
  );
});
