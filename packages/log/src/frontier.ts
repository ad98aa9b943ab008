import { emptyRoot, inclusionProofs, leafHash, nodeHash, rangeRoot } from "@touchmark/core";
import { encodeEntryBundle, subtreesOfTiles, TILE_WIDTH, type TileCoordinate, tilePath } from "@touchmark/formats/log";

/** The right edge of a tree: all that is needed to append to it. Never changed; appending gives another one. */
export interface Frontier {
  readonly size: number;
  /** For each level from 0, the hashes of its partial tile, fewer than 256. */
  readonly levels: readonly (readonly Uint8Array[])[];
  /** Entries of the partial bundle; as many as the hashes of level 0. */
  readonly entries: readonly Uint8Array[];
  /** Hashes between the levels of these tiles that are known already. */
  readonly inner: ReadonlyMap<string, Uint8Array>;
}

/** What appending a batch leads to. */
export interface Growth {
  readonly frontier: Frontier;
  readonly root: Uint8Array;
  /** Files to write, by path below the log's directory. None of them belongs to the tree as it was. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Tiles and bundles that became full, whose partial ones nobody needs any more. */
  readonly filled: readonly TileCoordinate[];
  /** Inclusion proof of each entry of the batch, in order. */
  readonly proofs: readonly Uint8Array[][];
}

export const emptyFrontier: Frontier = { size: 0, levels: [], entries: [], inner: new Map() };

/** Appends a batch. Pure. */
export function grow(frontier: Frontier, batch: readonly Uint8Array[]): Growth {
  const size = frontier.size + batch.length;
  const levels = frontier.levels.map((hashes) => [...hashes]);
  const files = new Map<string, Uint8Array>();
  const filled: TileCoordinate[] = [];
  const tiles = new Map<string, readonly Uint8Array[]>();
  const inner = new Map(frontier.inner);
  const read = subtreesOfTiles(
    size,
    (tile) => tiles.get(`${tile.level}/${tile.index}`) ?? levels[tile.level as number] ?? [],
    inner,
  );
  const touched = new Set<number>();
  const push = (level: number, hash: Uint8Array, position: number): void => {
    const hashes = levels[level] ?? [];
    levels[level] = hashes;
    hashes.push(hash);
    touched.add(level);
    if (hashes.length < TILE_WIDTH) return;
    const tile = { level, index: Math.floor(position / TILE_WIDTH), width: TILE_WIDTH };
    tiles.set(`${level}/${tile.index}`, hashes);
    files.set(tilePath(tile), Buffer.concat(hashes));
    filled.push(tile);
    levels[level] = [];
    const half = 8 * level + 7;
    push(level + 1, nodeHash(read(half, tile.index * 2), read(half, tile.index * 2 + 1)), tile.index);
  };
  let entries = [...frontier.entries];
  for (const [n, entry] of batch.entries()) {
    const index = frontier.size + n;
    entries.push(entry);
    push(0, leafHash(entry), index);
    if (entries.length < TILE_WIDTH) continue;
    const bundle = { level: "entries", index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH } as const;
    files.set(tilePath(bundle), encodeEntryBundle(entries));
    filled.push(bundle);
    entries = [];
  }
  for (const level of touched) {
    const hashes = levels[level] as Uint8Array[];
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    if (hashes.length > 0) files.set(tilePath({ level, index, width: hashes.length }), Buffer.concat(hashes));
  }
  if (entries.length > 0) {
    const index = Math.floor(size / TILE_WIDTH);
    files.set(tilePath({ level: "entries", index, width: entries.length }), encodeEntryBundle(entries));
  }
  const root = size === 0 ? emptyRoot : rangeRoot(0, size, read);
  const proofs = inclusionProofs(frontier.size, size, size, read);
  // Hashes within a tile that became full are of no use any more.
  const next = { size, levels, entries, inner: filled.length > 0 ? new Map<string, Uint8Array>() : inner };
  return { frontier: next, root, files, filled, proofs };
}
