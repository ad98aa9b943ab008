import { sha256 } from "@touchmark/core";
import { ARTIFACT, mintBundle, naiveVerify, trustedRootBytes } from "@touchmark/test-kit/mint";
import { type Expectations, isVerified, readTrustRoot, verifyEvidence } from "@touchmark/verify";
import { describe, expect, test } from "vitest";
import { corpus, world } from "./corpus.ts";

const base: Expectations = {
  artifact: sha256(ARTIFACT),
  identity: world.identity,
  issuer: world.issuer,
  now: world.at,
};

describe("altered bundles", () => {
  test("V1: the bundle that all the others are altered from is accepted", () => {
    const { bytes } = mintBundle(world);
    expect(isVerified(verifyEvidence(bytes, readTrustRoot(trustedRootBytes(world)), base))).toBe(true);
  });

  test.each(corpus.map((each) => [`${each.rule}: ${each.code}: ${each.name}`, each] as const))("%s", (_, each) => {
    const { bundle, root, expectations, key } = each.make(world);
    const careless = naiveVerify(bundle.bytes, {
      signature: each.careless === "signature",
      artifact: ARTIFACT,
      ...(key === undefined ? {} : { key }),
    });
    expect(careless.accepted).toBe(true);
    const trustRoot = readTrustRoot(trustedRootBytes(world, root));
    expect(() => verifyEvidence(bundle.bytes, trustRoot, { ...base, ...expectations })).toThrow(
      expect.objectContaining({ code: each.code, nature: "refused" }),
    );
  });
});
