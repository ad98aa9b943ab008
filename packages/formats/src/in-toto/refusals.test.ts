import fc from "fast-check";
import { expect, test } from "vitest";
import { demoLayout, demoLinks, signers } from "./demo.fixture.ts";
import {
  inTotoErrors,
  readClassicLayout,
  readClassicLink,
  readIteLayout,
  writeClassicLayout,
  writeClassicLink,
} from "./index.ts";

const signer = signers.ed25519;
const layoutBytes = writeClassicLayout(demoLayout([signer]), [signer]);
const dsseBytes = writeClassicLayout(demoLayout([signer]), [signer], "dsse");
const linkBytes = demoLinks().map((link) => writeClassicLink(link, [signer]))[0] ?? new Uint8Array();
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** A document with one place changed, by its text. */
const altered = (bytes: Uint8Array, from: string | RegExp, to: string): Uint8Array => {
  const made = text(bytes).replace(from, to);
  expect(made).not.toBe(text(bytes));
  return Buffer.from(made);
};

const threshold = '"threshold": 1';
test.each<readonly [string, string, Uint8Array]>([
  ["INTOTO_MALFORMED", "no JSON", Buffer.from("signed: {}")],
  ["INTOTO_MALFORMED", "a list", Buffer.from("[]")],
  ["INTOTO_MALFORMED", "a key twice", altered(layoutBytes, '"readme"', '"expires": "", "readme"')],
  ["INTOTO_MALFORMED", "a threshold of zero", altered(layoutBytes, threshold, '"threshold": 0')],
  ["INTOTO_MALFORMED", "a threshold as text", altered(layoutBytes, threshold, '"threshold": "1"')],
  ["INTOTO_MALFORMED", "a rule of no kind", altered(layoutBytes, '"DISALLOW"', '"FORBID"')],
  ["INTOTO_MALFORMED", "a rule with a word too many", altered(layoutBytes, '"DISALLOW",', '"DISALLOW","x",')],
  ["INTOTO_MALFORMED", "a MATCH without FROM", altered(layoutBytes, '"FROM"', '"OF"')],
  ["INTOTO_MALFORMED", "30 February", altered(layoutBytes, "2099-01-01", "2099-02-30")],
  ["INTOTO_MALFORMED", "a name with a slash", altered(layoutBytes, '"name": "package"', '"name": "../package"')],
  ["INTOTO_MALFORMED", "a step of another type", altered(layoutBytes, '"_type": "step"', '"_type": "inspection"')],
  ["INTOTO_MALFORMED", "a signature that is no hexadecimal", altered(layoutBytes, /"sig": "../, '"sig": "XX')],
  ["INTOTO_MALFORMED", "a payload that is no base64", altered(dsseBytes, '"payload": "', '"payload": "?')],
  ["INTOTO_UNKNOWN_FIELD", "an unknown member", altered(layoutBytes, threshold, `${threshold}, "optional": true`)],
  ["INTOTO_UNKNOWN_FIELD", "an unknown member beside it", altered(layoutBytes, '"signed"', '"also": 1, "signed"')],
  ["INTOTO_TYPE_WRONG", "a link in its place", linkBytes],
  ["INTOTO_TYPE_WRONG", "another payload", altered(dsseBytes, "application/vnd.in-toto+json", "text/plain")],
  ["INTOTO_NAME_TWICE", "a step twice", altered(layoutBytes, '"name": "package"', '"name": "clone"')],
  ["INTOTO_REFERENCE", "a key that it does not have", altered(layoutBytes, /"pubkeys": \[\s*"/, '"pubkeys": ["x')],
  ["INTOTO_REFERENCE", "a step that it does not have", altered(layoutBytes, /"FROM",\s*"clone"/, '"FROM", "fetch"')],
  ["INTOTO_NOT_CANONICAL", "a fraction", altered(layoutBytes, threshold, '"threshold": 1.5')],
  ["INTOTO_TOO_LARGE", "many levels", Buffer.from(`{"signed":${"[".repeat(200)}${"]".repeat(200)}}`)],
])("ITO3: %s, a layout with %s", (code, _, bytes) => {
  expect(() => readClassicLayout(bytes)).toThrow(expect.objectContaining({ code }));
});

test.each<readonly [string, string, Uint8Array]>([
  ["INTOTO_TYPE_WRONG", "that is a layout: no sublayout is followed", layoutBytes],
  ["INTOTO_MALFORMED", "whose name is a path", altered(linkBytes, '"name": "clone"', '"name": "../clone"')],
  ["INTOTO_MALFORMED", "with a digest that is none", altered(linkBytes, /"sha256": "../, '"sha256": "ZZ')],
  ["INTOTO_MALFORMED", "with a file without digest", altered(linkBytes, '"materials": {}', '"materials": {"a": {}}')],
  ["INTOTO_UNKNOWN_FIELD", "with an unknown member", altered(linkBytes, '"command"', '"user": "x", "command"')],
])("ITO3: %s, a link %s", (code, _, bytes) => {
  expect(() => readClassicLink(bytes)).toThrow(expect.objectContaining({ code }));
});

test("ITO3: `null` is an empty list, as the tools in Go write it", () => {
  const bytes = altered(layoutBytes, '"inspect": []', '"inspect": null');
  expect(readClassicLayout(bytes).layout.inspections).toEqual([]);
});

const codes = new Set(Object.keys(inTotoErrors.rows));
const readers = [readClassicLayout, readClassicLink, (bytes: Uint8Array) => readIteLayout(bytes, { name: "a" })];
const answers = (bytes: Uint8Array) => {
  for (const read of readers) {
    try {
      read(bytes);
    } catch (error) {
      expect(codes).toContain((error as { code?: string }).code);
    }
  }
};

test("ITO11: no bytes make the readers do anything but answer or refuse with a code of their own", () => {
  const samples = [layoutBytes, dsseBytes, linkBytes];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), answers));
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (json) => answers(Buffer.from(`{"signed":${json},"signatures":[]}`))),
  );
  const cut = fc.record({ at: fc.nat(6000), remove: fc.nat(12), insert: fc.string({ maxLength: 6 }) });
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(cut, { minLength: 1, maxLength: 4 }), (sample, cuts) => {
      let made = text(sample);
      for (const { at, remove, insert } of cuts) {
        const from = at % made.length;
        made = made.slice(0, from) + insert + made.slice(from + remove);
      }
      answers(Buffer.from(made));
    }),
    { numRuns: 400 },
  );
});
