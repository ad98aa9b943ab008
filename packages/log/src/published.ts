import { readFileSync } from "node:fs";
import { join } from "node:path";
import { equalBytes, leafHash, verifyConsistency } from "@touchmark/core";
import {
  type NoteVerifier,
  openCheckpoint,
  TILE_WIDTH,
  tileWidth,
  type VerifiedCheckpoint,
} from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import type { Frontier } from "./frontier.ts";
import { proveConsistency, readEntries, readHashes, rootAt, type TreeHead } from "./reader.ts";
import type { TileSource } from "./tile-source.ts";

/** What a writer checks before it signs anything on top of what it finds on disk. */

/**
 * Reads the checkpoint published in a directory; undefined when there is none. One that is known is not verified again.
 * @throws what openCheckpoint throws
 */
export function readPublished<Known extends TreeHead & { readonly note: string }>(
  directory: string,
  log: NoteVerifier,
  known: Known | undefined,
): Known | VerifiedCheckpoint | undefined {
  let note: string;
  try {
    note = readFileSync(join(directory, "checkpoint"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return note === known?.note ? known : openCheckpoint(note, { log });
}

/** Refuses a tree that is older than one that was signed, or another of the same size. @throws LOG_ROLLED_BACK, LOG_FORKED */
export function refuseRollback(published: TreeHead | undefined, signed: TreeHead | undefined): void {
  if (signed === undefined) return;
  const size = published?.size;
  if (size === undefined || size < signed.size) {
    const found = size === undefined ? "no checkpoint" : `a checkpoint of size ${size}`;
    throw logErrors.make(
      "LOG_ROLLED_BACK",
      `expected at least the ${signed.size} entries signed before, found ${found}`,
    );
  }
  if (size === signed.size && !equalBytes(published?.root ?? new Uint8Array(), signed.root)) {
    throw logErrors.make("LOG_FORKED", `the checkpoint of size ${size} has another root than the one signed before`);
  }
}

/**
 * Reads the right edge of a published tree, and proves that tiles, entries and checkpoint agree there.
 * @throws LOG_TREE_MISMATCH, LOG_TILE_MISSING, LOG_ENTRY_ALTERED, TILE_MALFORMED, ENTRY_BUNDLE_MALFORMED
 */
export async function readFrontier(source: TileSource, head: TreeHead): Promise<Frontier> {
  const root = await rootAt(source, head, head.size);
  if (!equalBytes(root, head.root)) {
    throw logErrors.make(
      "LOG_TREE_MISMATCH",
      `the tiles do not lead to the root of the checkpoint of size ${head.size}`,
    );
  }
  const levels: Uint8Array[][] = [];
  for (let level = 0; TILE_WIDTH ** level <= head.size; level++) {
    const index = Math.floor(head.size / TILE_WIDTH ** (level + 1));
    const width = tileWidth(level, index, head.size);
    levels.push(width === 0 ? [] : await readHashes(source, { level, index, width }));
  }
  const bundle = Math.floor(head.size / TILE_WIDTH);
  const width = head.size % TILE_WIDTH;
  const entries = width === 0 ? [] : await readEntries(source, bundle, width);
  for (const [n, entry] of entries.entries()) {
    if (equalBytes(leafHash(entry), levels[0]?.[n] ?? new Uint8Array())) continue;
    const index = bundle * TILE_WIDTH + n;
    throw logErrors.make("LOG_ENTRY_ALTERED", `entry ${index} does not have the hash that the tree holds`);
  }
  return { size: head.size, levels, entries, inner: new Map() };
}

/** Refuses a tree that does not extend one signed before. @throws LOG_FORKED, LOG_TREE_MISMATCH */
export async function refuseFork(source: TileSource, published: TreeHead, signed: TreeHead | undefined): Promise<void> {
  if (signed === undefined || signed.size === 0 || signed.size === published.size) return;
  const proof = await proveConsistency(source, published, signed.size, published.size);
  if (!equalBytes(proof.fromRoot, signed.root)) {
    throw logErrors.make(
      "LOG_FORKED",
      `the checkpoint of size ${published.size} does not extend the one of size ${signed.size} signed before`,
    );
  }
  verifyConsistency(signed.size, published.size, proof.hashes, signed.root, published.root);
}
