import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { sha256 } from "@touchmark/core";
import { linkPredicate, statementOf, subjectOf } from "@touchmark/formats/predicates";
import fc from "fast-check";
import { expect, test } from "vitest";
import { classicKey, exportClassicLink, olpcCanonicalJson } from "./index.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const publicKey = createPublicKey(privateKey);
const chain = { run: "r1", createdAt: "2026-11-21T10:00:00Z", predecessors: [] };
const link = (change: object = {}) =>
  statementOf(
    "link",
    [subjectOf("dist/app.js", sha256("app"))],
    linkPredicate({
      chain,
      step: "build",
      command: ["make", 'say "hi"'],
      materials: [{ name: "src/app.ts", digest: sha256("source") }],
      exitCode: 0,
      ...change,
    }),
  );

test("G8: a link is exported with a signature over its canonical form by the key that its id names", () => {
  const exported = exportClassicLink(link(), privateKey);
  const { signatures, signed } = JSON.parse(exported.content);
  expect(signed).toEqual({
    _type: "link",
    name: "build",
    command: ["make", 'say "hi"'],
    materials: { "src/app.ts": { sha256: sha256("source").slice(7) } },
    products: { "dist/app.js": { sha256: sha256("app").slice(7) } },
    byproducts: { "return-value": 0 },
    environment: {},
  });
  const key = classicKey(publicKey);
  expect(signatures).toHaveLength(1);
  expect(signatures[0].keyid).toBe(key.keyid);
  expect(exported.fileName).toBe(`build.${key.keyid.slice(0, 8)}.link`);
  const message = Buffer.from(olpcCanonicalJson(signed));
  expect(verify(null, message, publicKey, Buffer.from(signatures[0].sig, "hex"))).toBe(true);
  expect(Object.keys(key.keyval)).toEqual(["public"]);
});

test.each([
  ["a predicate of another type", { ...link(), predicateType: "https://slsa.dev/provenance/v1" }],
  ["a step name that is a path", link({ step: "../build" })],
  ["a fraction", link({ environment: { load: 0.5 } })],
  ["a subject without a name", { ...link(), subject: [{ digest: { sha256: "0".repeat(64) } }] }],
  ["a name twice", { ...link(), subject: [subjectOf("a", sha256("1")), subjectOf("a", sha256("2"))] }],
])("G8: %s has no classic form", (_, statement) => {
  expect(() => exportClassicLink(statement, privateKey)).toThrow(
    expect.objectContaining({ code: "CLASSIC_LINK_UNSUPPORTED" }),
  );
});

test("G8: canonical JSON has one text for one value, and sorts by code point", () => {
  expect(olpcCanonicalJson({ "\u{1f600}": 1, "\uff5e": 2, a: [null, true, 'q"\\\n'] })).toBe(
    '{"a":[null,true,"q\\"\\\\\n"],"\uff5e":2,"\u{1f600}":1}',
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      const shuffled = Object.fromEntries(Object.entries(value).reverse());
      expect(olpcCanonicalJson(shuffled)).toBe(olpcCanonicalJson(value));
    }),
  );
});
