import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ForgedTarEntry } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { type ForgedLayer, unpackForged } from "./scene.ts";

const file = (name: string, content = "evil"): ForgedTarEntry => ({ name, content });
const directory = (name: string): ForgedTarEntry => ({ name: `${name}/`, type: "5", mode: 0o755 });
const link = (name: string, target: string): ForgedTarEntry => ({ name, type: "2", target, mode: 0o777 });
const hard = (name: string, target: string): ForgedTarEntry => ({ name, type: "1", target });
const whiteout = (name: string): ForgedTarEntry => ({ name });

test("X3: the scene itself: an honest image unpacks", async () => {
  const outcome = await unpackForged([[directory("a"), file("a/b", "good"), link("l", "a/b")], [hard("c", "a/b")]]);
  expect(outcome).toMatchObject({ code: undefined, isContained: true });
  expect(readFileSync(join(outcome.directory, "c"), "utf8")).toBe("good");
  expect(readdirSync(outcome.directory).sort()).toEqual(["a", "c", "l"]);
});

const deep = Array.from({ length: 200 }, () => "d").join("/");
const long = Array.from({ length: 20 }, () => "d".repeat(200)).join("/");

const attacks: readonly (readonly [string, string, readonly ForgedLayer[]])[] = [
  ["an absolute path", "UNPACK_PATH_ABSOLUTE", [[file("/etc/cron.d/evil")]]],
  ["an absolute path in a pax header", "UNPACK_PATH_ABSOLUTE", [[{ ...file("a"), pax: [["path", "/etc/evil"]] }]]],
  ["a path above the root", "UNPACK_PATH_OUTSIDE", [[file("../canary")]]],
  ["a path above the root, further in", "UNPACK_PATH_OUTSIDE", [[file("a/../../canary")]]],
  ["a path above by a pax header", "UNPACK_PATH_OUTSIDE", [[{ ...file("a"), pax: [["path", "../canary"]] }]]],
  ["a path above by a GNU long name", "UNPACK_PATH_OUTSIDE", [[{ ...file("a"), longName: "../canary" }]]],
  ["a path above by the prefix field", "UNPACK_PATH_OUTSIDE", [[{ ...file("canary"), prefix: ".." }]]],
  [
    "a path above by the name of a sparse file",
    "UNPACK_PATH_OUTSIDE",
    [
      [
        {
          ...file("a", ""),
          pax: [
            ["GNU.sparse.size", "0"],
            ["GNU.sparse.map", ""],
            ["GNU.sparse.name", "../canary"],
          ],
        },
      ],
    ],
  ],
  ["a whiteout above the root", "UNPACK_PATH_OUTSIDE", [[whiteout("../.wh.canary")]]],
  ["a file as root", "UNPACK_PATH_ROOT", [[file("./.")]]],
  ["a link as root", "UNPACK_PATH_ROOT", [[link(".", "/")]]],
  ["a device as root", "UNPACK_PATH_ROOT", [[{ name: ".", type: "3" }]]],
  ["a file through a link of the same layer", "UNPACK_LINK_FOLLOWED", [[link("l", ".."), file("l/canary")]]],
  ["a file through a link of a lower layer", "UNPACK_LINK_FOLLOWED", [[link("l", "/etc")], [file("l/passwd")]]],
  [
    "a file through two links",
    "UNPACK_LINK_FOLLOWED",
    [[directory("a"), link("a/l", "../.."), link("m", "a/l")], [file("m/x")]],
  ],
  ["a directory through a link", "UNPACK_LINK_FOLLOWED", [[link("l", "../etc")], [directory("l/new")]]],
  ["a whiteout through a link", "UNPACK_LINK_FOLLOWED", [[link("l", "..")], [whiteout("l/.wh.canary")]]],
  ["a hard link to what lies behind a link", "UNPACK_LINK_FOLLOWED", [[link("l", "../etc")], [hard("x", "l/passwd")]]],
  ["a hard link through a link", "UNPACK_LINK_FOLLOWED", [[file("a"), link("l", "..")], [hard("l/x", "a")]]],
  ["a hard link to an absolute path", "UNPACK_LINK_OUTSIDE", [[hard("x", "/etc/passwd")]]],
  ["a hard link above the root", "UNPACK_LINK_OUTSIDE", [[hard("x", "../canary")]]],
  [
    "a hard link above by a GNU long target",
    "UNPACK_LINK_OUTSIDE",
    [[{ name: "././@LongLink", type: "K", content: "../canary\0" }, hard("x", "a")]],
  ],
  ["a hard link to nothing", "UNPACK_LINK_DANGLING", [[hard("x", "etc/passwd")]]],
  ["a hard link to a later entry", "UNPACK_LINK_DANGLING", [[hard("x", "later"), file("later")]]],
  ["a hard link to itself", "UNPACK_LINK_DANGLING", [[file("x")], [hard("x", "x")]]],
  [
    "a hard link to what its own layer took away",
    "UNPACK_LINK_DANGLING",
    [[file("a")], [whiteout(".wh.a"), hard("x", "a")]],
  ],
  [
    "a hard link over the directory of its source",
    "UNPACK_LINK_DANGLING",
    [[directory("d"), file("d/a")], [hard("d", "d/a")]],
  ],
  ["a hard link to a symbolic link", "UNPACK_LINK_KIND", [[link("l", "/etc/passwd"), hard("x", "l")]]],
  ["a hard link to a directory", "UNPACK_LINK_KIND", [[directory("d"), hard("x", "d")]]],
  ["a hard link to the root", "UNPACK_LINK_KIND", [[hard("x", ".")]]],
  ["a hard link without target", "UNPACK_LINK_INVALID", [[hard("x", "")]]],
  ["a link without target", "UNPACK_LINK_INVALID", [[link("x", "")]]],
  ["a link with a NUL byte", "UNPACK_LINK_INVALID", [[{ ...link("x", "a"), pax: [["linkpath", "a\0b"]] }]]],
  [
    "a link longer than the system takes",
    "UNPACK_LINK_INVALID",
    [[{ ...link("x", "a"), pax: [["linkpath", "a".repeat(5000)]] }]],
  ],
  ["a file below a file", "UNPACK_PARENT_NOT_DIRECTORY", [[file("a"), file("a/b")]]],
  ["a file below a file of a lower layer", "UNPACK_PARENT_NOT_DIRECTORY", [[file("a")], [file("a/b")]]],
  ["a path twice", "UNPACK_ENTRY_TWICE", [[file("a", "good"), file("a")]]],
  ["a path twice in two spellings", "UNPACK_ENTRY_TWICE", [[file("a/b", "good"), file("./a//b")]]],
  ["a link in place of a file of its layer", "UNPACK_ENTRY_TWICE", [[file("a"), link("a", "/etc/passwd")]]],
  ["a link in place of a directory in use", "UNPACK_ENTRY_TWICE", [[file("a/b"), link("a", "../etc")]]],
  [
    "a link over a lower directory that its layer uses",
    "UNPACK_ENTRY_TWICE",
    [[directory("a")], [file("a/b"), link("a", "..")]],
  ],
  ["a whiteout behind what replaces it", "UNPACK_ENTRY_TWICE", [[file("a")], [file("a"), whiteout(".wh.a")]]],
  ["a whiteout of the root", "UNPACK_WHITEOUT_ROOT", [[file("a")], [whiteout(".wh..")]]],
  ["a whiteout without name at the root", "UNPACK_WHITEOUT_ROOT", [[whiteout(".wh.")]]],
  ["an opaque root", "UNPACK_WHITEOUT_ROOT", [[file("a")], [whiteout(".wh..wh..opq")]]],
  ["a whiteout of the directory above", "UNPACK_WHITEOUT_INVALID", [[whiteout("a/.wh...")]]],
  ["a whiteout of the directory itself", "UNPACK_WHITEOUT_INVALID", [[whiteout("a/.wh..")]]],
  ["a path below a whiteout", "UNPACK_WHITEOUT_INVALID", [[file("a")], [whiteout(".wh.a/b")]]],
  ["a directory with the mark of a whiteout", "UNPACK_WHITEOUT_INVALID", [[directory(".wh.a")]]],
  ["a link with the mark of a whiteout", "UNPACK_WHITEOUT_INVALID", [[link(".wh.a", "/etc")]]],
  ["a whiteout with content", "UNPACK_WHITEOUT_INVALID", [[file(".wh.a")]]],
  ["a whiteout of a whiteout", "UNPACK_WHITEOUT_INVALID", [[whiteout(".wh..wh.a")]]],
  ["metadata of an old union file system", "UNPACK_WHITEOUT_INVALID", [[whiteout(".wh..wh.plnk")]]],
  ["a newline in a name", "UNPACK_NAME_INVALID", [[file("a\nroot::0:0")]]],
  ["an escape sequence in a name", "UNPACK_NAME_INVALID", [[file("a\u001b[2J")]]],
  ["a NUL byte in a name", "UNPACK_NAME_INVALID", [[{ ...file("a"), pax: [["path", "a\0b"]] }]]],
  ["bytes behind the NUL of a GNU long name", "UNPACK_NAME_INVALID", [[{ ...file("a"), longName: "a\0../canary" }]]],
  ["a name that is not UTF-8", "UNPACK_NAME_INVALID", [[{ ...file("a"), raw: [[0, "\u00e9"]] }]]],
  ["a file without name", "UNPACK_NAME_INVALID", [[file("")]]],
  ["a file with the name of a directory", "UNPACK_NAME_INVALID", [[file("a/")]]],
  ["an empty path in a pax header", "UNPACK_NAME_INVALID", [[{ ...file("a"), pax: [["path", ""]] }]]],
  ["a name longer than the system takes", "UNPACK_NAME_TOO_LONG", [[{ ...file("a"), longName: "a".repeat(256) }]]],
  ["a path longer than the limit", "UNPACK_PATH_TOO_LONG", [[{ ...file("a"), longName: long }]]],
  ["a path deeper than the limit", "UNPACK_PATH_TOO_DEEP", [[{ ...file("a"), longName: deep }]]],
  ["two spellings of one name in Unicode", "UNPACK_NAME_COLLIDES", [[file("caf\u00e9"), file("cafe\u0301")]]],
  ["a letter that is another by Unicode", "UNPACK_NAME_COLLIDES", [[file("K"), file("\u212a")]]],
  ["the same the other way round", "UNPACK_NAME_COLLIDES", [[file("\u212a"), file("K")]]],
];

test.each(attacks)("X3: %s is refused", async (_name, code, layers) => {
  expect(await unpackForged(layers)).toMatchObject({ code, isContained: true });
});

test("X3: names that differ by case alone are refused where asked, and two files where not", async () => {
  const layers = [[file("Readme", "1")], [file("README", "2")]];
  expect(await unpackForged(layers, { caseCollisions: "refuse" })).toMatchObject({ code: "UNPACK_NAME_COLLIDES" });
  const { directory: root } = await unpackForged(layers);
  expect(["Readme", "README"].map((name) => readFileSync(join(root, name), "utf8"))).toEqual(["1", "2"]);
});

test("X3: paths through links are resolved within the tree where asked, and never outside", async () => {
  const layers = [
    [
      directory("usr"),
      directory("usr/bin"),
      link("bin", "usr/bin"),
      link("up", "../../../../etc"),
      link("loop", "loop"),
    ],
    [file("bin/tool", "1"), file("up/passwd", "2")],
  ];
  const { directory: root, isContained } = await unpackForged(layers, { throughLinks: "resolve" });
  expect(isContained).toBe(true);
  expect(readFileSync(join(root, "usr/bin/tool"), "utf8")).toBe("1");
  expect(readFileSync(join(root, "etc/passwd"), "utf8")).toBe("2");
  const looping = await unpackForged([...layers, [file("loop/x")]], { throughLinks: "resolve" });
  expect(looping).toMatchObject({ code: "UNPACK_LINK_FOLLOWED", isContained: true });
});
