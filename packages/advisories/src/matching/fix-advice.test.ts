import type { Finding } from "@touchmark/formats/findings";
import { expect, test } from "vitest";
import type { Advisory } from "../advisory.ts";
import { matchSbom } from "./match.ts";
import { memoryDatabase } from "./memory-database.ts";
import { advisory, affects, at, below, component, critical, sbomOf } from "./scene.fixture.ts";

function only(advisories: readonly Advisory[], type = "npm", version = "1.0.0"): readonly Finding[] {
  return matchSbom(sbomOf([component(type, "a", version)]), memoryDatabase({ advisories }), { at }).findings;
}

test("M11: the nearest fix is above the version there, and each branch has its own", () => {
  const branches = [affects("npm", "a", below("1.0.5")), affects("npm", "a", below("2.3.0", "2.0.0"))];
  const [finding] = only([advisory("A-1", branches)]);
  expect(finding).toMatchObject({
    fixState: "fixed",
    fixedVersions: ["1.0.5"],
    advice: { nearest: "1.0.5", clean: "1.0.5" },
  });
  expect(only([advisory("A-1", branches)], "npm", "2.1.0")[0]?.advice.nearest).toBe("2.3.0");
});

test("M11: the clean version is judged anew against every advisory of the package", () => {
  const advisories = [
    advisory("A-1", [affects("npm", "a", below("1.1.0"))]),
    advisory("A-2", [affects("npm", "a", below("1.3.0", "1.1.0"))]),
    advisory("A-3", [affects("npm", "a", below("1.4.0", "1.3.0"))]),
  ];
  const findings = only(advisories);
  expect(findings.map(({ id }) => id)).toEqual(["A-1"]);
  expect(findings[0]?.advice).toMatchObject({ nearest: "1.1.0", clean: "1.4.0" });
});

test("M11: without a version that is free of everything there is no clean one", () => {
  const advisories = [
    advisory("A-1", [affects("npm", "a", below("1.1.0"))]),
    advisory("A-2", [affects("npm", "a", [{ introduced: "0" }])]),
  ];
  const findings = only(advisories);
  expect(findings.map(({ fixState, advice }) => [fixState, advice.nearest, advice.clean])).toEqual([
    ["fixed", "1.1.0", undefined],
    ["not-fixed", undefined, undefined],
  ]);
});

test("M11: of two advisories of one vulnerability, the nearest fix is that which both call fixed", () => {
  const advisories = [
    advisory("A-1", [affects("npm", "a", below("1.1.0"))], { aliases: ["CVE-2024-1000"] }),
    advisory("B-1", [affects("npm", "a", below("1.2.0"))], { aliases: ["CVE-2024-1000"] }),
  ];
  const [finding] = only(advisories);
  expect(finding?.fixedVersions).toEqual(["1.1.0", "1.2.0"]);
  expect(finding?.advice.nearest).toBe("1.2.0");
});

test("M11: after the last affected version a fix is likely and none is named", () => {
  const [finding] = only([advisory("A-1", [affects("npm", "a", [{ introduced: "0" }, { last_affected: "1.2.0" }])])]);
  expect(finding).toMatchObject({ fixState: "unknown", fixedVersions: [] });
});

test("M11: fixed versions of Go are spelled as its modules are", () => {
  const [finding] = only([advisory("GO-1", [affects("Go", "a", below("1.2.0"))])], "golang", "v1.0.0");
  expect(finding?.advice).toMatchObject({ nearest: "v1.2.0", clean: "v1.2.0" });
});

const vulnerable = [advisory("A-1", [affects("npm", "deep", below("2.0.0"))], { severities: [critical] })];
const npm = (name: string) => component("npm", name, "1.0.0", { ref: name });
const directOf = (
  dependencies: readonly { from: string; to: readonly string[] }[],
  kinds: Record<string, "application"> = {},
) => {
  const components = ["one", "two", "mid", "deep"].map((name) => ({
    ...npm(name),
    kind: kinds[name] ?? ("library" as const),
  }));
  const sbom = sbomOf(components, { dependencies });
  return matchSbom(sbom, memoryDatabase({ advisories: vulnerable }), { at }).findings[0]?.advice.direct;
};

test("M12: every direct dependency that leads there is named with one shortest path", () => {
  const edges = [
    { from: "root", to: ["two", "one"] },
    { from: "one", to: ["mid"] },
    { from: "mid", to: ["deep", "one"] },
    { from: "two", to: ["deep", "mid"] },
    { from: "deep", to: ["mid", "root"] },
  ];
  expect(directOf(edges)).toEqual([
    { ref: "one", path: ["root", "one", "mid", "deep"] },
    { ref: "two", path: ["root", "two", "deep"] },
  ]);
});

test("M12: projects between the root and their dependencies are passed through", () => {
  const edges = [
    { from: "root", to: ["one"] },
    { from: "one", to: ["two"] },
    { from: "two", to: ["deep"] },
  ];
  expect(directOf(edges, { one: "application" })).toEqual([{ ref: "two", path: ["root", "one", "two", "deep"] }]);
});

test("M12: a component that the root wants is its own direct dependency; one that nothing wants has none", () => {
  expect(directOf([{ from: "root", to: ["deep"] }])).toEqual([{ ref: "deep", path: ["root", "deep"] }]);
  expect(directOf([{ from: "root", to: ["one", "no-such-ref"] }])).toEqual([]);
});

test("M15: a ring of 10,000 components, each vulnerable, ends in bounded paths", () => {
  const length = 10_000;
  const names = Array.from({ length }, (_, i) => `c${String(i)}`);
  const components = names.map((ref) => component("npm", "deep", "1.0.0", { ref }));
  const dependencies = [
    { from: "root", to: ["c0"] },
    ...names.map((from, i) => ({ from, to: i + 1 < length ? [`c${String(i + 1)}`] : ["c0"] })),
  ];
  const database = memoryDatabase({ advisories: vulnerable });
  const { findings } = matchSbom(sbomOf(components, { dependencies }), database, { at });
  expect(findings.length).toBe(length);
  const refs = findings.reduce((sum, { advice }) => sum + (advice.direct[0]?.path.length ?? 0), 0);
  expect(refs).toBeLessThan(1_000_000);
});

test("M15: thousands of fixes of a package do not multiply", () => {
  const advisories = Array.from({ length: 2000 }, (_, i) =>
    advisory(`A-${i}`, [affects("npm", "a", below(`1.${i + 1}.0`, `0.${i}.0`))]),
  );
  const findings = only(advisories);
  expect(findings.length).toBe(2000);
  expect(findings[0]?.advice.clean).toBe("1.2000.0");
});
