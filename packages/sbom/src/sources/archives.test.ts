import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { forgeTar, forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import type { Cataloger } from "../catalogue/cataloger.ts";
import {
  catalogued,
  freshPlace,
  layerId,
  listed,
  lost,
  pkgFiles,
  sceneDirectory,
  sceneLayers,
  sceneTar,
} from "../catalogue/scene.fixture.ts";
import { openDirectoryTree } from "./directory-tree.ts";
import { openFileTree } from "./file-tree.ts";
import { openLayersTree } from "./layers-tree.ts";

const inner = sceneTar({ "d/x.pkg": "x 1", "y.pkg": { hard: "blob" }, blob: "never", "z.pkg": { hard: "d/x.pkg" } });
const zip = forgeZip([
  { name: "in/a.pkg", content: "a 1" },
  { name: "in/t.tgz", content: gzipSync(inner) },
]);
const deep = (count: number) => {
  let bytes = Buffer.from(sceneTar({ "x.pkg": "x 1" }));
  for (let index = 1; index < count; index++) bytes = Buffer.from(forgeTar([{ name: "n.tar", content: bytes }]));
  return bytes;
};

test("C12: archives are opened, and archives in them, whatever they are packed with", async () => {
  const sbom = await catalogued(
    openDirectoryTree(
      sceneDirectory({
        "a.zip": zip,
        "b.tar": inner,
        "c.tar.gz": gzipSync(sceneTar({ "c.pkg": "c 1" })),
        "d.tar.zst": zstdCompressSync(sceneTar({ "d.pkg": "d 1" })),
        "e.whl": forgeZip([{ name: "e.pkg", content: "e 1" }]),
      }),
    ),
  );
  expect(listed(sbom)).toEqual([
    "a 1 a.zip!/in/a.pkg",
    "c 1 c.tar.gz!/c.pkg",
    "d 1 d.tar.zst!/d.pkg",
    "e 1 e.whl!/e.pkg",
    "never  a.zip!/in/t.tgz!/y.pkg b.tar!/y.pkg",
    "x 1 a.zip!/in/t.tgz!/d/x.pkg a.zip!/in/t.tgz!/z.pkg b.tar!/d/x.pkg b.tar!/z.pkg",
  ]);
  expect(lost(sbom)).toEqual([]);
  expect(sbom.files).toEqual({ seen: 18, catalogued: 10 });
});

test("C12: an archive of a layer is opened, with its layer; one that a later layer took away is not", async () => {
  const sbom = await catalogued(
    openLayersTree(sceneLayers({ "a.zip": zip, "b.tar": inner }, { "a.zip": { whiteout: "entry" } })),
  );
  expect(listed(sbom)).toEqual(["never  b.tar!/y.pkg", "x 1 b.tar!/d/x.pkg b.tar!/z.pkg"]);
  expect(sbom.components.at(-2)?.occurrences[0]?.layer ?? layerId(0)).toBe(layerId(0));
});

test("C12: archives deeper than the limit are losses, and what lies above is read", async () => {
  const root = sceneDirectory({ "a.tar": deep(50), "x.pkg": "y 1" });
  const sbom = await catalogued(openDirectoryTree(root), [pkgFiles], { limits: { archiveDepth: 3 } });
  expect(listed(sbom)).toEqual(["y 1 x.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_ARCHIVE_TOO_DEEP a.tar!/n.tar!/n.tar!/n.tar"]);
  const all = await catalogued(openDirectoryTree(root), [pkgFiles], { limits: { archiveDepth: 50 } });
  expect(listed(all)[0]).toMatch(/^x 1 a\.tar(?:!\/n\.tar){49}!\/x\.pkg$/);
});

test("C12: all archives together have bounds of bytes and entries", async () => {
  const bomb = gzipSync(
    forgeTar([
      { name: "zeros", content: Buffer.alloc(5_000_000) },
      { name: "x.pkg", content: "x 1" },
    ]),
  );
  const tree = openDirectoryTree(sceneDirectory({ "a.tgz": bomb, "b.tgz": bomb, "c.pkg": "c 1" }));
  const sbom = await catalogued(tree, [pkgFiles], { limits: { archiveBytes: 6_000_000 } });
  expect(listed(sbom)).toEqual(["c 1 c.pkg", "x 1 a.tgz!/x.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_ARCHIVE_TOO_LARGE b.tgz"]);
  const few = await catalogued(tree, [pkgFiles], { limits: { archiveEntries: 3 } });
  expect(listed(few)).toEqual(["c 1 c.pkg", "x 1 a.tgz!/x.pkg"]);
  expect(lost(few)).toEqual(["SBOM_ARCHIVE_TOO_MANY_ENTRIES b.tgz"]);
});

test("C12: names that lead out of an archive are not taken, and named", async () => {
  const names = ["../evil.pkg", "/abs.pkg", "./dot/./x.pkg", "a\u0001.pkg", "d/../../up.pkg"];
  const tar = forgeTar(names.map((name) => ({ name, content: "e 1" })));
  const sbom = await catalogued(openDirectoryTree(sceneDirectory({ "a.tar": tar })));
  expect(listed(sbom)).toEqual(["e 1 a.tar!/abs.pkg a.tar!/dot/x.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_ARCHIVE_NAME a.tar"]);
});

test("C12: what is damaged or packed in another way is a loss, and the entries before it are read", async () => {
  const tar = sceneTar({ "x.pkg": "x 1", large: Buffer.alloc(10_000) });
  const noise = Buffer.alloc(2000, 7);
  const root = sceneDirectory({
    "cut.tar": tar.subarray(0, 4000),
    "cut.tgz": gzipSync(tar).subarray(0, 60),
    "noise.tar": noise,
    "noise.zip": noise,
    "sum.tar": Buffer.concat([tar.subarray(0, 1024), noise]),
    "x.tar.bz2": Buffer.from("BZh91AY"),
    "y.tar.xz": noise,
  });
  const sbom = await catalogued(openDirectoryTree(root));
  expect(listed(sbom)).toEqual(["x 1 cut.tar!/x.pkg sum.tar!/x.pkg"]);
  expect(lost(sbom)).toEqual([
    "SBOM_ARCHIVE_MALFORMED cut.tar",
    "SBOM_ARCHIVE_MALFORMED cut.tgz",
    "SBOM_ARCHIVE_MALFORMED noise.tar",
    "ZIP_TRUNCATED noise.zip",
    "SBOM_ARCHIVE_MALFORMED sum.tar",
    "SBOM_ARCHIVE_COMPRESSION x.tar.bz2",
    "SBOM_ARCHIVE_COMPRESSION y.tar.xz",
  ]);
});

test("C12: every dialect of tar is read: long names of GNU and pax, sizes of pax, sparse files passed over", async () => {
  const long = `${"d".repeat(90)}/${"e".repeat(90)}/x.pkg`;
  const extended = Buffer.alloc(512);
  const tar = forgeTar([
    { name: "a", longName: long, content: "x 1" },
    { name: "b", pax: [["path", "pax/y.pkg"]], content: "y 1" },
    { name: "p.pkg", prefix: "in/front", content: "p 1" },
    { name: "s", type: "S", content: "", raw: [[482, "\u0001"]] },
  ]);
  const whole = Buffer.concat([tar.subarray(0, tar.length - 1024), extended, sceneTar({ "z.pkg": "z 1" })]);
  const sbom = await catalogued(openDirectoryTree(sceneDirectory({ "a.tar": whole })));
  expect(listed(sbom)).toEqual([
    "p 1 a.tar!/in/front/p.pkg",
    `x 1 a.tar!/${long}`,
    "y 1 a.tar!/pax/y.pkg",
    "z 1 a.tar!/z.pkg",
  ]);
  expect(lost(sbom)).toEqual([]);
});

test("C15: one file is a tree of one file; an archive is the tree that it holds", async () => {
  const place = freshPlace();
  const open = (name: string, content: Uint8Array | string, catalogers = [pkgFiles]) => {
    writeFileSync(join(place, name), content);
    return catalogued(openFileTree(join(place, name)), catalogers);
  };
  expect(listed(await open("one.pkg", "one 1"))).toEqual(["one 1 one.pkg"]);
  expect(listed(await open("a.zip", zip))[0]).toBe("a 1 in/a.pkg");
  expect(listed(await open("unnamed", inner))).toEqual(["never  y.pkg", "x 1 d/x.pkg z.pkg"]);
  expect(listed(await open("packed", gzipSync(inner)))).toEqual(["never  y.pkg", "x 1 d/x.pkg z.pkg"]);
  expect((await open("text.gz", gzipSync("no archive"))).files).toEqual({ seen: 1, catalogued: 0 });
  expect((await open("cut.gz", gzipSync("no archive").subarray(0, 12))).losses).toEqual([]);
  const jars: Cataloger = { ...pkgFiles, wants: ({ name }) => name.endsWith(".jar") };
  expect(listed(await open("a.jar", zip, [jars]))).toHaveLength(1);
  symlinkSync("one.pkg", join(place, "linked.pkg"));
  expect(listed(await catalogued(openFileTree(join(place, "linked.pkg"))))).toEqual(["one 1 linked.pkg"]);
  await expect(catalogued(openFileTree(place))).rejects.toMatchObject({ code: "SBOM_SOURCE_KIND" });
  await expect(catalogued(openFileTree(join(place, "none")))).rejects.toMatchObject({ code: "SBOM_SOURCE_MISSING" });
});
