import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import { type LayerCompression, mediaTypes } from "@touchmark/formats/oci";
import { openHome, openTreeStore } from "@touchmark/store";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, describe, expect, test } from "vitest";
import type { LayerPart } from "./layer-part.ts";
import { LAYER_COMPRESSOR, LAYER_FORMAT, type LayerOptions, writeLayer } from "./write-layer.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-layer-test-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const epoch = 1_700_000_000;
const fresh = () => mkdtempSync(join(scratch, "t-"));
const code = (value: string) => expect.objectContaining({ code: value });
const text = (value: string) => Buffer.from(value);

function write(files: readonly LayerPart[], options: Partial<LayerOptions> = {}) {
  return writeLayer({ files, epoch, scratch, compression: "none", ...options });
}

/** What tar says of a layer: kind and mode, owner, time, name. */
function listing(file: string): string[] {
  const words = ["--utc", "--full-time", "--numeric-owner", "-tvf", file];
  const lines = execFileSync("tar", words, { encoding: "utf8", env: { LC_ALL: "C", PATH: process.env["PATH"] } });
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
}

function plant(order: readonly number[]): string {
  const directory = fresh();
  for (const i of order) {
    const parent = join(directory, `d${i % 3}`);
    mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `f${i}`), `content ${i}`, { mode: i % 2 === 0 ? 0o600 : 0o777 });
    utimesSync(join(parent, `f${i}`), i, i);
  }
  symlinkSync("d1/f1", join(directory, "link"));
  return directory;
}

describe("I2: the archive", () => {
  test("I2: has every parent, in byte order, with one time, owner and mode", async () => {
    const directory = plant([1, 2]);
    const layer = await write([{ kind: "directory", directory, to: "/opt/app", owner: { uid: 7, gid: 8 } }]);
    expect(listing(layer.file)).toEqual([
      "drwxr-xr-x 0/0 0 2023-11-14 22:13:20 opt/",
      "drwxr-xr-x 7/8 0 2023-11-14 22:13:20 opt/app/",
      "drwxr-xr-x 7/8 0 2023-11-14 22:13:20 opt/app/d1/",
      "-rwxr-xr-x 7/8 9 2023-11-14 22:13:20 opt/app/d1/f1",
      "drwxr-xr-x 7/8 0 2023-11-14 22:13:20 opt/app/d2/",
      "-rw-r--r-- 7/8 9 2023-11-14 22:13:20 opt/app/d2/f2",
      "lrwxrwxrwx 7/8 0 2023-11-14 22:13:20 opt/app/link -> d1/f1",
    ]);
    expect(layer).toMatchObject({ entries: 7, bytes: readFileSync(layer.file).length });
    expect(layer.diffId).toBe(sha256(readFileSync(layer.file)));
  });

  test("I2: does not depend on order, times, modes, path or hard links on disk", async () => {
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const one = plant(numbers);
    const other = plant(numbers.toReversed());
    // Equal content as one file with two names.
    writeFileSync(join(one, "twin-a"), "twin");
    writeFileSync(join(one, "twin-b"), "twin");
    writeFileSync(join(other, "twin-a"), "twin");
    linkSync(join(other, "twin-a"), join(other, "twin-b"));
    chmodSync(join(other, "d1", "f1"), 0o711);
    utimesSync(join(other, "d1"), 1, 1);
    const ids = [one, other].map(
      async (directory) => (await write([{ kind: "directory", directory, to: "/" }])).diffId,
    );
    expect(await ids[0]).toBe(await ids[1]);
  });

  test("I2: of a stored tree is that of the same directory", async () => {
    const home = await openHome(join(fresh(), "home"), { create: true });
    try {
      const store = await openTreeStore(home);
      const directory = plant([1, 2, 3, 4]);
      const plain = await write([{ kind: "directory", directory, from: "d1", to: "/app", without: ["f4"] }]);
      const { digest: tree } = await store.ingest(directory, { mode: "copy" });
      const stored = await write([{ kind: "tree", store, tree, from: "d1", to: "/app", without: ["f4"] }]);
      expect(stored.diffId).toBe(plain.diffId);
      const single = await write([{ kind: "tree", store, tree, from: "d1/f1", to: "/bin/f" }]);
      expect(single.diffId).toBe((await write([{ kind: "directory", directory, from: "d1/f1", to: "/bin/f" }])).diffId);
      const absent = write([{ kind: "tree", store, tree, from: "d9", to: "/app" }]);
      await expect(absent).rejects.toEqual(code("IMAGE_LAYER_SOURCE"));
      const file = join(store.root(tree), "d1", "f1");
      chmodSync(file, 0o644);
      writeFileSync(file, "content X");
      await expect(write([{ kind: "tree", store, tree, to: "/app" }])).rejects.toEqual(code("IMAGE_LAYER_CHANGED"));
    } finally {
      await home.close();
    }
  });

  test("I2: says in PAX records what ustar cannot: long names, other letters, large owners, attributes", async () => {
    const long = `${"directory/".repeat(12)}file`;
    const files: LayerPart[] = [
      { kind: "file", to: `/${long}`, content: text("long") },
      { kind: "file", to: "/größe", content: text("letters"), owner: { uid: 3_000_000, gid: 1 } },
      { kind: "symlink", to: "/link", target: `/${long}` },
      { kind: "file", to: "/marked", content: text("x"), xattrs: { "user.note": text("kept") }, mode: 0o600 },
      { kind: "empty-directory", to: "/tmp", mode: 0o1777 },
    ];
    const layer = await write(files);
    const lines = listing(layer.file);
    expect(lines.filter((line) => line.includes("file"))).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^drwxrwxrwt 0\/0 .* tmp\/$|3000000/);
    const bytes = readFileSync(layer.file).toString("latin1");
    expect(bytes).toContain("uid=3000000\n");
    expect(bytes).toContain("SCHILY.xattr.user.note=kept\n");
    expect(bytes).not.toMatch(/[ac]time=/);
    expect((await write(files.toReversed())).diffId).toBe(layer.diffId);
  });

  test("I2: keeps hard links, older times, modes and owners where it is told so", async () => {
    const directory = plant([1]);
    linkSync(join(directory, "d1", "f1"), join(directory, "again"));
    chmodSync(join(directory, "d1", "f1"), 0o710);
    const layer = await write([
      { kind: "directory", directory, to: "/", hardLinks: "keep", times: "clamp", modes: "keep", owner: "keep" },
    ]);
    const lines = listing(layer.file);
    expect(lines[0]).toMatch(/^-rwx--x--- .* 1970-01-01 00:00:01 again$/);
    expect(lines.at(2)).toMatch(/^hrwx--x--- .* d1\/f1 link to again$/);
  });

  test("I2: puts deletions before what stands beside them", async () => {
    const layer = await write([
      { kind: "file", to: "/a/!first", content: text("") },
      { kind: "whiteout", to: "/a/gone" },
      { kind: "opaque", to: "/b" },
    ]);
    const names = listing(layer.file).map((line) => line.split(" ").at(-1));
    expect(names).toEqual(["a/", "a/.wh.gone", "a/!first", "b/", "b/.wh..wh..opq"]);
  });
});

describe("I3: the packed bytes", () => {
  const unpack = { none: (bytes: Buffer) => bytes, gzip: gunzipSync, zstd: zstdDecompressSync } as const;
  const types = { none: mediaTypes.layer, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd } as const;

  test.each(["none", "gzip", "zstd"] as const)(
    "I3: %s unpacks to the archive, twice alike, and is recorded",
    async (compression) => {
      const content = Buffer.alloc(3_500_000, "some words that repeat, and more of them. ");
      const files: LayerPart[] = [{ kind: "file", to: "/large", content }];
      const [one, two] = [await write(files, { compression }), await write(files, { compression })];
      const packed = readFileSync(one.file);
      expect(one.descriptor).toMatchObject({
        mediaType: types[compression],
        digest: sha256(packed),
        size: packed.length,
      });
      expect(one.descriptor).toEqual(two.descriptor);
      expect(one.diffId).toBe((await write(files)).diffId);
      expect(sha256(unpack[compression](packed))).toBe(one.diffId);
      expect(one.descriptor.annotations).toMatchObject({ [LAYER_FORMAT]: "1" });
      expect(one.descriptor.annotations?.[LAYER_COMPRESSOR]).toMatch(
        compression === "none" ? /^none$/ : /\d+\.\d+.*level \d/,
      );
    },
  );

  test("I3: gzip says nothing of time and system", async () => {
    const { file } = await write([{ kind: "file", to: "/x", content: text("x") }], { compression: "gzip", level: 9 });
    const head = readFileSync(file).subarray(0, 10);
    expect([...head.subarray(0, 8), head[9]]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 255]);
  });

  test("I3: a level that is none is no level", async () => {
    const wrong: [LayerCompression, number][] = [
      ["gzip", 0],
      ["gzip", 10],
      ["zstd", 23],
      ["zstd", 1.5],
    ];
    for (const [compression, level] of wrong)
      await expect(write([], { compression, level })).rejects.toThrow(RangeError);
  });
});

describe("I4: what no layer may hold", () => {
  const file = (to: string): LayerPart => ({ kind: "file", to, content: text("x") });

  test.each([
    "relative",
    "/a/../b",
    "/a//b",
    "/a/.",
    "/",
    "/a\nb",
    "/a\u007f",
    "/\ud800",
    "/.wh.a",
    "/a/.wh..wh..opq",
    `/${"x/".repeat(2500)}x`,
  ])("I4: the path %j", async (to) => {
    await expect(write([file(to)])).rejects.toEqual(code("IMAGE_LAYER_PATH"));
  });

  test("I4: names on disk that mean a deletion or are no text", async () => {
    const directory = fresh();
    writeFileSync(join(directory, ".wh.passwd"), "");
    await expect(write([{ kind: "directory", directory, to: "/etc" }])).rejects.toEqual(code("IMAGE_LAYER_PATH"));
    const other = fresh();
    writeFileSync(Buffer.concat([text(`${other}/`), Buffer.from([0xff, 0xfe])]), "");
    await expect(write([{ kind: "directory", directory: other, to: "/" }])).rejects.toEqual(code("IMAGE_LAYER_PATH"));
  });

  test("I4: setuid programs and file capabilities, unless they are allowed", async () => {
    const directory = fresh();
    writeFileSync(join(directory, "su"), "");
    chmodSync(join(directory, "su"), 0o4755);
    const part: LayerPart = { kind: "directory", directory, to: "/bin", modes: "keep" };
    await expect(write([part])).rejects.toEqual(code("IMAGE_SETUID"));
    await expect(write([{ ...part, modes: {} }])).rejects.toEqual(code("IMAGE_SETUID"));
    await expect(write([{ ...file("/x"), mode: 0o2755 } as LayerPart])).rejects.toEqual(code("IMAGE_SETUID"));
    const capability = { ...file("/x"), xattrs: { "security.capability": text("") } } as LayerPart;
    await expect(write([capability])).rejects.toEqual(code("IMAGE_SETUID"));
    expect(listing((await write([part], { allowSetuid: true })).file)[1]).toMatch(/^-rwsr-xr-x/);
    const other = { ...file("/x"), xattrs: { "trusted.overlay.opaque": text("y") } } as LayerPart;
    await expect(write([other])).rejects.toEqual(code("IMAGE_XATTR_REFUSED"));
  });

  test.skipIf(findProgram("mkfifo") === undefined)("I4: what is no file, directory or link", async () => {
    const directory = fresh();
    execFileSync("mkfifo", [join(directory, "pipe")]);
    await expect(write([{ kind: "directory", directory, to: "/" }])).rejects.toEqual(code("IMAGE_SPECIAL_FILE"));
  });

  test("I4: two things at one path, files below files, sources that are not there or too large", async () => {
    await expect(write([file("/a"), file("/a")])).rejects.toEqual(code("IMAGE_LAYER_CONFLICT"));
    await expect(write([file("/a"), file("/a/b")])).rejects.toEqual(code("IMAGE_LAYER_CONFLICT"));
    const directories: LayerPart[] = [
      { kind: "empty-directory", to: "/a" },
      { kind: "empty-directory", to: "/a", mode: 0o700 },
    ];
    await expect(write(directories)).rejects.toEqual(code("IMAGE_LAYER_CONFLICT"));
    const directory = fresh();
    symlinkSync("/etc", join(directory, "out"));
    const absent: LayerPart = { kind: "directory", directory, from: "out/passwd", to: "/p" };
    await expect(write([absent])).rejects.toEqual(code("IMAGE_LAYER_SOURCE"));
    await expect(write([{ ...absent, from: "absent" }])).rejects.toEqual(code("IMAGE_LAYER_SOURCE"));
    await expect(write([file("/a")], { maxBytes: 1000 })).rejects.toEqual(code("IMAGE_LAYER_TOO_LARGE"));
  });
});

test("I5: directories of lower layers keep owner and mode; links of theirs are no directories", async () => {
  const layer = await write([{ kind: "file", to: "/var/lib/x", content: text("x") }], {
    base: (path) => (path === "var" ? { mode: 0o1777, uid: 5, gid: 6, mtime: 9 } : undefined),
  });
  expect(listing(layer.file)[0]).toBe("drwxrwxrwt 5/6 0 1970-01-01 00:00:09 var/");
  const through = write([{ kind: "file", to: "/lib/x", content: text("x") }], {
    base: (path) => (path === "lib" ? "other" : undefined),
  });
  await expect(through).rejects.toEqual(code("IMAGE_LAYER_CONFLICT"));
});
