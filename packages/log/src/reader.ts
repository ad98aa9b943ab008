import {
  consistencyProof,
  equalBytes,
  inclusionProof,
  isFactoryError,
  leafHash,
  rangeRoot,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from "@touchmark/core";
import {
  noteErrors,
  parseEntryBundle,
  parseTile,
  subtreesOfTiles,
  TILE_WIDTH,
  type TileCoordinate,
  tilePath,
  tilesNeeded,
  tileWidth,
} from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import type { TileSource } from "./tile-source.ts";

/** Size and root of a tree: what a verified checkpoint states. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** An inclusion proof and the tree that it leads to. */
export interface LogProof {
  readonly index: number;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly hashes: Uint8Array[];
}

/**
 * Reads the bytes of a tile of a tree, or of a larger one: a partial tile may have been replaced by the full one.
 * @throws LOG_TILE_MISSING
 */
export async function readTile(
  source: TileSource,
  tile: TileCoordinate,
): Promise<{ bytes: Uint8Array; full: boolean }> {
  const exact = await source.read(tilePath(tile));
  if (exact) return { bytes: exact, full: tile.width === TILE_WIDTH };
  const full = tile.width < TILE_WIDTH ? await source.read(tilePath({ ...tile, width: TILE_WIDTH })) : undefined;
  if (full) return { bytes: full, full: true };
  throw logErrors.make("LOG_TILE_MISSING", `expected ${tilePath(tile)}, found nothing`);
}

/** Reads the hashes of a tile. @throws LOG_TILE_MISSING, TILE_MALFORMED naming the tile */
export async function readHashes(source: TileSource, tile: TileCoordinate): Promise<Uint8Array[]> {
  const { bytes, full } = await readTile(source, tile);
  try {
    return parseTile(bytes, full ? TILE_WIDTH : tile.width).slice(0, tile.width);
  } catch (cause) {
    throw noteErrors.make("TILE_MALFORMED", `${tilePath(tile)}: ${(cause as Error).message}`, { cause });
  }
}

/** Reads the entries of a bundle. @throws LOG_TILE_MISSING, ENTRY_BUNDLE_MALFORMED naming the bundle and its first entry */
export async function readEntries(source: TileSource, index: number, width: number): Promise<Uint8Array[]> {
  const tile: TileCoordinate = { level: "entries", index, width };
  const { bytes, full } = await readTile(source, tile);
  try {
    return parseEntryBundle(bytes, full ? TILE_WIDTH : width).slice(0, width);
  } catch (cause) {
    const position = `${tilePath(tile)}, entries from ${index * TILE_WIDTH}`;
    throw noteErrors.make("ENTRY_BUNDLE_MALFORMED", `${position}: ${(cause as Error).message}`, { cause });
  }
}

/** Fetches the tiles that a computation needs, in parallel, and runs it on them. */
export async function withTiles<Result>(
  source: TileSource,
  size: number,
  compute: (read: SubtreeReader) => Result,
): Promise<Result> {
  const tiles = new Map<string, Uint8Array[]>();
  const fetches = tilesNeeded(size, compute).map(async (tile) =>
    tiles.set(tilePath(tile), await readHashes(source, tile)),
  );
  await Promise.all(fetches);
  return compute(subtreesOfTiles(size, (tile) => tiles.get(tilePath(tile)) ?? []));
}

/** Root of the first `size` entries, as the tiles of a tree of `head` entries have it. */
export async function rootAt(source: TileSource, head: TreeHead, size: number): Promise<Uint8Array> {
  return withTiles(source, head.size, (read) => rangeRoot(0, size, read));
}

/**
 * Proof that the tree of `to` entries extends that of `from`, and both roots. With `to` the size of the head, the proof
 * is checked against it, so that damaged tiles are never passed on.
 * @throws LOG_INDEX_OUT_OF_RANGE, LOG_TREE_MISMATCH, LOG_TILE_MISSING
 */
export async function proveConsistency(
  source: TileSource,
  head: TreeHead,
  from: number,
  to: number,
): Promise<{ hashes: Uint8Array[]; fromRoot: Uint8Array; toRoot: Uint8Array }> {
  checkRange(from, 0, to + 1);
  checkRange(to, 0, head.size + 1);
  const proof = (a: number, b: number) => withTiles(source, head.size, (read) => consistencyProof(a, b, read));
  const fromRoot = await rootAt(source, head, from);
  const toRoot = to === head.size ? head.root : await rootAt(source, head, to);
  const hashes = await proof(from, to);
  checked(() => verifyConsistency(from, to, hashes, fromRoot, toRoot));
  if (to !== head.size) {
    const rest = await proof(to, head.size);
    checked(() => verifyConsistency(to, head.size, rest, toRoot, head.root));
  }
  return { hashes, fromRoot, toRoot };
}

/**
 * Proves an entry within the tree of the head, or within its first `size` entries, and checks the proof.
 * @throws LOG_INDEX_OUT_OF_RANGE, LOG_TREE_MISMATCH, LOG_TILE_MISSING
 */
export async function proveInclusion(
  source: TileSource,
  head: TreeHead,
  index: number,
  size = head.size,
): Promise<LogProof> {
  checkRange(size, 1, head.size + 1);
  checkRange(index, 0, size);
  const rootHash = size === head.size ? head.root : (await proveConsistency(source, head, size, head.size)).fromRoot;
  const { hashes, leaf } = await withTiles(source, head.size, (read) => ({
    hashes: inclusionProof(index, size, read),
    leaf: read(0, index),
  }));
  checked(() => verifyInclusion(index, size, leaf, hashes, rootHash));
  return { index, treeSize: size, rootHash, hashes };
}

/**
 * Reads an entry, checked against the tree of the head.
 * @throws LOG_INDEX_OUT_OF_RANGE, LOG_ENTRY_ALTERED, LOG_TREE_MISMATCH, LOG_TILE_MISSING, ENTRY_BUNDLE_MALFORMED
 */
export async function readEntry(source: TileSource, head: TreeHead, index: number): Promise<Uint8Array> {
  checkRange(index, 0, head.size);
  const bundle = Math.floor(index / TILE_WIDTH);
  const [entries, { leaf }] = await Promise.all([
    readEntries(source, bundle, tileWidth("entries", bundle, head.size)),
    proveInclusion(source, head, index).then(() => withTiles(source, head.size, (read) => ({ leaf: read(0, index) }))),
  ]);
  const entry = entries[index % TILE_WIDTH] as Uint8Array;
  if (!equalBytes(leafHash(entry), leaf)) {
    throw logErrors.make("LOG_ENTRY_ALTERED", `entry ${index} does not have the hash that the tree holds`);
  }
  return entry;
}

function checkRange(value: number, from: number, to: number): void {
  if (Number.isSafeInteger(value) && value >= from && value < to) return;
  throw logErrors.make("LOG_INDEX_OUT_OF_RANGE", `expected an index or size from ${from} below ${to}, found ${value}`);
}

/** A proof made of tiles that fails says that the tiles are not those of the checkpoint. */
function checked(verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    if (!isFactoryError(cause) || cause.code !== "PROOF_INVALID") throw cause;
    throw logErrors.make("LOG_TREE_MISMATCH", "the tiles do not lead to the root of the checkpoint", { cause });
  }
}
