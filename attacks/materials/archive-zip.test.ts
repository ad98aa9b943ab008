import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ForgedZipEntry, forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { judge } from "./archive-scene.ts";

const good: ForgedZipEntry = { name: "a/__init__.py", content: "good" };
const evil = "evil".repeat(100);
const wheel = "a-1.0.0-py3-none-any.whl";

test("G11: the scene itself: an honest wheel passes", async () => {
  expect(await judge(forgeZip([good]), wheel)).toMatchObject({ faults: [], code: undefined });
});

test.each<[string, string, string, readonly ForgedZipEntry[]]>([
  ["G11", "a path above the directory", "ARCHIVE_PATH_OUTSIDE", [{ name: "../../x.py", content: evil }]],
  ["G11", "a path above, with backslashes", "ARCHIVE_PATH_OUTSIDE", [{ name: "a\\..\\..\\x.py", content: evil }]],
  ["G11", "an absolute path", "ARCHIVE_PATH_OUTSIDE", [{ name: "/etc/x", content: evil }]],
  [
    "G11",
    "a link out of the tree",
    "ARCHIVE_LINK_OUTSIDE",
    [{ name: "a/l", content: "../../etc", stored: true, mode: 0o120777 }],
  ],
  ["G11", "a device", "ARCHIVE_DEVICE", [{ name: "a/d", mode: 0o060666 }]],
  ["G11", "a setuid program", "ARCHIVE_SETUID", [{ name: "a/su", content: evil, mode: 0o104755 }]],
  ["G12", "two entries of one name", "ARCHIVE_ENTRY_TWICE", [good, { ...good, content: evil }]],
  ["G12", "names that differ by case", "ARCHIVE_ENTRY_COLLIDES", [good, { name: "A/__init__.py", content: evil }]],
  [
    "G13",
    "another name in front of the content",
    "ARCHIVE_HEADER_CONFLICT",
    [{ ...good, local: { name: "a/__evil__.py" } }],
  ],
  ["G13", "another size in front of the content", "ARCHIVE_HEADER_CONFLICT", [{ ...good, local: { size: 2 } }]],
  ["G13", "another method in front of the content", "ARCHIVE_HEADER_CONFLICT", [{ ...good, local: { method: 0 } }]],
  ["G13", "another checksum in front of the content", "ARCHIVE_HEADER_CONFLICT", [{ ...good, local: { crc32: 1 } }]],
  ["G13", "another name in an extra field", "ARCHIVE_HEADER_CONFLICT", [{ ...good, extra: unicodePath("a/evil.py") }]],
  ["G13", "a descriptor that says something else", "ARCHIVE_DESCRIPTOR", [{ ...good, descriptor: { size: 1 } }]],
  [
    "G13",
    "a stored entry whose size stands behind it",
    "ARCHIVE_DESCRIPTOR",
    [{ ...good, stored: true, descriptor: {} }],
  ],
  [
    "G13",
    "a checksum that does not hold",
    "ARCHIVE_CONTENT_DIFFERS",
    [{ ...good, local: { crc32: 1 }, central: { crc32: 1 } }],
  ],
  [
    "G13",
    "more content than it says",
    "ARCHIVE_CONTENT_DIFFERS",
    [{ ...good, local: { size: 2 }, central: { size: 2 } }],
  ],
  [
    "G13",
    "content that is not packed as it says",
    "ARCHIVE_CONTENT_DIFFERS",
    [{ ...good, stored: true, local: { method: 8 }, central: { method: 8 } }],
  ],
  ["G13", "bytes behind the packed content", "ARCHIVE_HIDDEN_BYTES", [{ ...good, packedTail: Buffer.from(evil) }]],
  [
    "G13",
    "bytes between two entries",
    "ARCHIVE_HIDDEN_BYTES",
    [good, { name: "a/b.py", content: "1", gap: Buffer.from(evil) }],
  ],
  [
    "G13",
    "two entries that share bytes",
    "ARCHIVE_ENTRIES_OVERLAP",
    [good, { name: "a/b.py", content: "1", central: { offset: 0 } }],
  ],
  ["G15", "an encrypted entry", "ARCHIVE_ENCRYPTED", [{ ...good, flags: 1 }]],
  [
    "G15",
    "a packing that is not read",
    "ARCHIVE_METHOD_UNKNOWN",
    [{ ...good, local: { method: 12 }, central: { method: 12 } }],
  ],
])("%s: attack: %s is %s", async (_rule, _what, fault, entries) => {
  const { faults, code } = await judge(forgeZip(entries), wheel);
  expect(faults).toContain(fault);
  expect(code).toBe("GATE_ARCHIVE_UNSAFE");
});

test.each<[string, string, Parameters<typeof forgeZip>[1]]>([
  ["bytes in front", "ARCHIVE_FORMAT_UNEXPECTED", { prefix: Buffer.from("#!/bin/sh\n") }],
  ["an archive in front", "ARCHIVE_PREFIX_BYTES", { prefix: forgeZip([{ name: "evil.py", content: evil }]) }],
  ["bytes behind", "ARCHIVE_TRAILING_BYTES", { tail: Buffer.from("evil") }],
  ["a second end record in the comment", "ARCHIVE_HEADER_CONFLICT", { comment: forgeZip([]).toString("latin1") }],
  ["more entries than there are", "ARCHIVE_TRUNCATED", { count: 3 }],
  ["fewer entries than there are", "ARCHIVE_HIDDEN_BYTES", { count: 0 }],
])("G13: attack: %s is %s", async (_what, fault, around) => {
  const { faults, code } = await judge(forgeZip([good], around), wheel);
  expect(faults).toContain(fault);
  expect(code).toBe("GATE_ARCHIVE_UNSAFE");
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!hasPython)(
  "G12: attack: of two entries of one name Python's reader takes the last, a streaming one the first",
  async () => {
    const bytes = forgeZip([good, { ...good, content: evil }]);
    const scene = mkdtempSync(join(tmpdir(), "touchmark-naive-"));
    try {
      writeFileSync(join(scene, "a.zip"), bytes);
      const program =
        "import sys,zipfile; sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read('a/__init__.py').decode())";
      // Naive: whoever reviews the first entry has not seen what Python imports.
      expect(execFileSync("python3", ["-c", program, join(scene, "a.zip")], { encoding: "utf8" })).toBe(evil);
    } finally {
      rmSync(scene, { recursive: true });
    }
    expect((await judge(bytes, wheel)).code).toBe("GATE_ARCHIVE_UNSAFE");
  },
);

test("G14: attack: a zip bomb is left before it is unpacked", async () => {
  const bomb = forgeZip([{ name: "a/0", content: Buffer.alloc(60 * 2 ** 20) }]);
  expect(bomb.length).toBeLessThan(100_000);
  expect((await judge(bomb, wheel)).faults).toEqual(["ARCHIVE_RATIO"]);
  const many = Array.from({ length: 1200 }, (_, i) => ({ name: `a/${i}`, stored: true }));
  expect((await judge(forgeZip(many), wheel)).faults).toEqual(["ARCHIVE_TOO_MANY_ENTRIES"]);
});

/** Info-ZIP's other name of an entry. */
function unicodePath(name: string): Buffer {
  const body = Buffer.from(name);
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x7075, 0);
  field.writeUInt16LE(5 + body.length, 2);
  field.writeUInt8(1, 4);
  return Buffer.concat([field, body]);
}
