import fc from "fast-check";
import { expect, test } from "vitest";
import {
  consistencyProof,
  inclusionProof,
  inclusionProofs,
  leafHash,
  merkleRoot,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from "./index.ts";

const leavesOf = (size: number) => Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
const readerOf =
  (leaves: Uint8Array[]): SubtreeReader =>
  (level, index) =>
    merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

test("M1: every inclusion proof leads to the root, and no other leaf does", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.nat(), (size, n) => {
      const leaves = leavesOf(size);
      const index = n % size;
      const proof = inclusionProof(index, size, readerOf(leaves));
      verifyInclusion(index, size, leaves[index] as Uint8Array, proof, merkleRoot(leaves));
      expect(() => verifyInclusion(index, size, leafHash(Buffer.from("other")), proof, merkleRoot(leaves))).toThrow();
      expect(() =>
        verifyInclusion(
          index,
          size,
          leaves[index] as Uint8Array,
          [...proof, proof[0] ?? (leaves[0] as Uint8Array)],
          merkleRoot(leaves),
        ),
      ).toThrow();
    }),
  );
});

test("M2: every consistency proof connects its two roots, and no other", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.nat(), (size, n) => {
      const leaves = leavesOf(size);
      const from = n % (size + 1);
      const proof = consistencyProof(from, size, readerOf(leaves));
      const old = merkleRoot(leaves.slice(0, from));
      verifyConsistency(from, size, proof, old, merkleRoot(leaves));
      expect(() => verifyConsistency(from, size, proof, leafHash(Buffer.from("fork")), merkleRoot(leaves))).toThrow();
    }),
  );
});

test("M1: proofs made together are the proofs made one by one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), fc.nat(), (size, a, b) => {
      const read = readerOf(leavesOf(size));
      const from = a % (size + 1);
      const to = from + (b % (size - from + 1));
      const one = Array.from({ length: to - from }, (_, n) => inclusionProof(from + n, size, read));
      expect(inclusionProofs(from, to, size, read)).toEqual(one);
    }),
  );
});
