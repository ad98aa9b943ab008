import { expect, test } from "vitest";
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  merkleRoot,
  rootFromInclusion,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from "./index.ts";

const size = 13;
const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`${i}`)));
const leaf = leaves[5] as Uint8Array;
const root = merkleRoot(leaves);
const read: SubtreeReader = (level, index) => merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
const invalid = expect.objectContaining({ code: "PROOF_INVALID" }) as Error;

test("M1: another index, size or length of the proof is refused", () => {
  const proof = inclusionProof(5, size, read);
  verifyInclusion(5, size, leaf, proof, root);
  for (const index of [0, 4, 6, 12]) expect(() => verifyInclusion(index, size, leaf, proof, root)).toThrow(invalid);
  for (const index of [13, -1]) expect(() => rootFromInclusion(index, size, leaf, proof)).toThrow(invalid);
  for (const other of [6, 8, 40]) expect(() => verifyInclusion(5, other, leaf, proof, root)).toThrow(invalid);
  expect(() => verifyInclusion(5, size, leaf, proof.slice(1), root)).toThrow(invalid);
  expect(() => verifyInclusion(5, size, leaf, [...proof, leaf], root)).toThrow(invalid);
  expect(() => verifyInclusion(5, size, leaf, [...proof].reverse(), root)).toThrow(invalid);
});

test("M2: another size or length of the proof is refused", () => {
  const proof = consistencyProof(6, size, read);
  const old = merkleRoot(leaves.slice(0, 6));
  verifyConsistency(6, size, proof, old, root);
  for (const from of [5, 7, 14]) expect(() => verifyConsistency(from, size, proof, old, root)).toThrow(invalid);
  expect(() => verifyConsistency(6, size, proof.slice(1), old, root)).toThrow(invalid);
  expect(() => verifyConsistency(6, size, [...proof, leaf], old, root)).toThrow(invalid);
  expect(() => verifyConsistency(6, size, [], old, root)).toThrow(invalid);
  expect(() => verifyConsistency(size, size, [], root, old)).toThrow(invalid);
});
