import { hash } from "node:crypto";
import { sha256Bytes } from "./digest.ts";
import { equalBytes } from "./encoding.ts";
import { coreErrors } from "./errors.ts";

/** SHA-256 tree hashes of RFC 6962 §2.1, as raw 32 bytes. Sizes and indices are safe integers (< 2^53). */

const LEAF = new Uint8Array([0]);
// One-shot hashing of a joined buffer is twice as fast as three updates; hashing is synchronous, so one buffer serves all.
const joined = Buffer.alloc(65, 1);

/** Hash of the empty tree (RFC 6962 §2.1). */
export const emptyRoot: Uint8Array = sha256Bytes();

/** Leaf hash of an entry: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256Bytes(LEAF, entry);
}

/** Interior hash: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  joined.set(left, 1);
  joined.set(right, 33);
  return hash("sha256", joined, "buffer");
}

/** Largest power of two strictly smaller than `size` (size ≥ 2). */
function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** Root over leaf hashes (RFC 6962 §2.1). For tests and small trees: linear time, no caching. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  const k = split(leaves.length);
  return nodeHash(merkleRoot(leaves.slice(0, k)), merkleRoot(leaves.slice(k)));
}

/** Reads the hash of the complete subtree at `level` (0: leaves) and `index`, covering [index·2^level, (index+1)·2^level). */
export type SubtreeReader = (level: number, index: number) => Uint8Array;

/** Root of the range [begin, end) by complete subtrees; `begin` is a multiple of the range's largest subtree. */
export function rangeRoot(begin: number, end: number, read: SubtreeReader): Uint8Array {
  const size = end - begin;
  if (size === 0) return emptyRoot;
  let width = 1;
  let level = 0;
  while (width * 2 <= size) {
    width *= 2;
    level++;
  }
  const left = read(level, begin / width);
  return width === size ? left : nodeHash(left, rangeRoot(begin + width, end, read));
}

/** Inclusion proof of leaf `index` in a tree of `size` (RFC 6962 §2.1.1), leaf to root. */
export function inclusionProof(index: number, size: number, read: SubtreeReader): Uint8Array[] {
  const path: Uint8Array[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + split(end - begin);
    if (index < middle) {
      path.push(rangeRoot(middle, end, read));
      end = middle;
    } else {
      path.push(rangeRoot(begin, middle, read));
      begin = middle;
    }
  }
  return path.reverse();
}

/**
 * Inclusion proofs of the leaves [from, to) in a tree of `size`: as {@link inclusionProof} gives them one by one, but
 * each shared hash is computed once.
 */
export function inclusionProofs(from: number, to: number, size: number, read: SubtreeReader): Uint8Array[][] {
  const proofs: Uint8Array[][] = Array.from({ length: to - from }, () => []);
  const descend = (begin: number, end: number): void => {
    if (end - begin <= 1) return;
    const middle = begin + split(end - begin);
    if (from < middle && begin < to) {
      descend(begin, middle);
      const right = rangeRoot(middle, end, read);
      for (let n = Math.max(from, begin); n < Math.min(to, middle); n++) proofs[n - from]?.push(right);
    }
    if (middle < to && from < end) {
      descend(middle, end);
      const left = rangeRoot(begin, middle, read);
      for (let n = Math.max(from, middle); n < Math.min(to, end); n++) proofs[n - from]?.push(left);
    }
  };
  if (from < to) descend(0, size);
  return proofs;
}

/** Consistency proof between trees of `from` and `to` leaves (RFC 6962 §2.1.2); empty when from is 0 or equal to `to`. */
export function consistencyProof(from: number, to: number, read: SubtreeReader): Uint8Array[] {
  if (from === 0 || from === to) return [];
  const path: Uint8Array[] = [];
  let begin = 0;
  let end = to;
  let complete = true;
  while (from !== end) {
    const middle = begin + split(end - begin);
    if (from <= middle) {
      path.push(rangeRoot(middle, end, read));
      end = middle;
    } else {
      path.push(rangeRoot(begin, middle, read));
      begin = middle;
      complete = false;
    }
  }
  if (!complete) path.push(rangeRoot(begin, end, read));
  return path.reverse();
}

/** Root that an inclusion proof leads to (RFC 9162 §2.1.3.2). @throws PROOF_INVALID when the proof has the wrong length. */
export function rootFromInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw coreErrors.make("PROOF_INVALID", `expected an index below the tree size ${size}, found ${index}`);
  }
  let fn = index;
  let sn = size - 1;
  let root = leaf;
  for (const hash of proof) {
    if (sn === 0) throw coreErrors.make("PROOF_INVALID", "the inclusion proof is longer than the tree is high");
    if (fn % 2 === 1 || fn === sn) {
      root = nodeHash(hash, root);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      root = nodeHash(root, hash);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw coreErrors.make("PROOF_INVALID", "the inclusion proof is shorter than the tree is high");
  return root;
}

/** Checks an inclusion proof against a root. @throws PROOF_INVALID */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!equalBytes(rootFromInclusion(index, size, leaf, proof), root)) {
    throw coreErrors.make(
      "PROOF_INVALID",
      `the inclusion proof of entry ${index} does not lead to the root of size ${size}`,
    );
  }
}

/** Checks a consistency proof between two roots (RFC 9162 §2.1.4.2). @throws PROOF_INVALID */
export function verifyConsistency(
  from: number,
  to: number,
  proof: readonly Uint8Array[],
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): void {
  const fail = (why: string) => coreErrors.make("PROOF_INVALID", `the consistency proof from ${from} to ${to} ${why}`);
  if (from > to || from < 0) throw fail("goes backwards");
  if (from === 0 || from === to) {
    if (proof.length > 0) throw fail("should be empty");
    const expected = from === 0 ? emptyRoot : toRoot;
    if (!equalBytes(fromRoot, expected)) throw fail("starts at another root");
    return;
  }
  let fn = from - 1;
  let sn = to - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  const path = fn === 0 ? [fromRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) throw fail("is empty");
  let fr = first;
  let sr = first;
  for (const hash of path) {
    if (sn === 0) throw fail("is too long");
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(hash, fr);
      sr = nodeHash(hash, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      sr = nodeHash(sr, hash);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw fail("is too short");
  if (!equalBytes(fr, fromRoot)) throw fail("does not lead to the old root");
  if (!equalBytes(sr, toRoot)) throw fail("does not lead to the new root");
}
