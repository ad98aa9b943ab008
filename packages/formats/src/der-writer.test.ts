import fc from "fast-check";
import { expect, test } from "vitest";
import { DerReader, derTag } from "./der-reader.ts";
import {
  boolean,
  certificateTime,
  element,
  generalizedTime,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utf8String,
} from "./der-writer.ts";

/* The reader accepts DER alone, so that what it reads back was written as DER. */

test("W1: lengths stand in the fewest octets", () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const content = new Uint8Array(length).fill(7);
    const reader = new DerReader(octetString(content));
    expect(Buffer.from(reader.contents(derTag.octetString))).toEqual(Buffer.from(content));
    reader.end();
  }
  expect(element(0x04, new Uint8Array(128)).subarray(0, 3)).toEqual(Buffer.of(0x04, 0x81, 0x80));
});

test("W1: integers are read back, in the fewest octets and never negative", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), (value) => {
      const bytes = new DerReader(integer(value)).integer();
      expect(BigInt(`0x${Buffer.from(bytes).toString("hex")}`)).toBe(value);
      expect((bytes[0] as number) < 0x80).toBe(true);
    }),
  );
  expect(integer(new Uint8Array())).toEqual(integer(0));
  expect(integer(Uint8Array.of(0, 0, 0x80))).toEqual(Buffer.of(0x02, 2, 0, 0x80));
});

test("W1: object identifiers are read back", () => {
  const arc = fc.integer({ min: 0, max: 2 ** 31 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 39 }), fc.array(arc), (a, b, rest) => {
      const dotted = [a, b, ...rest].join(".");
      expect(new DerReader(objectIdentifier(dotted)).oid()).toBe(dotted);
    }),
  );
});

test("W1: named bits drop trailing zeros", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 15 })), (bits) => {
      expect(new DerReader(namedBits(...bits)).namedBits()).toEqual(new Set(bits));
    }),
  );
  expect(namedBits(0)).toEqual(Buffer.of(0x03, 2, 7, 0x80));
  expect(namedBits(5, 6)).toEqual(Buffer.of(0x03, 2, 1, 0x06));
});

test("W1: sets are in the order of their encodings", () => {
  const [long, short, first] = [utf8String("b".repeat(3)), utf8String("c"), boolean(true)];
  expect(setOf(long, short, first)).toEqual(element(0x31, first, short, long));
});

test("W2: times are read back, whole seconds in certificates, milliseconds in stamps", () => {
  const date = fc.date({ min: new Date("1950-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(date, (at) => {
      expect(new DerReader(generalizedTime(at)).time({ fraction: true })).toBe(at.getTime());
      expect(new DerReader(certificateTime(at)).time()).toBe(Math.floor(at.getTime() / 1000) * 1000);
    }),
  );
  const text = (at: string) => generalizedTime(new Date(at)).subarray(2).toString("latin1");
  expect(text("2026-11-21T10:20:30.500Z")).toBe("20261121102030.5Z");
  expect(text("2026-11-21T10:20:30.050Z")).toBe("20261121102030.05Z");
  expect(text("2026-11-21T10:20:30.000Z")).toBe("20261121102030Z");
  expect(text("2026-11-21T10:20:00.000Z")).toBe("20261121102000Z");
});

test("W1: elements nest", () => {
  const reader = new DerReader(sequence(sequence(integer(1)), octetString(Uint8Array.of(2), Uint8Array.of(3))));
  const outer = reader.sequence();
  expect(outer.sequence().smallInteger()).toBe(1);
  expect([...outer.contents(derTag.octetString)]).toEqual([2, 3]);
  outer.end();
  reader.end();
});
