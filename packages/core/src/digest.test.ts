import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { digestHex, isDigest, parseDigest, sha256, sha256Bytes } from "./index.ts";

const hex = "0123456789abcdef".repeat(4);

test.each([
  hex,
  `sha256:${hex.toUpperCase()}`,
  `SHA256:${hex}`,
  `sha256:${hex}0`,
  `sha256:${hex.slice(1)}`,
  `sha256:${hex}\n`,
  ` sha256:${hex}`,
  `sha512:${hex}`,
  "sha256:",
  "",
])("D1: %j is no digest", (text) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: "DIGEST_MALFORMED" }));
});

test("D1: a digest is the SHA-256 of its content, in parts or whole", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      const expected = createHash("sha256").update(a).update(b).digest("hex");
      const digest = sha256(Buffer.concat([a, b]));
      expect(parseDigest(digest)).toBe(`sha256:${expected}`);
      expect(digestHex(digest)).toBe(expected);
      expect(Buffer.from(sha256Bytes(a, b)).toString("hex")).toBe(expected);
    }),
  );
  expect(sha256("")).toBe("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
