import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { linkPredicate, statementOf, subjectOf } from "../predicates/index.ts";
import { signers } from "./demo.fixture.ts";
import { classicFromLink, classicSigners, readClassicLink, writeClassicLink } from "./index.ts";

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

test("ITO7: a link of ours becomes a classic one, signed over its canonical form", () => {
  const classic = classicFromLink(link());
  expect(classic).toEqual({
    name: "build",
    command: ["make", 'say "hi"'],
    materials: { "src/app.ts": { sha256: sha256("source").slice(7) } },
    products: { "dist/app.js": { sha256: sha256("app").slice(7) } },
    byproducts: { "return-value": 0 },
    environment: {},
  });
  const read = readClassicLink(writeClassicLink(classic, [signers.ed25519]));
  expect(read.link).toEqual(classic);
  expect(classicSigners(read.envelope, [signers.ed25519.key])).toEqual([signers.ed25519.key]);
});

test.each([
  ["a predicate of another type", { ...link(), predicateType: "https://slsa.dev/provenance/v1" }],
  ["a step name that is a path", link({ step: "../build" })],
  ["a subject without a name", { ...link(), subject: [{ digest: { sha256: "0".repeat(64) } }] }],
  ["a name twice", { ...link(), subject: [subjectOf("a", sha256("1")), subjectOf("a", sha256("2"))] }],
])("ITO7: %s has no classic form", (_, statement) => {
  expect(() => classicFromLink(statement)).toThrow(expect.objectContaining({ code: "INTOTO_NOT_REPRESENTABLE" }));
});

test("ITO2: a fraction in a link has no classic form", () => {
  const fraction = classicFromLink(link({ environment: { load: 0.5 } }));
  expect(() => writeClassicLink(fraction, [signers.ed25519])).toThrow(
    expect.objectContaining({ code: "INTOTO_NOT_CANONICAL" }),
  );
});
