import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { forgeAr, forgeTar, forgeZip } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { inspectArchive } from "./inspect.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-inspect-"));
afterAll(() => rmSync(directory, { recursive: true }));
const limits = { unpackedBytes: 64 * 2 ** 20, files: 1000, ratio: 400 };
const has = (program: string) => spawnSync(program, ["--version"]).status === 0;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

let count = 0;
function inspect(bytes: Uint8Array, name: string, own = limits) {
  const path = join(directory, String(count++));
  writeFileSync(path, bytes);
  return inspectArchive(path, name, own);
}

describe("G10: what an archive holds", () => {
  const files = [
    { name: "package/package.json", content: '{"license":"MIT","scripts":{"postinstall":"node x.js","test":"y"}}' },
    { name: "package/x.js", content: "1" },
  ];
  test.each([
    ["tar", "a.tar", (tar: Buffer) => tar],
    ["tar.gz", "a.tgz", (tar: Buffer) => gzipSync(tar)],
    ["tar.zst", "a.tar.zst", (tar: Buffer) => zstdCompressSync(tar)],
  ] as const)("%s", async (format, name, pack) => {
    const found = await inspect(pack(forgeTar(files)), name);
    expect(found).toMatchObject({ format, files: 2, faults: [], licence: "MIT" });
    expect(found.digests.get("package/x.js")).toBe(sha256("1"));
    expect(found.installScripts).toEqual(["package.json scripts.postinstall"]);
  });
  test.skipIf(!has("xz") || !has("bzip2"))("xz and bzip2, by the host's programs", async () => {
    for (const [program, name, format] of [
      ["xz", "a.tar.xz", "tar.xz"],
      ["bzip2", "a.tar.bz2", "tar.bz2"],
    ] as const) {
      const packed = execFileSync(program, ["-c"], { input: forgeTar(files) });
      expect(await inspect(packed, name)).toMatchObject({ format, files: 2, faults: [] });
      expect((await inspect(packed.subarray(0, -9), name)).faults[0]?.code).toBe("ARCHIVE_UNREADABLE");
    }
  });
  test("zip: stored, deflated, with descriptor, with links inside", async () => {
    const found = await inspect(
      forgeZip([
        { name: "a/", mode: 0o040755, stored: true },
        { name: "a/stored", content: "1", stored: true },
        { name: "a/deflated", content: "2".repeat(3 << 20) },
        { name: "a/late", content: "3", descriptor: {} },
        { name: "a/link", content: "stored", stored: true, mode: 0o120777 },
      ]),
      "a.zip",
    );
    expect(found).toMatchObject({ format: "zip", files: 5, faults: [] });
    expect(found.digests.get("a/deflated")).toBe(sha256("2".repeat(3 << 20)));
    expect(await inspect(forgeZip([]), "empty.zip")).toMatchObject({ format: "zip", files: 0, faults: [] });
  });
  test("deb: content, control, maintainer scripts", async () => {
    const control = gzipSync(
      forgeTar([
        { name: "./control", content: "Package: a\n" },
        { name: "./postinst", content: "#!/bin/sh" },
      ]),
    );
    const content = zstdCompressSync(
      forgeTar([
        { name: "./usr/bin/a", content: "1", mode: 0o4755 },
        { name: "./usr/bin/b", type: "2", target: "/etc/alternatives/b" },
      ]),
    );
    const deb = forgeAr([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", control],
      ["data.tar.zst", content],
    ]);
    const found = await inspect(deb, "a_1_all.deb");
    expect(found).toMatchObject({
      format: "deb",
      files: 2,
      faults: [],
      installScripts: ["maintainer script postinst"],
    });
    expect(found.digests.get("usr/bin/a")).toBe(sha256("1"));
  });
  test("install-time programs and licences of the other ecosystems", async () => {
    const tgz = (entries: Record<string, string>) =>
      gzipSync(forgeTar(Object.entries(entries).map(([name, content]) => ({ name: `a-1/${name}`, content }))));
    const crate = await inspect(
      tgz({
        "Cargo.toml": '[package]\nname = "a"\nlicense = "MIT/Apache-2.0"\n[lib]\nproc-macro = true\n',
        "build.rs": "",
      }),
      "a-1.crate",
    );
    expect(crate).toMatchObject({ installScripts: ["build.rs", "procedural macro"], licence: "MIT OR Apache-2.0" });
    const plain = await inspect(tgz({ "Cargo.toml": "[package]\nbuild = false\n", "build.rs": "" }), "a-1.crate");
    expect(plain.installScripts).toEqual([]);
    const sdist = await inspect(
      tgz({
        "PKG-INFO": "Name: a\nLicense: BSD\n\nLicense: no",
        "setup.py": "",
        "pyproject.toml": 'build-backend = "flit"',
      }),
      "a-1.tar.gz",
    );
    expect(sdist).toMatchObject({ installScripts: ["setup.py", "pyproject.toml build-backend flit"], licence: "BSD" });
    const gyp = await inspect(tgz({ "package.json": "{}", "binding.gyp": "{}" }), "a-1.tgz");
    expect(gyp.installScripts).toEqual(["binding.gyp"]);
    const hidden = await inspect(tgz({ "package.json": '{"scripts":{},"scripts":{"install":"x"}}' }), "a-1.tgz");
    expect(hidden.installScripts).toEqual(["package.json that cannot be read strictly"]);
    const wheel = await inspect(
      forgeZip([
        { name: "a.pth", content: "import x" },
        { name: "a-1.dist-info/METADATA", content: "License-Expression: MIT\n" },
      ]),
      "a-1-py3-none-any.whl",
    );
    expect(wheel).toMatchObject({ installScripts: ["a.pth"], licence: "MIT" });
  });
  test.skipIf(!has("tar"))("what the host's own tar writes in each of its formats has no fault", async () => {
    const tree = join(directory, "tree", "package");
    const deep = join(tree, "d".repeat(80), "e".repeat(80));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "f"), "1");
    writeFileSync(join(tree, "ünïcode"), "2");
    symlinkSync("ünïcode", join(tree, "link"));
    for (const format of ["gnu", "pax", "ustar"]) {
      const tar = execFileSync("tar", [`--format=${format}`, "-C", join(directory, "tree"), "-czf", "-", "package"]);
      expect(await inspect(tar, "a.tgz")).toMatchObject({ format: "tar.gz", faults: [] });
    }
  });
  test("no bytes make it throw", async () => {
    const seeds = [
      forgeTar([{ name: "a/b", content: "1", pax: [["path", "a/b"]] }]),
      gzipSync(forgeTar([{ name: "a/b", content: "1" }])),
      forgeZip([
        { name: "a", content: "1", descriptor: {} },
        { name: "b", content: "2" },
      ]),
      forgeAr([["debian-binary", Buffer.from("2.0\n")]]),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.nat(),
        async (seed, edits, cut) => {
          const bytes = Buffer.from(seed);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          const found = await inspect(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes, "a.bin");
          expect(found.faults).toBeInstanceOf(Array);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("G15: what cannot be read is named", () => {
  test("a name that promises another format", async () => {
    const found = await inspect(forgeZip([{ name: "a", content: "1" }]), "a.tgz");
    expect(found.faults.map((each) => each.code)).toEqual(["ARCHIVE_FORMAT_UNEXPECTED"]);
    expect((await inspect(Buffer.from("<html>"), "a.whl")).faults[0]?.code).toBe("ARCHIVE_FORMAT_UNEXPECTED");
  });
  test("a single file that never claimed to be an archive has no fault", async () => {
    expect(await inspect(Buffer.from("\x7fELF"), "protoc-linux.exe")).toMatchObject({ format: "none", faults: [] });
    expect(await inspect(gzipSync("words"), "words.gz")).toMatchObject({ format: "none", faults: [] });
  });
});
