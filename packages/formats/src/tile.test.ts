import { leafHash, merkleRoot, rangeRoot } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeEntryBundle,
  parseEntryBundle,
  parseTile,
  parseTilePath,
  subtreesOfTiles,
  type TileCoordinate,
  tilePath,
  tilesNeeded,
  tileWidth,
} from "./tile.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "accepted";
};

test("L1: paths are those of the specification, and each tile has one", () => {
  expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe("tile/0/x001/x234/067");
  expect(tilePath({ level: "entries", index: 0, width: 8 })).toBe("tile/entries/000.p/8");
  fc.assert(
    fc.property(
      fc.oneof(fc.constant<"entries">("entries"), fc.integer({ min: 0, max: 63 })),
      fc.maxSafeNat(),
      fc.integer({ min: 1, max: 256 }),
      (level, index, width) => {
        expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
      },
    ),
  );
  for (const path of [
    "tile/00/000",
    "tile/64/000",
    "tile/0/0",
    "tile/0/x000/001",
    "tile/0/001/002",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p",
    "tile/0/../0/000",
    "/tile/0/000",
    "tile/0/000/",
    "tile/data/000",
  ]) {
    expect(
      codeOf(() => parseTilePath(path)),
      path,
    ).toBe("TILE_PATH_INVALID");
  }
  expect(codeOf(() => tilePath({ level: 0, index: -1, width: 1 }))).toBe("TILE_PATH_INVALID");
  expect(codeOf(() => tilePath({ level: 0, index: 0, width: 0 }))).toBe("TILE_PATH_INVALID");
});

test("L2: the tree of 70,000 entries has the tiles that the specification counts", () => {
  expect(tileWidth(0, 272, 70_000)).toBe(256);
  expect(tileWidth(0, 273, 70_000)).toBe(112);
  expect(tileWidth(1, 0, 70_000)).toBe(256);
  expect(tileWidth(1, 1, 70_000)).toBe(17);
  expect(tileWidth(2, 0, 70_000)).toBe(1);
  expect(tileWidth(0, 274, 70_000)).toBe(0);
  expect(tileWidth(0, 0, 256)).toBe(256);
  expect(tileWidth(1, 0, 256)).toBe(1);
});

test("L3: a bundle gives its entries back, and refuses to be one entry or byte longer or shorter", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (entries) => {
      const bundle = encodeEntryBundle(entries);
      expect(parseEntryBundle(bundle, entries.length).map((entry) => [...entry])).toEqual(entries.map((e) => [...e]));
      expect(codeOf(() => parseEntryBundle(bundle, entries.length + 1))).toBe("ENTRY_BUNDLE_MALFORMED");
      expect(codeOf(() => parseEntryBundle(bundle, entries.length - 1))).toBe("ENTRY_BUNDLE_MALFORMED");
      expect(codeOf(() => parseEntryBundle(bundle.subarray(0, -1), entries.length))).toBe("ENTRY_BUNDLE_MALFORMED");
    }),
  );
  expect(encodeEntryBundle([new Uint8Array(65_535)])).toHaveLength(65_537);
  expect(codeOf(() => encodeEntryBundle([new Uint8Array(65_536)]))).toBe("ENTRY_TOO_LARGE");
});

test("L4: subtree hashes read from tiles are those of the tree, and no tile is read that was not announced", () => {
  const leaves = Array.from({ length: 1000 }, (_, n) => leafHash(Buffer.from(`entry ${n}`)));
  const tile = ({ level, index, width }: TileCoordinate) => {
    const span = 256 ** (level as number);
    return Array.from({ length: width }, (_, n) => {
      const start = (index * 256 + n) * span;
      return merkleRoot(leaves.slice(start, start + span));
    });
  };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), (size) => {
      const announced = tilesNeeded(size, (read) => rangeRoot(0, size, read)).map(tilePath);
      const reader = subtreesOfTiles(size, (wanted) => {
        expect(announced).toContain(tilePath(wanted));
        return tile(wanted);
      });
      expect(rangeRoot(0, size, reader)).toEqual(merkleRoot(leaves.slice(0, size)));
    }),
    { numRuns: 30 },
  );
  expect(codeOf(() => subtreesOfTiles(5, tile)(0, 7))).toBe("TILE_MALFORMED");
  expect(parseTile(new Uint8Array(64), 2)).toHaveLength(2);
  expect(codeOf(() => parseTile(new Uint8Array(63), 2))).toBe("TILE_MALFORMED");
});
