import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "@touchmark/core";
import { type ForgedZipEntry, forgeZip } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  memorySource,
  partOf,
  readZipDirectory,
  readZipEntry,
  readZipEntryHead,
  storedSource,
  streamZipEntry,
  type ZipEntry,
  zipErrors,
} from "./index.ts";

const limit = 1 << 20;
const refusal = (code: string) => expect.objectContaining({ code, nature: "invalid" });

function entryOf(archive: Uint8Array, index = 0): ZipEntry {
  const entry = readZipDirectory(memorySource(archive)).entries[index];
  if (entry === undefined) throw new Error("expected an entry");
  return entry;
}

function contentOf(archive: Uint8Array, index = 0): string {
  return Buffer.from(readZipEntry(memorySource(archive), entryOf(archive, index), limit)).toString();
}

async function streamed(archive: Uint8Array, most = limit): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamZipEntry(memorySource(archive), entryOf(archive), most)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function refusesDirectory(archive: Uint8Array, code: string, limits = {}): void {
  expect(() => readZipDirectory(memorySource(archive), limits)).toThrow(refusal(code));
}

function refusesContent(archive: Uint8Array, code: string, most = limit): void {
  expect(() => readZipEntry(memorySource(archive), entryOf(archive), most)).toThrow(refusal(code));
}

const letters = "abc".repeat(1000);

test("ZIP1: entries are listed and unpacked, stored and deflated, whole and in pieces", async () => {
  const archive = forgeZip([
    { name: "d/", mode: 0o40755 },
    { name: "d/a.txt", content: letters, mode: 0o100755 },
    { name: "ö", content: "x", stored: true },
  ]);
  const { entries, prefix, faults } = readZipDirectory(memorySource(archive));
  expect(entries.map(({ name, isDirectory, size, mode }) => [name, isDirectory, size, mode])).toEqual([
    ["d/", true, 0, 0o40755],
    ["d/a.txt", false, 3000, 0o100755],
    ["ö", false, 1, 0],
  ]);
  expect([prefix, faults]).toEqual([0, []]);
  expect(contentOf(archive, 1)).toBe(letters);
  expect(contentOf(archive, 2)).toBe("x");
  const large = Buffer.alloc(700_000, "0123456789abcdef~");
  for (const stored of [true, false]) {
    expect((await streamed(forgeZip([{ name: "a", content: large, stored }]))).equals(large)).toBe(true);
  }
  expect((await streamed(forgeZip([{ name: "a" }]))).length).toBe(0);
});

test("ZIP1: an archive behind other bytes, with a comment, of sizes behind the content, in old spelling", () => {
  const plain = forgeZip([{ name: "a", content: "x", descriptor: {} }], { comment: "PK\x05\x06 is no end" });
  const script = Buffer.from("#!/bin/sh\nexec java -jar $0\n");
  const shifted = Buffer.concat([script, plain]);
  expect(readZipDirectory(memorySource(shifted)).prefix).toBe(script.length);
  expect(contentOf(shifted)).toBe("x");
  expect(contentOf(forgeZip([{ name: "a", content: "x" }], { prefix: script }))).toBe("x");
  const old = Buffer.from(plain.toString("latin1").replaceAll("a", "\xe9"), "latin1");
  expect([entryOf(old).name, contentOf(old)]).toEqual(["é", "x"]);
});

test("ZIP1: bytes behind the archive are told, and the archive is read as what runs it reads it", () => {
  const archive = forgeZip([{ name: "a", content: "x" }]);
  for (const tail of ["junk", "PK\x05\x06 and more that looks like an end record", "\0".repeat(5000)]) {
    const bytes = Buffer.concat([archive, Buffer.from(tail, "latin1")]);
    expect(readZipDirectory(memorySource(bytes)).faults.map(({ code }) => code)).toEqual(["ZIP_CONFLICT"]);
    expect(contentOf(bytes)).toBe("x");
  }
  refusesDirectory(Buffer.concat([archive, Buffer.alloc(70_000)]), "ZIP_TRUNCATED");
});

const goRoot = spawnSync("go", ["env", "GOROOT"], { encoding: "utf8" }).stdout?.trim() ?? "";
const goArchives = goRoot === "" ? [] : globSync("src/archive/zip/testdata/*.zip", { cwd: goRoot });
test.skipIf(goArchives.length === 0)("ZIP1: the archives that Go tests its own reader with are read", () => {
  for (const path of goArchives.filter((name) => !name.includes("test-bad"))) {
    const source = memorySource(readFileSync(join(goRoot, path)));
    const { entries } = readZipDirectory(source);
    expect(entries.length, path).toBeGreaterThan(0);
    for (const entry of entries) expect(readZipEntry(source, entry, limit).length, path).toBe(entry.size);
  }
});

test("ZIP2: the beginning of an entry says what it is", () => {
  const archive = forgeZip([
    { name: "a", content: `PK${letters}`, stored: true },
    { name: "b", content: `PK${letters}` },
    { name: "c", content: "xyz", stored: true, central: { method: 8 }, local: { method: 8 } },
    { name: "d", content: Buffer.alloc(8 << 20) },
  ]);
  const { entries } = readZipDirectory(memorySource(archive));
  const heads = entries.map((entry) => Buffer.from(readZipEntryHead(memorySource(archive), entry, 4)).toString());
  expect(heads).toEqual(["PKab", "PKab", "", "\0\0\0\0"]);
});

test("ZIP2: a stored archive in an archive is read in its place", () => {
  const inner = forgeZip([{ name: "in.txt", content: letters }]);
  const outer = forgeZip([
    { name: "in.jar", content: inner, stored: true },
    { name: "packed.jar", content: inner },
  ]);
  const [stored, packed] = readZipDirectory(memorySource(outer)).entries as [ZipEntry, ZipEntry];
  const source = storedSource(memorySource(outer), stored);
  const entry = source && readZipDirectory(source).entries[0];
  expect(source && entry && Buffer.from(readZipEntry(source, entry, limit)).toString()).toBe(letters);
  expect(storedSource(memorySource(outer), packed)).toBeUndefined();
  expect(Buffer.from(partOf(memorySource(Buffer.from("abcdef")), 2, 3).read(1, 9)).toString()).toBe("de");
  const lying = forgeZip([{ name: "a", content: "xx", stored: true, central: { size: 1 } }]);
  expect(() => storedSource(memorySource(lying), entryOf(lying))).toThrow(refusal("ZIP_CONTENT"));
});

test("ZIP3: a directory that is cut, or leads elsewhere, is refused", () => {
  const archive = forgeZip([{ name: "a", content: letters }]);
  for (const bytes of [Buffer.alloc(0), Buffer.from("PK"), archive.subarray(0, -1), archive.subarray(0, 60)]) {
    refusesDirectory(bytes, "ZIP_TRUNCATED");
  }
  refusesDirectory(archive.subarray(20), "ZIP_MALFORMED");
  refusesDirectory(forgeZip([{ name: "a" }], { count: 2 }), "ZIP_MALFORMED");
  refusesDirectory(forgeZip([{ name: "a" }, { name: "b" }], { count: 1 }), "ZIP_MALFORMED");
  const parts = Buffer.from(archive);
  parts.writeUInt16LE(1, parts.length - 18);
  refusesDirectory(parts, "ZIP_UNSUPPORTED");
  const wide = Buffer.from(archive);
  wide.writeUInt32LE(0xffffffff, wide.length - 6);
  refusesDirectory(wide, "ZIP_MALFORMED");
  refusesDirectory(forgeZip([{ name: "a", central: { size: 0xffffffff } }]), "ZIP_MALFORMED");
  const far = Buffer.from("0100080000000000ffffff7f", "hex");
  refusesDirectory(forgeZip([{ name: "a", central: { size: 0xffffffff }, extra: far }]), "ZIP_MALFORMED");
});

test("ZIP4: entries, directory and unpacked bytes are bounded, and entries share no bytes", async () => {
  refusesDirectory(forgeZip([{ name: "a" }, { name: "b" }]), "ZIP_TOO_LARGE", { entries: 1 });
  refusesDirectory(forgeZip([{ name: "a".repeat(500) }]), "ZIP_TOO_LARGE", { directoryBytes: 100 });
  refusesContent(forgeZip([{ name: "a", content: letters }]), "ZIP_TOO_LARGE", 2999);
  await expect(streamed(forgeZip([{ name: "a", content: letters }]), 2999)).rejects.toThrow(refusal("ZIP_TOO_LARGE"));
  refusesDirectory(
    forgeZip([
      { name: "a", content: letters },
      { name: "b", central: { offset: 1 } },
    ]),
    "ZIP_OVERLAP",
  );
  refusesDirectory(forgeZip([{ name: "a", content: "x", central: { packedSize: 99 } }]), "ZIP_OVERLAP");
});

test("ZIP5: content that is not what its headers say is refused", async () => {
  const bomb: ForgedZipEntry = { name: "a", content: Buffer.alloc(1 << 22), central: { size: 10 } };
  const cases: readonly (readonly [ForgedZipEntry, string])[] = [
    [bomb, "ZIP_CONTENT"],
    [{ name: "a", content: letters, central: { crc32: 1 } }, "ZIP_CONTENT"],
    [{ name: "a", content: letters, central: { size: 3001 } }, "ZIP_CONTENT"],
    [{ name: "a", content: "xyz", stored: true, central: { method: 8 }, local: { method: 8 } }, "ZIP_CONTENT"],
    [{ name: "a", content: "x", local: { name: "b" } }, "ZIP_CONFLICT"],
    [{ name: "a", content: "x", local: { method: 0 } }, "ZIP_CONFLICT"],
    [{ name: "a", content: "x", flags: 1 }, "ZIP_UNSUPPORTED"],
    [{ name: "a", content: "x", central: { method: 12 }, local: { method: 12 } }, "ZIP_UNSUPPORTED"],
  ];
  for (const [entry, code] of cases) {
    refusesContent(forgeZip([entry]), code);
    await expect(streamed(forgeZip([entry]))).rejects.toThrow(refusal(code));
  }
  refusesContent(
    Buffer.from(
      forgeZip([{ name: "a" }])
        .toString("latin1")
        .replace("PK\x03\x04", "PK\x03\x05"),
      "latin1",
    ),
    "ZIP_MALFORMED",
  );
  const cut = forgeZip([{ name: "a", content: "x", stored: true }]);
  const entry = { ...entryOf(cut), packedSize: 10_000, size: 10_000 };
  expect(() => readZipEntry(memorySource(cut), entry, limit)).toThrow(refusal("ZIP_TRUNCATED"));
});

test("ZIP1: pieces may be left before the end, and a source that fails in the middle fails", async () => {
  const archive = forgeZip([{ name: "a", content: randomBytes(4 << 20) }]);
  for await (const chunk of streamZipEntry(memorySource(archive), entryOf(archive), 8 << 20)) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  const broken = Buffer.from(archive);
  broken.fill(0xff, 2 << 20, 3 << 20);
  const read = async (): Promise<number> => {
    let count = 0;
    for await (const chunk of streamZipEntry(memorySource(broken), entryOf(broken), 8 << 20)) count += chunk.length;
    return count;
  };
  await expect(read()).rejects.toThrow(refusal("ZIP_CONTENT"));
});

test("ZIP6: entries with hostile names are left out and told, names that stand twice are told", () => {
  const names = ["../a", "/etc/passwd", "a/../../b", "C:\\x", "a\u0000b", "\u202eexe.a", "a\nb", ""];
  const archive = forgeZip([...names, "good", "good"].map((name) => ({ name })));
  const { entries, faults } = readZipDirectory(memorySource(archive));
  expect(entries.map(({ name }) => name)).toEqual(["good", "good"]);
  expect(faults.map(({ code }) => code)).toEqual([...names.map(() => "ZIP_NAME"), "ZIP_CONFLICT"]);
});

const python = spawnSync("python3", ["-c", "import zipfile"]).status === 0;
test.skipIf(!python)("ZIP1: zip64 and streamed archives of another writer are read", () => {
  const folder = mkdtempSync(join(tmpdir(), "zip-"));
  try {
    const path = join(folder, "a.zip");
    const script = `
import zipfile, sys
zipfile.ZIP_FILECOUNT_LIMIT = 1
class Pipe:
    def __init__(self, f): self.f = f
    def write(self, b): return self.f.write(b)
    def flush(self): self.f.flush()
with open(sys.argv[1], "wb") as f, zipfile.ZipFile(Pipe(f), "w", zipfile.ZIP_DEFLATED) as z:
    for i in range(3):
        with z.open(f"f{i}.txt", "w", force_zip64=True) as e: e.write(b"wide" * 1000)
`;
    writeFileSync(join(folder, "a.py"), script);
    expect(spawnSync("python3", [join(folder, "a.py"), path]).status).toBe(0);
    const archive = readFileSync(path);
    expect(archive.includes("PK\x06\x06", 0, "latin1")).toBe(true);
    expect(readZipDirectory(memorySource(archive)).entries.length).toBe(3);
    expect(contentOf(archive, 2)).toBe("wide".repeat(1000));
    expect(contentOf(Buffer.concat([Buffer.from("prefix"), archive]), 1)).toBe("wide".repeat(1000));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("ZIP7: no bytes make the reader do anything but answer or refuse with a code", () => {
  const sample = forgeZip([
    { name: "a", content: letters, mode: 0o100644 },
    { name: "b/c", content: "x", stored: true, descriptor: {} },
    { name: "w", content: "yy", extra: Buffer.from("0100100002000000000000000400000000000000", "hex") },
  ]);
  const edits = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.constantFrom(0, 1, 8, 0x50, 0x7f, 0xff)), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(edits, fc.nat(30), fc.nat(3), (changes, cut, front) => {
      const bytes = Buffer.from(sample.subarray(front, sample.length - (cut > 22 ? 0 : cut)));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const attempt = (action: () => void): void => {
        try {
          action();
        } catch (error) {
          if (!(error instanceof FactoryError)) throw error;
          expect(Object.keys(zipErrors.rows)).toContain(error.code);
        }
      };
      attempt(() => {
        const { entries } = readZipDirectory(memorySource(bytes));
        for (const entry of entries) {
          attempt(() => expect(readZipEntry(memorySource(bytes), entry, limit).length).toBe(entry.size));
          attempt(() => storedSource(memorySource(bytes), entry));
        }
      });
    }),
    { numRuns: 3000 },
  );
});
