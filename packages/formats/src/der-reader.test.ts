import fc from "fast-check";
import { expect, test } from "vitest";
import { DerReader, derTag } from "./der-reader.ts";

const malformed = expect.objectContaining({ code: "DER_MALFORMED", nature: "refused" });
const read = (hex: string) => new DerReader(Buffer.from(hex, "hex"));

test("X1: what is not DER is refused: lengths, integers, booleans, identifiers, strings, times", () => {
  const bad: readonly (readonly [string, (reader: DerReader) => unknown])[] = [
    ["30800000", (r) => r.sequence()],
    ["308100", (r) => r.sequence()],
    ["30820001aa", (r) => r.sequence()],
    ["3003aa", (r) => r.sequence()],
    ["30", (r) => r.sequence()],
    ["3f0100", (r) => r.raw(0x3f)],
    ["0200", (r) => r.integer()],
    ["02020001", (r) => r.integer()],
    ["0202ffff", (r) => r.integer()],
    ["02050100000000", (r) => r.smallInteger()],
    ["0201ff", (r) => r.smallInteger()],
    ["010101", (r) => r.boolean()],
    ["010100", (r) => r.booleanDefaultFalse()],
    ["0600", (r) => r.oid()],
    ["06022a80", (r) => r.oid()],
    ["06032a8001", (r) => r.oid()],
    ["030101", (r) => r.bitString()],
    ["03020400", (r) => r.namedBits()],
    ["030108", (r) => r.namedBits()],
    ["1602c3a9", (r) => r.text(derTag.ia5String)],
    ["0c02c328", (r) => r.text(derTag.utf8String)],
    ["0c0100", (r) => r.text(derTag.utf8String)],
    ["170b3236303633313132303030", (r) => r.time()],
    ["170d3236303633313132303030305a", (r) => r.time()],
    ["170d3236303633303234303030305a", (r) => r.time()],
    ["0500", (r) => r.time()],
  ];
  for (const [hex, method] of bad) expect(() => method(read(hex)), hex).toThrow(malformed);
  expect(() => read("0500").end()).toThrow(malformed);
});

test("X1: what is DER is read as it is", () => {
  expect(read("06092a864886f70d010701").oid()).toBe("1.2.840.113549.1.7.1");
  expect(read("0603883703").oid()).toBe("2.999.3");
  expect([...read("03020780").namedBits()]).toEqual([0]);
  expect(read("170d3236303630313132303030305a").time()).toBe(Date.UTC(2026, 5, 1, 12));
  const fraction = Buffer.from("20260601120000.25Z");
  const stamp = Buffer.concat([Buffer.from([0x18, fraction.length]), fraction]);
  expect(new DerReader(stamp).time({ fraction: true })).toBe(Date.UTC(2026, 5, 1, 12, 0, 0, 250));
  expect(() => new DerReader(stamp).time()).toThrow(malformed);
});

test("X1: whatever the bytes, reading them ends in a value or in this error", () => {
  const walk = (reader: DerReader, depth: number): void => {
    for (let tag = reader.peek(); tag !== undefined && depth < 20; tag = reader.peek()) {
      if ((tag & 0x20) !== 0) walk(reader.open(tag), depth + 1);
      else if (tag === derTag.oid) reader.oid();
      else if (tag === derTag.integer) reader.integer();
      else reader.raw();
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        walk(new DerReader(bytes), 0);
      } catch (error) {
        expect(error).toMatchObject({ code: "DER_MALFORMED" });
      }
    }),
  );
});
