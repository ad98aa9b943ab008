import type { Component, Sbom } from "@touchmark/formats/sbom";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareSboms, isSameSbom } from "./compare.ts";
import { mergeSboms } from "./merge.ts";
import { readSbom } from "./read.ts";
import { anySbom, plainComponent, sampleSbom } from "./sbom.fixture.ts";
import { writeSbom } from "./write.ts";

const subject = { kind: "artifact", name: "release", version: "1" } as const;

function sbomOf(...components: readonly Component[]): Sbom {
  const root = plainComponent("root");
  return {
    subject: { kind: "directory", name: "root" },
    root: "root",
    components: [...components, root],
    dependencies: [],
    layers: [],
    losses: [],
    tools: [],
  };
}

function left(more: Partial<Component> = {}): Component {
  const purl = `pkg:npm/left@${more.version ?? "1.0.0"}`;
  return plainComponent(purl, { name: "left", version: "1.0.0", type: "npm", purl, ...more });
}

test("F6: a component of two SBOMs is one, with the digests, places and licences of both", () => {
  const a = sbomOf(left({ hashes: [{ algorithm: "sha1", value: "aa" }], scope: "development" }));
  const b = sbomOf(
    left({
      hashes: [{ algorithm: "sha512", value: "bb" }],
      scope: "runtime",
      occurrences: [{ path: "b/left", rule: "npm-installed" }],
      declaredLicences: [{ expression: "MIT", confidence: 1 }],
    }),
  );
  const merged = mergeSboms([a, b], { subject });
  const found = merged.components.filter(({ name }) => name === "left");
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    scope: "runtime",
    hashes: [{ algorithm: "sha1" }, { algorithm: "sha512" }],
    occurrences: [{ path: "b/left" }],
    declaredLicences: [{ expression: "MIT" }],
  });
  expect(merged.losses).toEqual([]);
});

test("F6: two SBOMs that contradict each other about a digest: both components stay, and the contradiction is named", () => {
  const a = sbomOf(left({ hashes: [{ algorithm: "sha1", value: "aa" }] }));
  const b = sbomOf(left({ hashes: [{ algorithm: "sha1", value: "bb" }] }));
  const merged = mergeSboms([a, b], { subject });
  expect(merged.components.filter(({ name }) => name === "left").map(({ ref }) => ref)).toEqual([
    "pkg:npm/left@1.0.0",
    "pkg:npm/left@1.0.0#2",
  ]);
  expect(merged.losses).toEqual([expect.objectContaining({ code: "SBOM_DOCUMENT_CONTRADICTION" })]);
});

test("F6: any SBOMs merge to one that can be written, read and merged again without a change", () => {
  fc.assert(
    fc.property(fc.array(anySbom, { maxLength: 3 }), (sboms) => {
      const merged = mergeSboms(sboms, { subject });
      const { components, dependencies } = readSbom(writeSbom(merged, "touchmark-json").bytes).sbom;
      expect({ components, dependencies }).toEqual({
        components: merged.components,
        dependencies: merged.dependencies,
      });
      const twice = mergeSboms([...sboms, ...sboms], { subject });
      expect(isSameSbom(compareSboms(merged, twice))).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test("F6: an SBOM whose edges name what is not there is not merged", () => {
  const broken = { ...sampleSbom(), dependencies: [{ from: "image", to: ["nothing"] }] };
  expect(() => mergeSboms([broken], { subject })).toThrow(expect.objectContaining({ code: "SBOM_DOCUMENT_MALFORMED" }));
});

test("F7: an SBOM does not differ from itself, and a difference turned round is the reverse", () => {
  fc.assert(
    fc.property(anySbom, anySbom, (a, b) => {
      expect(isSameSbom(compareSboms(a, a))).toBe(true);
      const there = compareSboms(a, b);
      const back = compareSboms(b, a);
      expect(back.added).toEqual(there.removed);
      expect(back.edgesRemoved).toEqual(there.edgesAdded);
      expect(back.unchanged).toBe(there.unchanged);
    }),
  );
});

test("F7: a new version is one change, with what it brings; edges are compared by package", () => {
  const before = sbomOf(left(), plainComponent("old", { name: "old", version: "1" }));
  const after = sbomOf(
    left({ version: "2.0.0", declaredLicences: [{ expression: "GPL-3.0-only", confidence: 1 }] }),
    plainComponent("new", { name: "new", version: "1" }),
  );
  const withEdges = (sbom: Sbom, to: string): Sbom => ({ ...sbom, dependencies: [{ from: "root", to: [to] }] });
  const difference = compareSboms(withEdges(before, "pkg:npm/left@1.0.0"), withEdges(after, "pkg:npm/left@2.0.0"));
  expect(difference).toMatchObject({
    added: [{ name: "new" }],
    removed: [{ name: "old" }],
    changed: [{ package: "pkg:npm/left", before: "1.0.0", after: "2.0.0", alarm: false }],
    edgesAdded: [],
    edgesRemoved: [],
    unchanged: 1,
  });
  expect(difference.changed[0]?.changes.map(({ what }) => what)).toEqual(["version", "licences"]);
});

test("F7: the same version with another digest is an alarm", () => {
  const a = sbomOf(left({ hashes: [{ algorithm: "sha1", value: "aa" }] }));
  const b = sbomOf(left({ hashes: [{ algorithm: "sha1", value: "bb" }] }));
  expect(compareSboms(a, b).changed).toEqual([
    expect.objectContaining({ alarm: true, changes: [{ what: "hashes", before: "sha1:aa", after: "sha1:bb" }] }),
  ]);
});
