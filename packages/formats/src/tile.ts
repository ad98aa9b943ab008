import { leafHash, nodeHash, type SubtreeReader } from "@touchmark/core";
import { noteErrors } from "./note-errors.ts";

/** Tiles and entry bundles of transparency logs (C2SP tlog-tiles). */

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Longest entry that a bundle can spell, in bytes. */
export const MAXIMUM_ENTRY_BYTES = 65_535;

/** A tile of hashes at a level from 0, or a bundle of entries. */
export interface TileCoordinate {
  readonly level: number | "entries";
  readonly index: number;
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number;
}

/** Path of a tile below the log's prefix, for example `tile/0/x001/x234/067.p/8`. @throws TILE_PATH_INVALID */
export function tilePath({ level, index, width }: TileCoordinate): string {
  const levelIsValid = level === "entries" || (Number.isInteger(level) && level >= 0 && level <= 63);
  if (!levelIsValid || !Number.isSafeInteger(index) || index < 0 || !isWidth(width)) {
    throw noteErrors.make("TILE_PATH_INVALID", `expected a tile, found level ${level} index ${index} width ${width}`);
  }
  let path = `${index % 1000}`.padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${`${rest % 1000}`.padStart(3, "0")}/${path}`;
  }
  return `tile/${level}/${path}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** Reads a path of {@link tilePath}, refusing any other spelling. @throws TILE_PATH_INVALID */
export function parseTilePath(path: string): TileCoordinate {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path);
  if (match) {
    const [, level = "", index = "", width] = match;
    const tile: TileCoordinate = {
      level: level === "entries" ? level : Number(level),
      index: Number(index.replaceAll(/[x/]/g, "")),
      width: width === undefined ? TILE_WIDTH : Number(width),
    };
    const spelled = tile.width === TILE_WIDTH && width !== undefined ? undefined : tilePathOrUndefined(tile);
    if (spelled === path) return tile;
  }
  throw noteErrors.make(
    "TILE_PATH_INVALID",
    `expected the path of a tile, found ${JSON.stringify(path.slice(0, 100))}`,
  );
}

function tilePathOrUndefined(tile: TileCoordinate): string | undefined {
  const fits =
    Number.isSafeInteger(tile.index) && isWidth(tile.width) && (tile.level === "entries" || tile.level <= 63);
  return fits ? tilePath(tile) : undefined;
}

/** Width that a tile has in a tree of `size` entries: 0 when it does not exist, 256 when it is full. */
export function tileWidth(level: number | "entries", index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** (level === "entries" ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Spells an entry bundle: each entry after its length as big-endian 16-bit integer. @throws ENTRY_TOO_LARGE */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = Buffer.allocUnsafe(entries.reduce((total, entry) => total + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    checkEntryLength(entry);
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** Refuses an entry that no bundle can hold. @throws ENTRY_TOO_LARGE */
export function checkEntryLength(entry: Uint8Array): void {
  if (entry.length > MAXIMUM_ENTRY_BYTES) {
    throw noteErrors.make(
      "ENTRY_TOO_LARGE",
      `expected at most ${MAXIMUM_ENTRY_BYTES} bytes in a log entry, found ${entry.length}`,
    );
  }
}

/** Reads a bundle of exactly `width` entries. @throws ENTRY_BUNDLE_MALFORMED naming the first entry that is missing */
export function parseEntryBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  const view = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  for (let n = 0; n < width; n++) {
    const end = at + 2 <= view.length ? at + 2 + view.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (end > view.length) {
      throw noteErrors.make(
        "ENTRY_BUNDLE_MALFORMED",
        `expected ${width} entries, found a bundle that ends within entry ${n} of it`,
      );
    }
    entries.push(view.subarray(at + 2, end));
    at = end;
  }
  if (at !== view.length) {
    throw noteErrors.make("ENTRY_BUNDLE_MALFORMED", `expected ${width} entries, found ${view.length - at} bytes more`);
  }
  return entries;
}

/** Splits a tile into its hashes. @throws TILE_MALFORMED when it is not exactly `width` hashes long */
export function parseTile(tile: Uint8Array, width: number): Uint8Array[] {
  if (tile.length !== width * 32) {
    throw noteErrors.make("TILE_MALFORMED", `expected a tile of ${width * 32} bytes, found ${tile.length}`);
  }
  return Array.from({ length: width }, (_, n) => tile.subarray(n * 32, n * 32 + 32));
}

/** Leaf hashes of a bundle's entries, in order: what its level 0 tile must hold. */
export function bundleHashes(entries: readonly Uint8Array[]): Uint8Array[] {
  return entries.map(leafHash);
}

/**
 * Reads subtree hashes of a tree of `size` entries out of its tiles; `read` gives a tile's hashes at its width.
 * `inner` keeps hashes between two tile levels; complete subtrees never change, so it may outlive the call.
 */
export function subtreesOfTiles(
  size: number,
  read: (tile: TileCoordinate) => readonly Uint8Array[],
  inner: Map<string, Uint8Array> = new Map(),
): SubtreeReader {
  const hashOf = (level: number, index: number): Uint8Array => {
    const tileLevel = Math.floor(level / 8);
    const height = level % 8;
    if (height === 0) {
      const tileIndex = Math.floor(index / TILE_WIDTH);
      const width = tileWidth(tileLevel, tileIndex, size);
      const hash = read({ level: tileLevel, index: tileIndex, width })[index % TILE_WIDTH];
      if (hash === undefined) {
        throw noteErrors.make("TILE_MALFORMED", `expected hash ${index} at level ${tileLevel} in a tree of ${size}`);
      }
      return hash;
    }
    const key = `${level}/${index}`;
    const known = inner.get(key);
    if (known) return known;
    const hash = nodeHash(hashOf(level - 1, index * 2), hashOf(level - 1, index * 2 + 1));
    inner.set(key, hash);
    return hash;
  };
  return hashOf;
}

/** Tiles that a computation over subtree hashes will read, found by running it on nothing. */
export function tilesNeeded(size: number, compute: (read: SubtreeReader) => unknown): TileCoordinate[] {
  const blank = new Uint8Array(32);
  const tiles = new Map<string, TileCoordinate>();
  compute((level, index) => {
    const tileLevel = Math.floor(level / 8);
    const tileIndex = Math.floor((index * 2 ** (level % 8)) / TILE_WIDTH);
    const tile = { level: tileLevel, index: tileIndex, width: tileWidth(tileLevel, tileIndex, size) };
    tiles.set(tilePath(tile), tile);
    return blank;
  });
  return [...tiles.values()];
}

function isWidth(width: number): boolean {
  return Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH;
}
