import { isFactoryError, sha256 } from "@touchmark/core";
import { ARTIFACT, mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTrustRoot, verifyBundle } from "./index.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const expected = { artifact: sha256(ARTIFACT), identity: world.identity, issuer: world.issuer };
const bundles = [mintBundle(world).bytes, mintBundle(world, { profile: "v1" }).bytes];
const facts = bundles.map((bytes) => {
  const { statement, signer, times } = verifyBundle(bytes, trustRoot, expected);
  return { statement, signer, times };
});

/** Accepted with the very same facts, or refused: there is no third outcome. */
function judge(bytes: Uint8Array, which: number): void {
  try {
    const { statement, signer, times } = verifyBundle(bytes, trustRoot, expected);
    expect({ statement, signer, times }).toEqual(facts[which]);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    expect(error.nature).toBe("refused");
    expect(error.code).not.toBe("EVIDENCE_UNREADABLE");
  }
}

test("V3: a changed byte anywhere in the document refuses it, or changes nothing that was verified", () => {
  fc.assert(
    fc.property(fc.nat(1), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, at, flip) => {
      const bytes = Buffer.from(bundles[which] as Uint8Array);
      const index = at % bytes.length;
      bytes[index] = (bytes[index] as number) ^ flip;
      judge(bytes, which);
    }),
    { numRuns: 1500 },
  );
});

test("V3: a changed byte within any of the encoded parts does the same", () => {
  fc.assert(
    fc.property(fc.nat(1), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, part, at, flip) => {
      const text = Buffer.from(bundles[which] as Uint8Array).toString();
      const parts = [...text.matchAll(/"([A-Za-z0-9+/]{40,}={0,2})"/g)];
      const chosen = parts[part % parts.length] as RegExpMatchArray;
      const bytes = Buffer.from(chosen[1] as string, "base64");
      const index = at % bytes.length;
      bytes[index] = (bytes[index] as number) ^ flip;
      judge(Buffer.from(text.replace(chosen[1] as string, bytes.toString("base64"))), which);
    }),
    { numRuns: 1500 },
  );
});

test("V3: a document that is cut short anywhere is refused", () => {
  fc.assert(
    fc.property(fc.nat(), (at) => {
      const bytes = bundles[0] as Uint8Array;
      expect(() => verifyBundle(bytes.subarray(0, at % bytes.length), trustRoot, expected)).toThrow(
        expect.objectContaining({ nature: "refused" }),
      );
    }),
  );
});
