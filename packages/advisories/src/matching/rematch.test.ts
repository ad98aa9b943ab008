import fc from "fast-check";
import { expect, test } from "vitest";
import type { Advisory } from "../advisory.ts";
import { memoryDatabase } from "./memory-database.ts";
import { rematch } from "./rematch.ts";
import { advisory, affects, at, component, critical, debian12, high, sbomOf, scanOf } from "./scene.fixture.ts";

const sbom = sbomOf(
  [
    component("npm", "a", "1.0.0"),
    component("npm", "b", "1.5.0"),
    component("npm", "c", "main"),
    component("pypi", "d", "1.0"),
    component("deb", "libe", "1.0-1", { sourcePackage: { name: "e", version: "1.0-1" } }),
    component("deb", "libf", "2.0-1"),
    component("npm", "nothing", "1.0.0"),
  ],
  { distribution: debian12 },
);

const packages = [
  ["npm", "a"],
  ["npm", "b"],
  ["npm", "c"],
  ["npm", "x"],
  ["PyPI", "d"],
  ["Debian:12", "e"],
  ["Debian:12", "libf"],
  ["Debian:11", "e"],
] as const;

const version = fc.constantFrom("0.9", "1.0", "1.2", "2.0", "3.0");
const record: fc.Arbitrary<Advisory> = fc
  .record({
    number: fc.integer({ min: 1000, max: 1006 }),
    kind: fc.constantFrom("CVE-2024-", "GHSA-", "DSA-"),
    about: fc.uniqueArray(fc.constantFrom(...packages), { minLength: 1, maxLength: 3 }),
    fixed: fc.option(version, { nil: undefined }),
    alias: fc.option(fc.integer({ min: 1000, max: 1006 }), { nil: undefined }),
    severities: fc.constantFrom([], [critical], [high]),
    withdrawn: fc.constantFrom(undefined, "2026-01-01T00:00:00Z"),
  })
  .map(({ number, kind, about, fixed, alias, severities, withdrawn }) => {
    const events = fixed === undefined ? [{ introduced: "0" }] : [{ introduced: "0" }, { fixed }];
    return advisory(
      `${kind}${number}`,
      about.map(([ecosystem, name]) => affects(ecosystem, name, events)),
      {
        severities,
        aliases: alias === undefined ? [] : [`CVE-2024-${alias}`],
        ...(withdrawn !== undefined && { withdrawn }),
      },
    );
  });
const records = fc.uniqueArray(record, { maxLength: 10, selector: ({ id }) => id });

/** Packages that any record which came, went or differs is about. */
function changes(before: readonly Advisory[], after: readonly Advisory[]) {
  const [old, young] = [new Set(before.map(({ digest }) => digest)), new Set(after.map(({ digest }) => digest))];
  const differing = [
    ...before.filter((each) => !young.has(each.digest)),
    ...after.filter((each) => !old.has(each.digest)),
  ];
  return differing.flatMap(({ affected }) => affected.map(({ ecosystem, name }) => ({ ecosystem, name })));
}

test("M14: matching what changed gives what matching everything gives", () => {
  fc.assert(
    fc.property(records, records, fc.boolean(), (before, after, isExploited) => {
      const knownExploited = { added: "2026-05-01", ransomware: false };
      const exploitations = isExploited ? { "CVE-2024-1000": { knownExploited } } : {};
      const previous = scanOf(sbom, memoryDatabase({ advisories: before }));
      const database = memoryDatabase({ advisories: after, exploitations });
      expect(rematch(previous, changes(before, after), database, { at })).toEqual(scanOf(sbom, database));
    }),
    { numRuns: 400 },
  );
});

test("M14: only components of changed packages are looked up", () => {
  const before = [
    advisory("A-1", [affects("npm", "a", [{ introduced: "0" }, { fixed: "2.0.0" }])], { severities: [high] }),
  ];
  const after = [...before, advisory("B-1", [affects("npm", "b", [{ introduced: "0" }])])];
  const previous = scanOf(sbom, memoryDatabase({ advisories: before }));
  const database = memoryDatabase({ advisories: after });
  const asked: string[] = [];
  const watched = {
    ...database,
    lookup: (ecosystem: string, name: string) => {
      asked.push(`${ecosystem} ${name}`);
      return database.lookup(ecosystem, name);
    },
  };
  const result = rematch(
    previous,
    [
      { ecosystem: "npm", name: "B" },
      { ecosystem: "npm", name: "b" },
    ],
    watched,
    { at },
  );
  expect([...new Set(asked)]).toEqual(["npm b"]);
  expect(result.findings.map(({ id }) => id)).toEqual(["B-1", "A-1"]);
});
