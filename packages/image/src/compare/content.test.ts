import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { padding, tarEnd, tarHeader } from "@touchmark/store";
import { findProgram } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { textCauses } from "./cause.ts";
import { compareContent } from "./content.ts";
import { memberDifferences } from "./json-members.ts";

const text = (value: string) => Buffer.from(value);

function tar(files: Readonly<Record<string, string>>, mtime = 0): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => [
    tarHeader({ path, kind: "file", size: content.length, mode: 0o644, mtime }),
    text(content),
    padding(content.length),
  ]);
  return Buffer.concat([...parts, tarEnd()]);
}

/** A zip archive of one member, as far as its reader needs one. */
function zip(name: string, content: string, time: number): Buffer {
  const packed = deflateRawSync(text(content));
  const local = Buffer.alloc(30);
  local.writeUInt32BE(0x504b0304, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32BE(0x504b0102, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(time, 12);
  central.writeUInt32LE(content.length * 7 + content.charCodeAt(0), 16);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32BE(0x504b0506, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, text(name), packed, central, text(name), end]);
}

test.each([
  ["built 2026-11-21T10:00:00Z", "built 2026-11-22T11:11:11Z", ["timestamp"]],
  ["Sat Nov 21 17:03:21 UTC 2026", "Sun Nov 22 01:00:00 UTC 2026", ["timestamp"]],
  ["epoch 1700000000", "epoch 1800000000", ["timestamp"]],
  ["root=/home/a/build", "root=/tmp/xyz/work", ["path"]],
  ["id 0b0c1f3e-1111-2222-3333-444455556666", "id 9b0c1f3e-1111-2222-3333-444455556667", ["random"]],
  ["a\nb\nc", "c\na\nb", ["order"]],
  ["a  b\n", "a b", ["format"]],
  ["at 2026-11-21 in /home/a/b", "at 2026-11-22 in /srv/c/d", ["path", "timestamp"]],
  ["version 1", "version 2", ["content"]],
] as const)("I13: %j and %j differ by %j", (a, b, causes) => {
  expect(textCauses(a, b)).toEqual(causes);
  expect(textCauses(a, a)).toEqual([]);
});

test("I13: JSON is compared by members, whatever their order", () => {
  expect(compareContent(text('{"a":1,"b":2}'), text('{"b": 2, "a": 1}'))).toMatchObject({
    format: "JSON",
    causes: ["format"],
  });
  const found = compareContent(
    text('{"a":{"at":"2026-01-01"},"l":[1,2]}'),
    text('{"a":{"at":"2026-01-02"},"l":[2,1]}'),
  );
  expect(found).toMatchObject({
    format: "JSON",
    causes: ["timestamp", "order"],
    details: [expect.stringContaining("a.at"), expect.stringContaining("l")],
  });
  expect(memberDifferences({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }, 4] }).map(({ path }) => path)).toEqual([
    "a.1.b",
    "a.2",
  ]);
});

test("I13: archives are opened, in each other too", () => {
  const [one, other] = [tar({ "a.txt": "a", "b.txt": "b 1" }), tar({ "a.txt": "a", "b.txt": "b 2" })];
  const found = compareContent(gzipSync(one), gzipSync(other));
  expect(found).toMatchObject({
    format: "gzip",
    causes: ["content"],
    files: [{ path: "b.txt", content: { format: "text" } }],
  });
  expect(compareContent(one, tar({ "a.txt": "a", "b.txt": "b 1" }, 5))).toMatchObject({
    format: "tar",
    causes: ["timestamp"],
  });
  expect(compareContent(one, tar({ "b.txt": "b 1", "a.txt": "a" }))).toMatchObject({
    format: "tar",
    causes: ["order"],
  });
  const packed = compareContent(gzipSync(one, { level: 1 }), gzipSync(one, { level: 9 }));
  expect(packed).toMatchObject({ format: "gzip", causes: ["compressor"] });
  const stamped = gzipSync(one);
  stamped.writeUInt32LE(1_700_000_000, 4);
  expect(compareContent(gzipSync(one), stamped)).toMatchObject({ format: "gzip", causes: ["timestamp"] });
  expect(compareContent(zstdCompressSync(one), zstdCompressSync(other))).toMatchObject({
    format: "zstd",
    causes: ["content"],
  });
  expect(compareContent(zip("x", "one", 1), zip("x", "one", 2))).toMatchObject({
    format: "zip",
    causes: ["timestamp"],
  });
  const changed = compareContent(zip("x", "at 2026-01-01", 1), zip("x", "bt 2026-01-02", 1));
  expect(changed).toMatchObject({ format: "zip", files: [{ path: "x", content: { format: "text" } }] });
});

test("I13: Python's compiled modules and plain bytes are told apart", () => {
  const module = (time: number, code: string) =>
    Buffer.concat([Buffer.from([0xa7, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, time, 0xff, 0, 0, 0, 0, 0, 0]), text(code)]);
  expect(compareContent(module(1, "code"), module(2, "code"))).toMatchObject({
    format: "Python bytecode",
    causes: ["timestamp"],
  });
  expect(compareContent(module(1, "code"), module(1, "more"))).toMatchObject({
    format: "Python bytecode",
    causes: ["content"],
  });
  const found = compareContent(Buffer.from([0, 1, 2, 255]), Buffer.from([0, 1, 3, 255, 4]));
  expect(found).toMatchObject({ format: "binary", details: ["2 bytes differ, the first at 2"] });
});

test("I13: damaged archives and programs are compared as bytes", () => {
  const damaged = Buffer.concat([gzipSync(text("x")).subarray(0, 12), Buffer.from([0xff, 0xfe])]);
  expect(compareContent(damaged, gzipSync(text("y"))).format).toBe("binary");
  const elf = Buffer.alloc(200, 0xff);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  expect(compareContent(elf, Buffer.concat([elf, elf])).format).toBe("binary");
  const [broken, other] = [tar({ a: "a" }), tar({ a: "b" })];
  broken.fill(0xff, 0, 100);
  expect(compareContent(broken, other).format).toMatch(/binary|text/);
});

const compiler = findProgram("gcc");

test.skipIf(compiler === undefined)("I13: programs are compared by sections", () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-elf-"));
  try {
    const build = (name: string, source: string) => {
      writeFileSync(join(directory, "main.c"), source);
      execFileSync(compiler as string, ["-o", join(directory, name), join(directory, "main.c")]);
      return readFileSync(join(directory, name));
    };
    const main = (time: string) => `const char built[] = "built at ${time}"; int main(void) { return built[0]; }`;
    const [a, b] = [build("a", main("2026-11-21 10:00:00")), build("b", main("2026-11-22 10:00:00"))];
    const found = compareContent(a, b);
    expect(found).toMatchObject({ format: "ELF", details: [expect.stringContaining(".rodata")] });
    expect(found.causes).toContain("timestamp");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
