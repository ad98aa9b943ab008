import { equalBytes, leafHash, merkleRoot, rangeRoot } from "@touchmark/core";
import {
  type NoteVerifier,
  openCheckpoint,
  parseVerifierKey,
  TILE_WIDTH,
  type TileCoordinate,
  tilePath,
  tileWidth,
} from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import { readEntries, readHashes } from "./reader.ts";
import { directorySource, type TileSource } from "./tile-source.ts";

/** What a check of a whole log read, all of it good. */
export interface FsckReport {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly entries: number;
  readonly tiles: number;
}

/**
 * Checks a whole log: every entry against its tile, every tile against those below, and all against the checkpoint.
 * Reads everything once and keeps one hash for each 256 entries. Files beyond the checkpoint are not part of the log.
 * @throws LOG_ENTRY_ALTERED, LOG_TILE_ALTERED, LOG_TILE_MISSING, TILE_MALFORMED, ENTRY_BUNDLE_MALFORMED naming the first
 *   position; LOG_TREE_MISMATCH, LOG_NOT_FOUND, and what openCheckpoint throws
 */
export async function fsckLog(
  log: string | TileSource,
  verifierKey: string | NoteVerifier,
  options: { readonly origin?: string } = {},
): Promise<FsckReport> {
  const source = typeof log === "string" ? directorySource(log) : log;
  const verifier = typeof verifierKey === "string" ? parseVerifierKey(verifierKey) : verifierKey;
  const note = await source.read("checkpoint");
  if (note === undefined) throw logErrors.make("LOG_NOT_FOUND", "expected a checkpoint, found nothing");
  const { origin, size, root } = openCheckpoint(note, { log: verifier, ...options });
  const { roots, differences } = await readBottom(source, size);
  let tiles = Math.ceil(size / TILE_WIDTH);
  const stored: (readonly Uint8Array[])[] = [];
  for (let level = 1; TILE_WIDTH ** level <= size; level++) {
    const hashes: Uint8Array[] = [];
    for (let index = 0; tileWidth(level, index, size) > 0; index++, tiles++) {
      hashes.push(...(await readHashes(source, { level, index, width: tileWidth(level, index, size) })));
    }
    stored.push(hashes);
  }
  const judged = judge(size, root, roots, stored);
  for (const { index, entry } of differences) {
    const tile: TileCoordinate = { level: 0, index, width: tileWidth(0, index, size) };
    // Entry and tile disagree; whichever the level above, or the checkpoint, knows is the good one.
    if (judged.tileIsGood(index)) {
      const bundle = tilePath({ ...tile, level: "entries" });
      const position = index * TILE_WIDTH + entry;
      throw logErrors.make("LOG_ENTRY_ALTERED", `entry ${position} (number ${entry} of ${bundle}) was altered`);
    }
    if (judged.bundleIsGood(index)) throw altered(tile, entry);
    throw logErrors.make(
      "LOG_TREE_MISMATCH",
      `${tilePath(tile)} and its entries lead to different trees, neither right`,
    );
  }
  judged.refuseAlteredLevels();
  return { origin, size, root, entries: size, tiles };
}

/** Hashes of the two ways to see the bottom of one tile: as its entries have it, and as the tile has it. */
interface Bottom {
  readonly byEntries: readonly Uint8Array[];
  readonly byTile: readonly Uint8Array[];
}

async function readBottom(source: TileSource, size: number) {
  const differences: { index: number; entry: number }[] = [];
  const full: { byEntries: Uint8Array; byTile: Uint8Array }[] = [];
  let edge: Bottom = { byEntries: [], byTile: [] };
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const width = tileWidth(0, index, size);
    const [entries, byTile] = await Promise.all([
      readEntries(source, index, width),
      readHashes(source, { level: 0, index, width }),
    ]);
    const byEntries = entries.map(leafHash);
    const entry = byEntries.findIndex((hash, n) => !equalBytes(hash, byTile[n] as Uint8Array));
    if (entry >= 0) differences.push({ index, entry });
    if (width < TILE_WIDTH) edge = { byEntries, byTile };
    else {
      const own = merkleRoot(byEntries);
      full.push({ byEntries: own, byTile: entry < 0 ? own : merkleRoot(byTile) });
    }
  }
  return { roots: { full, edge }, differences };
}

type Roots = Awaited<ReturnType<typeof readBottom>>["roots"];

function judge(size: number, root: Uint8Array, { full, edge }: Roots, stored: readonly (readonly Uint8Array[])[]) {
  const tileRoots = stored[0] ?? [];
  const edgeIndex = full.length;
  const isRoot = (tiles: readonly Uint8Array[], leaves: readonly Uint8Array[]) =>
    equalBytes(joinedRoot(tiles, leaves), root);
  const byEntries = full.map((tile) => tile.byEntries);
  const byTile = full.map((tile) => tile.byTile);
  const allSeen = [byEntries, byTile, tileRoots];
  return {
    tileIsGood: (index: number) =>
      index === edgeIndex
        ? allSeen.some((tiles) => isRoot(tiles, edge.byTile))
        : equalBytes(byTile[index] as Uint8Array, tileRoots[index] as Uint8Array),
    bundleIsGood: (index: number) =>
      index === edgeIndex
        ? allSeen.some((tiles) => isRoot(tiles, edge.byEntries))
        : equalBytes(byEntries[index] as Uint8Array, tileRoots[index] as Uint8Array),
    /** Entries and level 0 agree here: checks the levels above and the checkpoint. */
    refuseAlteredLevels() {
      let below: readonly Uint8Array[] = byTile;
      for (const [n, hashes] of stored.entries()) {
        const wrong = hashes.findIndex((hash, position) => !equalBytes(hash, below[position] as Uint8Array));
        if (wrong >= 0 && n === 0 && isRoot(tileRoots, edge.byTile)) {
          // The level above leads to the checkpoint: tile and entries were altered together.
          throw altered({ level: 0, index: wrong, width: TILE_WIDTH }, 0, " or a later one, and its entry,");
        }
        if (wrong >= 0) {
          const level = n + 1;
          const index = Math.floor(wrong / TILE_WIDTH);
          throw altered({ level, index, width: tileWidth(level, index, size) }, wrong % TILE_WIDTH);
        }
        below = Array.from({ length: Math.floor(hashes.length / TILE_WIDTH) }, (_, at) =>
          merkleRoot(hashes.slice(at * TILE_WIDTH, (at + 1) * TILE_WIDTH)),
        );
      }
      if (!isRoot(byTile, edge.byTile)) {
        const from = edgeIndex * TILE_WIDTH;
        const position = `an entry from ${from} on and its tile were altered together, or the checkpoint is of another tree`;
        throw logErrors.make("LOG_TREE_MISMATCH", `the tiles do not lead to the root of the checkpoint: ${position}`);
      }
    },
  };
}

/** Root of the whole tree, given the roots of full tiles and the leaves beyond them. */
function joinedRoot(tiles: readonly Uint8Array[], leaves: readonly Uint8Array[]): Uint8Array {
  // A full tile is a complete subtree of height 8; below that, only the right edge is read.
  const read = (level: number, index: number): Uint8Array => {
    const width = 2 ** level;
    if (level >= 8) return merkleRoot(tiles.slice((index * width) / TILE_WIDTH, ((index + 1) * width) / TILE_WIDTH));
    const start = index * width - tiles.length * TILE_WIDTH;
    return merkleRoot(leaves.slice(start, start + width));
  };
  return rangeRoot(0, tiles.length * TILE_WIDTH + leaves.length, read);
}

function altered(tile: TileCoordinate, position: number, more = "") {
  return logErrors.make("LOG_TILE_ALTERED", `hash ${position}${more} of ${tilePath(tile)} was altered`);
}
