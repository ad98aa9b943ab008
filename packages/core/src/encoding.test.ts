import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64, decodeHex, encodeBase64, encodeHex } from "./index.ts";

const foreign = ["A", "AA", "AAA", "AAAA=", "AA==AAAA", "AB==", "AAB=", "AA A", "AAA\n", "AA-_", "=AAA", "é=="];

test("E1: base64 has one accepted spelling, short or long", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(0, 65_536), (bytes, more) => {
      const long = Buffer.concat([Buffer.alloc(more * 3, 7), bytes]);
      expect(Buffer.compare(decodeBase64(encodeBase64(long)), long)).toBe(0);
    }),
  );
  for (const text of foreign) {
    for (const prefix of ["", "A".repeat(70_000)]) {
      expect(() => decodeBase64(prefix + text), text).toThrow(expect.objectContaining({ code: "ENCODING_INVALID" }));
    }
  }
});

test("E1: hexadecimal is lower case, in pairs", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(Buffer.compare(decodeHex(encodeHex(bytes)), bytes)).toBe(0);
    }),
  );
  for (const text of ["A0", "0", "0g", " 00"]) {
    expect(() => decodeHex(text)).toThrow(expect.objectContaining({ code: "ENCODING_INVALID" }));
  }
});
