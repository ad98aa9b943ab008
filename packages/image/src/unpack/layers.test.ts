import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "@touchmark/core";
import type { ForgedTarEntry } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { contentOf, freshPlace, platform, type SceneLayer, sceneImage } from "./scene.fixture.ts";
import { type UnpackOptions, unpackImage } from "./unpack-image.ts";

const file = (name: string, content = name): ForgedTarEntry => ({ name, content });
const directory = (name: string, mode = 0o755): ForgedTarEntry => ({ name: `${name}/`, type: "5", mode });
const link = (name: string, target: string): ForgedTarEntry => ({ name, type: "2", target });
const hard = (name: string, target: string): ForgedTarEntry => ({ name, type: "1", target });
const none = (name: string): ForgedTarEntry => ({ name });

async function unpack(layers: readonly SceneLayer[], options: Partial<UnpackOptions> = {}) {
  const { reader, digest } = await sceneImage(layers);
  const root = freshPlace();
  const report = await unpackImage({ reader, digest, platform, directory: root, ...options });
  return { root, report, content: contentOf(root) };
}

test.each<[string, readonly SceneLayer[], readonly string[]]>([
  ["a whiteout takes a file away", [[file("a"), file("b")], [none(".wh.a")]], ["b = b"]],
  ["a whiteout takes a directory away", [[file("d/a"), file("d/e/b")], [none(".wh.d")]], []],
  ["a whiteout takes a link away, not what it leads to", [[file("a"), link("l", "a")], [none(".wh.l")]], ["a = a"]],
  ["a whiteout of nothing does nothing", [[file("a")], [none(".wh.b"), none("c/.wh.d")]], ["a = a"]],
  ["a whiteout does nothing to its own layer", [[], [none(".wh.a"), file("a")]], ["a = a"]],
  ["a whiteout before what replaces it", [[file("d/a")], [none(".wh.d"), file("d/b")]], ["d/", "d/b = d/b"]],
  [
    "a whiteout behind a directory that its layer fills",
    [[file("d/a")], [file("d/b"), none(".wh.d")]],
    ["d/", "d/b = d/b"],
  ],
  [
    "an opaque directory hides what is below",
    [
      [file("d/a"), file("d/e/b"), file("c")],
      [directory("d"), none("d/.wh..wh..opq"), file("d/x")],
    ],
    ["c = c", "d/", "d/x = d/x"],
  ],
  [
    "an opaque mark behind new files keeps them",
    [
      [file("d/a"), file("d/e/b")],
      [file("d/x"), file("d/e/y"), none("d/.wh..wh..opq")],
    ],
    ["d/", "d/e/", "d/e/y = d/e/y", "d/x = d/x"],
  ],
  ["an opaque mark on a file does nothing", [[file("d")], [none("e/.wh..wh..opq")]], ["d = d"]],
  ["a file replaces a directory", [[file("d/a"), file("d/e/b")], [file("d")]], ["d = d"]],
  ["a directory replaces a file", [[file("d")], [directory("d"), file("d/a")]], ["d/", "d/a = d/a"]],
  [
    "a directory replaces a link",
    [
      [file("e/x"), link("d", "e")],
      [directory("d"), file("d/a")],
    ],
    ["d/", "d/a = d/a", "e/", "e/x = e/x"],
  ],
  ["a link replaces a file", [[file("a"), file("b")], [link("a", "b")]], ["a -> b", "b = b"]],
  [
    "a file replaces a link, and nothing is written through it",
    [[file("b"), link("a", "b")], [file("a", "new")]],
    ["a = new", "b = b"],
  ],
  [
    "a directory joins one of a lower layer",
    [[file("d/a")], [directory("d"), file("d/b")]],
    ["d/", "d/a = d/a", "d/b = d/b"],
  ],
  [
    "a new file does not change what was linked to the old one",
    [[file("a", "old"), hard("b", "a")], [file("a", "new")]],
    ["a = new", "b = old"],
  ],
  ["a hard link reaches a lower layer", [[file("a")], [hard("d/b", "./a")], [none(".wh.a")]], ["d/", "d/b = a"]],
  ["a skipped device takes the place of a lower file", [[file("a")], [{ name: "a", type: "3" }]], []],
  ["a directory may stand twice", [[directory("d", 0o700), file("d/a"), directory("d")]], ["d/", "d/a = d/a"]],
  [
    "leading dots and slashes in the middle mean nothing",
    [[directory("."), file("./a//b")]],
    ["a/", "a/b = a//b".replace("a//b", "./a//b")],
  ],
])("X6: %s", async (_name, layers, expected) => {
  expect((await unpack(layers)).content).toEqual(expected);
});

test("X6: names of one file are one file", async () => {
  const { root, report } = await unpack([[file("a", "12345"), hard("b", "a")], [hard("c", "b")]]);
  expect(statSync(join(root, "c")).ino).toBe(statSync(join(root, "a")).ino);
  expect(report.listing).toMatchObject({ files: 3, bytes: 5 });
});

test("X6: a sparse file has holes on disk, and the content that it has in the layer", async () => {
  const pax: [string, string][] = [
    ["GNU.sparse.size", "50000000"],
    ["GNU.sparse.map", "20000000,4,49999998,2"],
  ];
  const { root, report } = await unpack([[{ name: "s", content: "abcdef", pax }]]);
  const stat = statSync(join(root, "s"));
  expect(stat.size).toBe(50_000_000);
  expect(stat.blocks * 512).toBeLessThan(1_000_000);
  const bytes = readFileSync(join(root, "s"));
  expect(bytes.subarray(20_000_000, 20_000_004).toString()).toBe("abcd");
  expect(bytes.subarray(-2).toString()).toBe("ef");
  expect(report.listing.entries.at(-1)?.sha256).toBe(sha256(bytes).slice(7));
});

test("X7: modes are readable, setuid bits gone, times whole and bounded; the listing has what they were", async () => {
  const { root, report } = await unpack(
    [
      [
        { name: "d/", type: "5", mode: 0o3700, uid: 7, gid: 8, mtime: 1000 },
        { name: "d/su", content: "x", mode: 0o4711, mtime: 2000 },
        { name: "d/secret", content: "x", mode: 0o600, uid: 5, gid: 6, pax: [["mtime", "-5.5"]] },
        { name: "d/late", content: "x", pax: [["mtime", "5000.9"]] },
        { ...link("d/l", "/etc/x"), mtime: 3000 },
      ],
    ],
    { latest: 4000 },
  );
  const facts = ["d", "d/late", "d/l", "d/secret", "d/su"].map((path) => {
    const stat = lstatSync(join(root, path));
    return [path, stat.isSymbolicLink() ? 0 : stat.mode & 0o7777, stat.mtimeMs / 1000, stat.uid];
  });
  const uid = process.geteuid?.();
  expect(facts).toEqual([
    ["d", 0o1755, 1000, uid],
    ["d/late", 0o644, 4000, uid],
    ["d/l", 0, 3000, uid],
    ["d/secret", 0o644, 0, uid],
    ["d/su", 0o755, 2000, uid],
  ]);
  expect(report.losses.setuid).toEqual([
    { path: "d", mode: 0o3700 },
    { path: "d/su", mode: 0o4711 },
  ]);
  expect(report.listing.entries.map(({ path, kind }) => [path, kind])).toEqual([
    ["", "directory"],
    ["d", "directory"],
    ["d/l", "symlink"],
    ["d/late", "file"],
    ["d/secret", "file"],
    ["d/su", "file"],
  ]);
  expect(report.listing.entries[4]?.original).toEqual({ uid: 5, gid: 6, mode: 0o600 });
});

test("X7: modes are kept where asked", async () => {
  const layer = [
    { name: "d/", type: "5", mode: 0o700 },
    { name: "d/a", content: "x", mode: 0o640 },
  ];
  const { root } = await unpack([layer], { modes: "keep" });
  expect(statSync(join(root, "d")).mode & 0o777).toBe(0o700);
  expect(statSync(join(root, "d/a")).mode & 0o777).toBe(0o640);
});

test.skipIf(process.geteuid?.() !== 0)(
  "X7: who is not root unpacks directories that nobody may enter (needs root)",
  async () => {
    const { reader, digest } = await sceneImage([
      [
        { name: "d/", type: "5", mode: 0 },
        { name: "d/e/", type: "5", mode: 0 },
        file("d/e/a"),
        { ...file("d/b"), mode: 0 },
      ],
      [none("d/e/.wh.a"), file("d/e/c")],
    ]);
    const top = freshPlace();
    mkdirSync(top, { mode: 0o777 });
    chmodSync(dirname(top), 0o755);
    chmodSync(top, 0o777);
    const root = join(top, "root");
    process.seteuid?.(65534);
    try {
      await unpackImage({ reader, digest, platform, directory: root, modes: "keep" });
    } finally {
      process.seteuid?.(0);
    }
    expect(contentOf(root)).toEqual(["d/", "d/b = d/b", "d/e/", "d/e/c = d/e/c"]);
    expect(lstatSync(join(root, "d/e"))).toMatchObject({ uid: 65534 });
    expect(["d", "d/b", "d/e"].map((path) => lstatSync(join(root, path)).mode & 0o777)).toEqual([0, 0, 0]);
  },
);

test.skipIf(process.geteuid?.() !== 0)("X7: all files get the owner that was asked for (needs root)", async () => {
  const { root } = await unpack([[file("d/a"), link("d/l", "a")]], { owner: { uid: 1234, gid: 4321 } });
  for (const path of [".", "d", "d/a", "d/l"]) {
    expect(lstatSync(join(root, path))).toMatchObject({ uid: 1234, gid: 4321 });
  }
});

test("X7: attributes of user. are recorded, others listed", async () => {
  const pax: [string, string][] = [
    ["SCHILY.xattr.user.note", "hi"],
    ["SCHILY.xattr.trusted.overlay.opaque", "y"],
  ];
  const { report } = await unpack([[{ ...file("a"), pax }]]);
  expect(report.losses.recorded).toEqual([{ path: "a", name: "user.note", value: "aGk=" }]);
  expect(report.losses.xattrs).toEqual([{ path: "a", name: "trusted.overlay.opaque" }]);
});
