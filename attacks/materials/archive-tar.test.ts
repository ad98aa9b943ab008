import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type ForgedTarEntry, forgeAr, forgeTar, paxBody } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { judge, judgeTgz } from "./archive-scene.ts";

const good: ForgedTarEntry = { name: "package/index.js", content: "good" };
const evil = "evil".repeat(200);

test("G11: the scene itself: an honest archive passes", async () => {
  expect(await judgeTgz([good])).toMatchObject({ faults: [], code: undefined });
});

test.each<[string, string, string, readonly ForgedTarEntry[]]>([
  ["G11", "a path above the directory", "ARCHIVE_PATH_OUTSIDE", [{ name: "package/../../.bashrc", content: evil }]],
  ["G11", "an absolute path", "ARCHIVE_PATH_OUTSIDE", [{ name: "/etc/cron.d/x", content: evil }]],
  ["G11", "a path of Windows", "ARCHIVE_PATH_OUTSIDE", [{ name: "package\\..\\..\\x", content: evil }]],
  ["G11", "a drive letter", "ARCHIVE_PATH_OUTSIDE", [{ name: "C:evil.dll", content: evil }]],
  ["G11", "a path above by a pax header", "ARCHIVE_PATH_OUTSIDE", [{ ...good, pax: [["path", "../../x"]] }]],
  ["G11", "a path above by a GNU long name", "ARCHIVE_PATH_OUTSIDE", [{ ...good, longName: "../../x" }]],
  ["G11", "a path above by the prefix field", "ARCHIVE_PATH_OUTSIDE", [{ ...good, prefix: "package/../.." }]],
  ["G11", "a link out of the tree", "ARCHIVE_LINK_OUTSIDE", [{ name: "package/l", type: "2", target: "../../../etc" }]],
  ["G11", "an absolute link", "ARCHIVE_LINK_OUTSIDE", [{ name: "package/l", type: "2", target: "/etc/passwd" }]],
  [
    "G11",
    "a hard link to a file of the host",
    "ARCHIVE_LINK_OUTSIDE",
    [{ name: "package/l", type: "1", target: "etc/shadow" }],
  ],
  [
    "G11",
    "a file written through a link of the archive",
    "ARCHIVE_LINK_FOLLOWED",
    [
      { name: "package/l", type: "2", target: "lib" },
      { name: "package/l/x.js", content: evil },
    ],
  ],
  ["G11", "a device", "ARCHIVE_DEVICE", [{ name: "package/sda", type: "4" }]],
  ["G11", "a fifo", "ARCHIVE_DEVICE", [{ name: "package/pipe", type: "6" }]],
  ["G11", "a setuid program", "ARCHIVE_SETUID", [{ name: "package/su", content: evil, mode: 0o4755 }]],
  ["G11", "a control character in a name", "ARCHIVE_NAME_INVALID", [{ name: "package/\u001b[2Jx", content: evil }]],
  ["G12", "two entries of one name", "ARCHIVE_ENTRY_TWICE", [good, { ...good, content: evil }]],
  [
    "G12",
    "two entries of one name, spelled otherwise",
    "ARCHIVE_ENTRY_TWICE",
    [good, { name: "./package//./index.js", content: evil }],
  ],
  [
    "G12",
    "two entries that npm unpacks to one place",
    "ARCHIVE_ENTRY_TWICE",
    [good, { name: "other/index.js", content: evil }],
  ],
  [
    "G12",
    "a file in place of a directory",
    "ARCHIVE_ENTRY_TWICE",
    [
      { name: "package/a", type: "5" },
      { name: "package/a", content: evil },
    ],
  ],
  ["G12", "names that differ by case", "ARCHIVE_ENTRY_COLLIDES", [good, { name: "package/Index.js", content: evil }]],
  [
    "G12",
    "names that differ by normalisation",
    "ARCHIVE_ENTRY_COLLIDES",
    [
      { name: "package/\u00e9", content: "1" },
      { name: "package/e\u0301", content: evil },
    ],
  ],
  [
    "G13",
    "a pax size that another reader does not see",
    "ARCHIVE_HEADER_CONFLICT",
    [{ ...good, content: evil, size: 4, pax: [["size", "800"]] }],
  ],
  [
    "G13",
    "one pax record twice",
    "ARCHIVE_HEADER_CONFLICT",
    [
      {
        ...good,
        pax: [
          ["path", "package/a"],
          ["path", "package/b"],
        ],
      },
    ],
  ],
  [
    "G13",
    "a pax path and a GNU path",
    "ARCHIVE_HEADER_CONFLICT",
    [{ ...good, pax: [["path", "package/a"]], longName: "package/b" }],
  ],
  [
    "G13",
    "a global pax path",
    "ARCHIVE_HEADER_CONFLICT",
    [{ name: "g", type: "g", content: paxBody([["path", "package/evil"]]) }, good],
  ],
  ["G13", "a pax character set", "ARCHIVE_HEADER_CONFLICT", [{ ...good, pax: [["hdrcharset", "BINARY"]] }]],
  ["G13", "a prefix in a GNU header", "ARCHIVE_HEADER_CONFLICT", [{ ...good, magic: "ustar  \0", prefix: "evil" }]],
  ["G13", "content in a directory", "ARCHIVE_HEADER_CONFLICT", [{ name: "package/d", type: "5", content: evil }]],
  ["G13", "a sparse file", "ARCHIVE_SPARSE", [{ name: "package/s", type: "S", magic: "ustar  \0" }]],
  ["G13", "a sparse file by pax", "ARCHIVE_SPARSE", [{ ...good, pax: [["GNU.sparse.name", "x"]] }]],
  ["G13", "a negative size in binary", "ARCHIVE_SIZE_NEGATIVE", [{ ...good, sizeField: Buffer.alloc(12, 0xff) }]],
  ["G13", "a negative size in text", "ARCHIVE_SIZE_NEGATIVE", [{ ...good, sizeField: Buffer.from("-0000000010\0") }]],
  ["G13", "a negative size by pax", "ARCHIVE_SIZE_NEGATIVE", [{ ...good, pax: [["size", "-512"]] }]],
  [
    "G13",
    "a size beyond all bounds",
    "ARCHIVE_HEADER_BAD",
    [{ ...good, sizeField: Buffer.from("80ffffffffffffffffffffff", "hex") }],
  ],
  ["G13", "an entry of a kind of its own", "ARCHIVE_ENTRY_KIND", [{ name: "package/v", type: "V" }]],
])("%s: attack: %s is %s", async (_rule, _what, fault, entries) => {
  const { faults, code } = await judgeTgz(entries);
  expect(faults).toContain(fault);
  expect(code).toBe("GATE_ARCHIVE_UNSAFE");
});

const hasTar = spawnSync("tar", ["--version"]).status === 0;

test.skipIf(!hasTar)("G11: attack: the link that a naive unpacker follows out of its directory", async () => {
  const scene = mkdtempSync(join(tmpdir(), "touchmark-naive-"));
  try {
    mkdirSync(join(scene, "in"));
    const entries: ForgedTarEntry[] = [
      { name: "package/l", type: "2", target: `${scene}/out` },
      { name: "package/l", content: evil },
    ];
    // Naive: without --unlink-first an unpacker that keeps links writes where they lead.
    writeFileSync(join(scene, "a.tar"), forgeTar([entries[0] as ForgedTarEntry]));
    execFileSync("tar", ["-C", join(scene, "in"), "-xf", join(scene, "a.tar")]);
    writeFileSync(join(scene, "in/package/l"), evil);
    expect(readFileSync(join(scene, "out"), "utf8")).toBe(evil);
    const { faults, code } = await judgeTgz(entries);
    expect(faults).toEqual(expect.arrayContaining(["ARCHIVE_LINK_OUTSIDE", "ARCHIVE_ENTRY_TWICE"]));
    expect(code).toBe("GATE_ARCHIVE_UNSAFE");
  } finally {
    rmSync(scene, { recursive: true });
  }
});

test.skipIf(!hasTar)("G13: attack: entries behind the end, which some readers go on to read", async () => {
  const bytes = forgeTar(
    [good],
    Buffer.concat([Buffer.alloc(1024), forgeTar([{ name: "package/evil.js", content: evil }])]),
  );
  const scene = mkdtempSync(join(tmpdir(), "touchmark-naive-"));
  try {
    // Naive: one program lists one file, with --ignore-zeros two.
    writeFileSync(join(scene, "a.tar"), bytes);
    const list = (...words: string[]) =>
      execFileSync("tar", [...words, "-tf", join(scene, "a.tar")], { encoding: "utf8" });
    expect(list()).toBe("package/index.js\n");
    expect(list("--ignore-zeros")).toBe("package/index.js\npackage/evil.js\n");
    expect(existsSync(join(scene, "package"))).toBe(false);
  } finally {
    rmSync(scene, { recursive: true });
  }
  expect(await judge(gzipSync(bytes), "a-1.0.0.tgz")).toMatchObject({
    faults: ["ARCHIVE_TRAILING_BYTES"],
    code: "GATE_ARCHIVE_UNSAFE",
  });
});

test("G13: attack: an entry behind a single zero record", async () => {
  const bytes = Buffer.concat([
    forgeTar([good], Buffer.alloc(512)),
    forgeTar([{ name: "package/evil.js", content: evil }]),
  ]);
  expect((await judge(gzipSync(bytes), "a-1.0.0.tgz")).faults).toEqual(["ARCHIVE_TRAILING_BYTES"]);
});

test("G13: attack: bytes behind the gzip and zstd streams", async () => {
  const tar = forgeTar([good]);
  for (const [packed, name] of [
    [gzipSync(tar), "a-1.0.0.tgz"],
    [zstdCompressSync(tar), "a.tar.zst"],
  ] as const) {
    const { faults, code } = await judge(Buffer.concat([packed, Buffer.from("#!/bin/sh evil")]), name);
    expect(faults).toHaveLength(1);
    expect(["ARCHIVE_TRAILING_BYTES", "ARCHIVE_UNREADABLE"]).toContain(faults[0]);
    expect(code).toBe("GATE_ARCHIVE_UNSAFE");
  }
});

test("G13: attack: a cut archive, a cut stream, a header without an entry, a broken checksum", async () => {
  const tar = forgeTar([{ ...good, content: evil }]);
  expect((await judge(gzipSync(tar.subarray(0, 700)), "a.tgz")).faults).toEqual(["ARCHIVE_TRUNCATED"]);
  expect((await judge(gzipSync(tar).subarray(0, 60), "a.tgz")).faults).toEqual(["ARCHIVE_TRUNCATED"]);
  const lone = forgeTar([{ name: "p", type: "x", content: paxBody([["path", "x"]]) }]);
  expect((await judge(gzipSync(lone), "a.tgz")).faults).toEqual(["ARCHIVE_TRUNCATED"]);
  const broken = Buffer.from(tar);
  broken[0] = 0x71;
  expect((await judge(gzipSync(broken), "a.tgz")).faults).toEqual(["ARCHIVE_HEADER_BAD"]);
});

test("G14: attack: a gzip bomb is left before it is unpacked", async () => {
  const bomb = gzipSync(forgeTar([{ name: "package/0", content: Buffer.alloc(60 * 2 ** 20) }]));
  expect(bomb.length).toBeLessThan(100_000);
  expect(await judge(bomb, "a.tgz")).toMatchObject({ faults: ["ARCHIVE_RATIO"], code: "GATE_ARCHIVE_UNSAFE" });
  const wide = { unpackedBytes: 2 ** 20, files: 1000, ratio: 1e9 };
  const { archive, faults } = await judge(bomb, "a.tgz", wide);
  expect(faults).toEqual(["ARCHIVE_TOO_LARGE"]);
  expect(archive.unpackedBytes).toBeLessThan(2 ** 21);
});

test("G14: attack: thousands of entries", async () => {
  const many = Array.from({ length: 1200 }, (_, i) => ({ name: `package/${i}` }));
  expect((await judgeTgz(many)).faults).toEqual(["ARCHIVE_TOO_MANY_ENTRIES"]);
});

test("G13: attack: a Debian package with another content in front, behind, or twice", async () => {
  const version = ["debian-binary", Buffer.from("2.0\n")] as const;
  const control = ["control.tar.gz", gzipSync(forgeTar([{ name: "./control", content: "Package: a\n" }]))] as const;
  const data = ["data.tar.gz", gzipSync(forgeTar([{ name: "./usr/a", content: "1" }]))] as const;
  const other = ["data.tar.zst", zstdCompressSync(forgeTar([{ name: "./usr/a", content: evil }]))] as const;
  const faults = async (bytes: Uint8Array) => (await judge(bytes, "a.deb")).faults;
  expect(await faults(forgeAr([version, control, data]))).toEqual([]);
  expect(await faults(forgeAr([version, control, data, other]))).toEqual(["ARCHIVE_ENTRY_KIND"]);
  expect(await faults(forgeAr([version, control, data, data]))).toEqual(["ARCHIVE_ENTRY_TWICE"]);
  expect(await faults(forgeAr([version, data, control]))).toEqual(["ARCHIVE_HEADER_BAD"]);
  expect(await faults(forgeAr([control, data]))).toEqual(["ARCHIVE_HEADER_BAD"]);
  expect(await faults(forgeAr([version, control, data], "evil"))).toEqual(["ARCHIVE_TRAILING_BYTES"]);
});
