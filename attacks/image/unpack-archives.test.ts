import { gzipSync, zstdCompressSync } from "node:zlib";
import { mediaTypes } from "@touchmark/formats/oci";
import { type ForgedTarEntry, forgeTar, paxBody } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { type ForgedLayer, unpackForged } from "./scene.ts";

const file = (name: string, content: string | Uint8Array = "evil"): ForgedTarEntry => ({ name, content });
const pax = (...records: [string, string][]): ForgedTarEntry[] => [{ ...file("a"), pax: records }];
const global = (...records: [string, string][]): ForgedTarEntry[] => [
  { name: "g", type: "g", content: paxBody(records) },
  file("a"),
];
const gnu = { magic: "ustar  \0" } as const;
const good = forgeTar([file("a", "good")]);
const numbers = (...pairs: number[]) => Buffer.from(pairs.map((n) => `${n.toString(8).padStart(11, "0")}\0`).join(""));
const map = (text: string, rest = 0) => Buffer.concat([Buffer.from(text.padEnd(512, "\0")), Buffer.alloc(rest, 1)]);
const sparse1 = (content: Uint8Array, realSize: string): ForgedTarEntry[] => [
  {
    ...file("a", content),
    pax: [
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.realsize", realSize],
      ["GNU.sparse.name", "a"],
    ],
  },
];
const oldSparse = (size: number, map: Buffer, realSize: number, content = "evil"): ForgedTarEntry[] => [
  {
    ...file("a", content),
    ...gnu,
    type: "S",
    size,
    raw: [
      [386, map],
      [483, numbers(realSize)],
    ],
  },
];
const gzip = (archive: Uint8Array, packed: Uint8Array): ForgedLayer => ({ archive, packed });
const zstd = (archive: Uint8Array, packed: Uint8Array): ForgedLayer => ({
  archive,
  packed,
  mediaType: mediaTypes.layerZstd,
});
const plain = (archive: Uint8Array): ForgedLayer => ({ archive, packed: archive, mediaType: mediaTypes.layer });
const flipped = (bytes: Uint8Array, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
const window = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 1, 0, 0]);

const attacks: readonly (readonly [string, string, ForgedLayer])[] = [
  ["a header with a flipped bit", "UNPACK_HEADER_CHECKSUM", plain(flipped(good, 3))],
  ["an archive of another format", "UNPACK_HEADER_CHECKSUM", plain(Buffer.from("PK\u0003\u0004".padEnd(1024, "x")))],
  ["an unknown magic", "UNPACK_HEADER_BAD", [{ ...file("a"), raw: [[257, "posix\x0000"]] }]],
  ["a size that is not octal", "UNPACK_HEADER_BAD", [{ ...file("a"), raw: [[124, "00000000009\0"]] }]],
  [
    "a size beyond all bounds",
    "UNPACK_HEADER_BAD",
    [{ ...file("a"), raw: [[124, Buffer.from("80ffffffffffffffffffffff", "hex")]] }],
  ],
  [
    "a pax record with a wrong length",
    "UNPACK_HEADER_BAD",
    [{ name: "x", type: "x", content: "99 path=a\n" }, file("a")],
  ],
  ["a pax record without a value", "UNPACK_HEADER_BAD", [{ name: "x", type: "x", content: "7 path\n" }, file("a")]],
  ["a pax size in another base", "UNPACK_HEADER_BAD", pax(["size", "0x4"])],
  ["a pax time that is none", "UNPACK_HEADER_BAD", pax(["mtime", "yesterday"])],
  ["a negative size in base 256", "UNPACK_NUMBER_NEGATIVE", [{ ...file("a"), raw: [[124, Buffer.alloc(12, 0xff)]] }]],
  ["a negative size in octal", "UNPACK_NUMBER_NEGATIVE", [{ ...file("a"), raw: [[124, "-0000000004\0"]] }]],
  ["a negative size in pax", "UNPACK_NUMBER_NEGATIVE", pax(["size", "-4"])],
  ["a negative owner in base 256", "UNPACK_NUMBER_NEGATIVE", [{ ...file("a"), raw: [[108, Buffer.alloc(8, 0xff)]] }]],
  ["two sizes", "UNPACK_HEADER_CONFLICT", pax(["size", "512"])],
  ["a size for those who know pax alone", "UNPACK_HEADER_CONFLICT", [{ ...file("a", ""), pax: [["size", "512"]] }]],
  ["a pax record twice", "UNPACK_HEADER_CONFLICT", pax(["path", "a"], ["path", "b"])],
  ["a character set of its own", "UNPACK_HEADER_CONFLICT", pax(["hdrcharset", "BINARY"])],
  [
    "two pax headers in a row",
    "UNPACK_HEADER_CONFLICT",
    [{ name: "x", type: "x", content: paxBody([["path", "b"]]) }, ...pax(["path", "c"])],
  ],
  [
    "a chain of GNU long names",
    "UNPACK_HEADER_CONFLICT",
    [
      { name: "L", type: "L", content: "b\0" },
      { ...file("a"), longName: "c" },
    ],
  ],
  [
    "a chain of GNU long links",
    "UNPACK_HEADER_CONFLICT",
    [
      { name: "K", type: "K", content: "b\0" },
      { name: "K", type: "K", content: "c\0" },
      { name: "a", type: "2", target: "d" },
    ],
  ],
  ["a pax path and a GNU long name", "UNPACK_HEADER_CONFLICT", [{ ...file("a"), pax: [["path", "b"]], longName: "c" }]],
  [
    "a pax link and a GNU long link",
    "UNPACK_HEADER_CONFLICT",
    [
      { name: "K", type: "K", content: "b\0" },
      { name: "a", type: "2", target: "d", pax: [["linkpath", "c"]] },
    ],
  ],
  ["a global path", "UNPACK_HEADER_CONFLICT", global(["path", "b"])],
  ["a global size", "UNPACK_HEADER_CONFLICT", global(["size", "0"])],
  ["global attributes", "UNPACK_HEADER_CONFLICT", global(["SCHILY.xattr.security.capability", "x"])],
  ["a directory with content", "UNPACK_HEADER_CONFLICT", [{ name: "a/", type: "5", content: "evil" }]],
  ["a link with content", "UNPACK_HEADER_CONFLICT", [{ name: "a", type: "2", target: "b", content: "evil" }]],
  ["a prefix in a dialect without one", "UNPACK_HEADER_CONFLICT", [{ ...file("a"), ...gnu, raw: [[400, "../evil"]] }]],
  [
    "two maps of a sparse file",
    "UNPACK_HEADER_CONFLICT",
    pax(["GNU.sparse.size", "4"], ["GNU.sparse.offset", "0"], ["GNU.sparse.numbytes", "4"], ["GNU.sparse.map", "0,4"]),
  ],
  [
    "a sparse link",
    "UNPACK_HEADER_CONFLICT",
    [
      {
        name: "a",
        type: "2",
        target: "b",
        pax: [
          ["GNU.sparse.size", "4"],
          ["GNU.sparse.map", ""],
        ],
      },
    ],
  ],
  ["an entry of an unknown type", "UNPACK_ENTRY_KIND", [{ name: "a", type: "V" }]],
  ["a volume that goes on elsewhere", "UNPACK_ENTRY_KIND", [{ ...file("a"), type: "M" }]],
  ["a pax header of many bytes", "UNPACK_HEADER_TOO_LARGE", [{ name: "x", type: "x", content: "", size: 2 ** 21 }]],
  ["a GNU long name of many bytes", "UNPACK_HEADER_TOO_LARGE", [{ name: "L", type: "L", content: "", size: 2 ** 30 }]],
  ["pieces that overlap", "UNPACK_SPARSE_INVALID", oldSparse(4, numbers(0, 3, 2, 1), 100)],
  ["a piece beyond the file", "UNPACK_SPARSE_INVALID", oldSparse(4, numbers(98, 4), 100)],
  ["pieces of more bytes than there are", "UNPACK_SPARSE_INVALID", oldSparse(4, numbers(0, 8), 100)],
  ["pieces in pax without a size", "UNPACK_SPARSE_INVALID", pax(["GNU.sparse.map", "0,4"])],
  ["half a piece", "UNPACK_SPARSE_INVALID", pax(["GNU.sparse.size", "4"], ["GNU.sparse.map", "0,4,8"])],
  [
    "lengths before offsets",
    "UNPACK_SPARSE_INVALID",
    pax(["GNU.sparse.size", "4"], ["GNU.sparse.numbytes", "4"], ["GNU.sparse.offset", "0"]),
  ],
  [
    "fewer pieces than announced",
    "UNPACK_SPARSE_INVALID",
    pax(["GNU.sparse.size", "4"], ["GNU.sparse.numblocks", "2"], ["GNU.sparse.map", "0,4"]),
  ],
  [
    "a sparse format of the future",
    "UNPACK_SPARSE_INVALID",
    pax(["GNU.sparse.major", "2"], ["GNU.sparse.realsize", "4"]),
  ],
  ["a map of letters", "UNPACK_SPARSE_INVALID", sparse1(map("1\n0\nabc\n", 4), "4")],
  ["a map of millions", "UNPACK_SPARSE_INVALID", sparse1(map("99999999\n", 4), "4")],
  ["a map with something behind it", "UNPACK_SPARSE_INVALID", sparse1(map("1\n0\n4\nevil", 4), "4")],
  ["a map without an end", "UNPACK_SPARSE_INVALID", sparse1(map("1\n0\n"), "4")],
  ["a sparse file without a map", "UNPACK_SPARSE_INVALID", sparse1(Buffer.alloc(0), "4")],
  ["a sparse file of exabytes", "UNPACK_FILE_TOO_LARGE", sparse1(map("1\n0\n4\n", 4), "999999999999999")],
  [
    "a file of terabytes",
    "UNPACK_FILE_TOO_LARGE",
    [{ ...file("a"), raw: [[124, Buffer.from("800000000000010000000000", "hex")]] }],
  ],
  ["an archive cut in a header", "UNPACK_TRUNCATED", plain(good.subarray(0, 300))],
  ["an archive cut in a file", "UNPACK_TRUNCATED", plain(good.subarray(0, 514))],
  [
    "a pax header and nothing behind it",
    "UNPACK_TRUNCATED",
    [{ name: "x", type: "x", content: paxBody([["path", "b"]]) }],
  ],
  ["a cut gzip", "UNPACK_TRUNCATED", gzip(good, gzipSync(good).subarray(0, -4))],
  ["a cut second member", "UNPACK_TRUNCATED", gzip(good, Buffer.concat([gzipSync(good), gzipSync("").subarray(0, 5)]))],
  ["a cut zstd", "UNPACK_TRUNCATED", zstd(good, zstdCompressSync(good).subarray(0, -4))],
  ["an empty gzip", "UNPACK_TRUNCATED", gzip(good, Buffer.from([0x1f]))],
  ["bytes behind the archive", "UNPACK_TRAILING_BYTES", plain(Buffer.concat([good, Buffer.from("evil".padEnd(512))]))],
  ["a second archive behind the end", "UNPACK_TRAILING_BYTES", plain(Buffer.concat([good, good]))],
  ["an entry behind one zero record", "UNPACK_TRAILING_BYTES", plain(Buffer.concat([good.subarray(0, -512), good]))],
  ["bytes behind a gzip", "UNPACK_TRAILING_BYTES", gzip(good, Buffer.concat([gzipSync(good), Buffer.from("evil")]))],
  ["zeros behind a gzip", "UNPACK_TRAILING_BYTES", gzip(good, Buffer.concat([gzipSync(good), Buffer.alloc(16)]))],
  [
    "a member behind zeros behind a gzip",
    "UNPACK_TRAILING_BYTES",
    gzip(good, Buffer.concat([gzipSync(good), Buffer.alloc(16), gzipSync("evil")])),
  ],
  [
    "bytes behind a zstd frame",
    "UNPACK_TRAILING_BYTES",
    zstd(good, Buffer.concat([zstdCompressSync(good), Buffer.from("evil")])),
  ],
  [
    "an archive in a second frame",
    "UNPACK_TRAILING_BYTES",
    zstd(good, Buffer.concat([zstdCompressSync(good), zstdCompressSync(good)])),
  ],
  ["a damaged gzip", "UNPACK_COMPRESSION_INVALID", gzip(good, flipped(gzipSync(good), 20))],
  [
    "a gzip with a wrong checksum",
    "UNPACK_COMPRESSION_INVALID",
    gzip(good, flipped(gzipSync(good), gzipSync(good).length - 6)),
  ],
  ["a damaged zstd", "UNPACK_COMPRESSION_INVALID", zstd(good, Buffer.from("28b52ffd2004270000deadbeef", "hex"))],
  [
    "a zstd with a dictionary",
    "UNPACK_COMPRESSION_INVALID",
    zstd(good, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x01, 0, 7, 1, 0, 0])),
  ],
  [
    "a zstd with a reserved bit",
    "UNPACK_COMPRESSION_INVALID",
    zstd(good, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x08, 0, 1, 0, 0])),
  ],
  ["a zstd that demands a gigabyte of memory", "UNPACK_COMPRESSION_INVALID", zstd(good, window)],
  ["gzip under the type of zstd", "UNPACK_COMPRESSION_MISMATCH", zstd(good, gzipSync(good))],
  ["zstd under the type of gzip", "UNPACK_COMPRESSION_MISMATCH", gzip(good, zstdCompressSync(good))],
  ["gzip under the type of a plain archive", "UNPACK_COMPRESSION_MISMATCH", plain(gzipSync(good))],
  ["a plain archive under the type of gzip", "UNPACK_COMPRESSION_MISMATCH", gzip(good, good)],
];

test.each(attacks)("X2: %s is refused", async (_name, code, layer) => {
  expect(await unpackForged([layer])).toMatchObject({ code, isContained: true });
});

test.each<[string, string, Record<string, number>, ForgedLayer]>([
  [
    "more entries than the limit",
    "UNPACK_TOO_MANY_ENTRIES",
    { entries: 3 },
    ["a", "b", "c", "d"].map((name) => file(name)),
  ],
  [
    "headers without entries",
    "UNPACK_TOO_MANY_ENTRIES",
    { entries: 3 },
    ["1", "2", "3", "4"].map((name) => ({ name, type: "g", content: paxBody([["comment", name]]) })),
  ],
  ["more bytes than the limit", "UNPACK_TOO_LARGE", { bytes: 4096 }, [file("a", Buffer.alloc(8192))]],
  ["holes of more bytes than the limit", "UNPACK_TOO_LARGE", { bytes: 8192 }, sparse1(map("1\n0\n4\n", 4), "9000")],
  ["a larger file than the limit", "UNPACK_FILE_TOO_LARGE", { fileBytes: 4096 }, [file("a", Buffer.alloc(8192))]],
  ["a bomb", "UNPACK_RATIO", { ratioFloor: 65536, ratio: 100 }, [file("a", Buffer.alloc(2 ** 20))]],
  [
    "a bomb of zeros behind the archive",
    "UNPACK_RATIO",
    { ratioFloor: 65536, ratio: 100 },
    { archive: forgeTar([], Buffer.alloc(2 ** 20)) },
  ],
  [
    "more pieces of a file than the limit",
    "UNPACK_SPARSE_INVALID",
    { sparsePieces: 1 },
    sparse1(map("2\n0\n2\n9\n2\n", 4), "11"),
  ],
  ["a longer path than the limit", "UNPACK_PATH_TOO_LONG", { pathBytes: 16 }, [file("a".repeat(17))]],
  ["a deeper path than the limit", "UNPACK_PATH_TOO_DEEP", { depth: 2 }, [file("a/b/c")]],
])("X4: %s: refused before it costs", async (_name, code, limits, layer) => {
  expect(await unpackForged([layer], { limits })).toMatchObject({ code, isContained: true });
});

test.each<[string, string, "setuid" | "special" | "xattrs", ForgedTarEntry]>([
  ["a setuid program", "UNPACK_SETUID", "setuid", { ...file("a"), mode: 0o4755 }],
  ["a setgid directory", "UNPACK_SETUID", "setuid", { name: "a/", type: "5", mode: 0o2775 }],
  ["a character device", "UNPACK_DEVICE", "special", { name: "a", type: "3" }],
  ["a block device", "UNPACK_DEVICE", "special", { name: "a", type: "4" }],
  ["a FIFO", "UNPACK_DEVICE", "special", { name: "a", type: "6" }],
  [
    "a file capability",
    "UNPACK_XATTR",
    "xattrs",
    { ...file("a"), pax: [["SCHILY.xattr.security.capability", "\u0001"]] },
  ],
  ["an access list", "UNPACK_XATTR", "xattrs", { ...file("a"), pax: [["SCHILY.acl.access", "user:0:rwx"]] }],
])("X7: %s is left out and listed, or refused where asked", async (_name, code, what, entry) => {
  expect(await unpackForged([[entry]], { [what]: "refuse" })).toMatchObject({ code, isContained: true });
  const { report, isContained } = await unpackForged([[entry]]);
  expect(isContained).toBe(true);
  expect(report?.losses[what]).toMatchObject([{ path: "a" }]);
});
