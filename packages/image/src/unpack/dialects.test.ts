import { execFileSync } from "node:child_process";
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { findProgram } from "@touchmark/test-kit";
import { forgeTar } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decompress } from "./decompress.ts";
import { streamLayer } from "./layer.ts";
import type { LayerFacts } from "./layer-entry.ts";
import { contentOf, freshPlace, platform, sceneImage } from "./scene.fixture.ts";
import { unpackImage } from "./unpack-image.ts";

const tar = findProgram("tar");

/** A tree with what the dialects differ about. */
function sourceTree(isLong: boolean): string {
  const root = freshPlace();
  mkdirSync(join(root, "d", "e"), { recursive: true });
  writeFileSync(join(root, "d", "a"), "content");
  linkSync(join(root, "d", "a"), join(root, "d", "b"));
  symlinkSync("../nowhere", join(root, "d", "l"));
  writeFileSync(join(root, "d", "empty"), "");
  const sparse = join(root, "sparse");
  writeFileSync(sparse, "");
  truncateSync(sparse, 20_000_000);
  const descriptor = openSync(sparse, "r+");
  for (let at = 0; at < 12; at++) writeSync(descriptor, "data", at * 1_500_000);
  closeSync(descriptor);
  if (!isLong) return root;
  const long = join(root, "n".repeat(120), "m".repeat(150));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, "\u00e9".repeat(100)), "deep");
  symlinkSync("t".repeat(300), join(root, "long-link"));
  return root;
}

test.skipIf(tar === undefined).each([
  ["v7", []],
  ["ustar", []],
  ["oldgnu", ["--sparse"]],
  ["gnu", ["--sparse"]],
  ["pax", ["--sparse", "--sparse-version=0.0"]],
  ["pax", ["--sparse", "--sparse-version=0.1"]],
  ["pax", ["--sparse", "--sparse-version=1.0"]],
])("X1: what GNU tar writes as %s %j unpacks to what it was made of (needs tar)", async (format, options) => {
  const source = sourceTree(format !== "v7" && format !== "ustar");
  const archive = execFileSync(tar ?? "", ["-c", `--format=${format}`, ...options, "-C", source, "."], {
    maxBuffer: 64 * 2 ** 20,
  });
  const { reader, digest } = await sceneImage([{ archive, packed: archive, mediaType: mediaTypes.layer }]);
  const root = freshPlace();
  const { listing } = await unpackImage({ reader, digest, platform, directory: root });
  expect(contentOf(root)).toEqual(contentOf(source));
  expect(readFileSync(join(root, "sparse")).equals(readFileSync(join(source, "sparse")))).toBe(true);
  expect(statSync(join(root, "d/a")).ino).toBe(statSync(join(root, "d/b")).ino);
  expect(Math.floor(statSync(join(source, "d")).mtimeMs / 1000)).toBe(statSync(join(root, "d")).mtimeMs / 1000);
  const sparse = listing.entries.find(({ path }) => path === "sparse");
  expect(sparse?.sha256).toBe(sha256(readFileSync(join(source, "sparse"))).slice(7));
  if (options.length > 0) expect(statSync(join(root, "sparse")).blocks * 512).toBeLessThan(1_000_000);
});

test("X1: owners and sizes in base 256 are read; a fraction of a second is", async () => {
  const uid = Buffer.from("8000000012345678", "hex");
  const archive = forgeTar([
    {
      name: "a",
      content: "x",
      raw: [
        [108, uid],
        [124, Buffer.from("800000000000000000000001", "hex")],
      ],
    },
    {
      name: "b",
      content: "x",
      pax: [
        ["mtime", "12.75"],
        ["uid", "5000000000"],
        ["uname", "who"],
      ],
    },
  ]);
  const { reader, layers } = await sceneImage([{ archive, packed: archive, mediaType: mediaTypes.layer }]);
  const found = [];
  for await (const { uid, size, mtime, userName, dialect } of streamLayer(reader, layers[0] as (typeof layers)[0])) {
    found.push({ uid, size, mtime, userName, dialect });
  }
  expect(found).toEqual([
    { uid: 0x12345678, size: 1, mtime: 0, userName: "", dialect: "ustar" },
    { uid: 5_000_000_000, size: 1, mtime: 12.75, userName: "who", dialect: "pax" },
  ]);
});

test("X1: content is given in order, skipped when nobody reads it, and given once", async () => {
  const archive = forgeTar([
    { name: "a", content: "1".repeat(1000) },
    { name: "b", content: "2".repeat(1000) },
    {
      name: "s",
      content: "xy",
      pax: [
        ["GNU.sparse.size", "10"],
        ["GNU.sparse.map", "2,1,7,1"],
      ],
    },
  ]);
  const { reader, layers } = await sceneImage([{ archive, packed: archive, mediaType: mediaTypes.layer }]);
  const read: string[] = [];
  const entries = streamLayer(reader, layers[0] as (typeof layers)[0]);
  let facts: LayerFacts | undefined;
  for (;;) {
    const { value, done } = await entries.next();
    if (done === true) {
      facts = value;
      break;
    }
    if (value.path === "a") continue;
    let text = "";
    for await (const chunk of value.content()) text += Buffer.from(chunk).toString();
    read.push(text);
    await expect(value.content()[Symbol.asyncIterator]().next()).rejects.toThrow("read twice");
  }
  expect(read).toEqual(["2".repeat(1000), "\0\0x\0\0\0\0y\0\0"]);
  expect(facts).toEqual({ diffId: sha256(archive), bytes: archive.length, entries: 3 });
});

const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from("abc")]);

test("X1: members and frames in a row, cut anywhere, unpack to all their content in order", async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      parts,
      fc.array(fc.nat({ max: 400 }), { maxLength: 30 }),
      fc.boolean(),
      async (contents, cuts, isZstd) => {
        const pieces = isZstd
          ? contents.flatMap((content, index) => [zstdCompressSync(content), ...(index % 2 === 0 ? [skippable] : [])])
          : contents.map((content) => gzipSync(content));
        const packed = Buffer.concat(pieces);
        async function* chunks() {
          let at = 0;
          for (const cut of cuts) {
            yield packed.subarray(at, at + cut);
            at += cut;
          }
          yield packed.subarray(at);
        }
        const found: Buffer[] = [];
        for await (const chunk of decompress(chunks(), isZstd ? "zstd" : "gzip")) found.push(chunk);
        expect(Buffer.concat(found).equals(Buffer.concat(contents))).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test("X2: an archive cut anywhere is refused, or has another diffID", async () => {
  const archive = forgeTar([
    { name: "a", content: "1".repeat(700) },
    { name: "b", content: "2", longName: "c" },
  ]);
  for (let length = 0; length < archive.length; length += 128) {
    const packed = archive.subarray(0, length);
    const { reader, layers } = await sceneImage([{ archive: packed, packed, mediaType: mediaTypes.layer }]);
    const reading = (async () => {
      for await (const _ of streamLayer(reader, layers[0] as (typeof layers)[0], { diffId: sha256(archive) }));
    })();
    await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^UNPACK_(?:TRUNCATED|DIFF_ID)$/) });
  }
});

test("X2: a root named by a slash and a last entry without padding are read, as umoci's insert writes them", async () => {
  const whole = forgeTar(
    [
      { name: "/", type: "5" },
      { name: "a", content: "1" },
    ],
    Buffer.alloc(0),
  );
  const archive = whole.subarray(0, whole.length - 511);
  const { reader, layers } = await sceneImage([{ archive, packed: archive, mediaType: mediaTypes.layer }]);
  const found: string[] = [];
  for await (const { path, kind } of streamLayer(reader, layers[0] as (typeof layers)[0], {
    diffId: sha256(archive),
  })) {
    found.push(`${kind} ${path}`);
  }
  expect(found).toEqual(["directory ", "file a"]);
});
