import {
  type Advisory,
  applyVex,
  decideScan,
  matchSbom,
  memoryDatabase,
  readVex,
  scanTable,
  writeVex,
} from "@touchmark/advisories";
import type { ScanResult } from "@touchmark/formats/findings";
import { scanGatePolicy } from "@touchmark/formats/pipeline";
import { expect, test } from "vitest";
import { planted, scan } from "../sbom/tree-scene.ts";

const now = new Date("2026-03-01T00:00:00Z");
const policy = scanGatePolicy({ vulnerabilities: { refuse: "low", unscored: 0 } });

/** A scan of one flawed package that the gate refuses. */
async function victim(): Promise<ScanResult> {
  const root = planted({ "node_modules/left/package.json": JSON.stringify({ name: "left", version: "1.2.0" }) });
  const sbom = await scan(root);
  const events = [{ introduced: "0" }, { fixed: "2.0.0" }];
  const ranges = [{ type: "SEMVER", events }] as const;
  const flaw: Advisory = {
    ...{ id: "GHSA-1", source: "feed", digest: "feed", aliases: ["CVE-2026-1001"], upstream: [], related: [] },
    ...{ modified: "2026-01-01T00:00:00Z", summary: "a flaw", severities: [], cwes: [], references: [] },
    affected: [{ ecosystem: "npm", name: "left", ranges, versions: [], severities: [] }],
  };
  const at = now.toISOString();
  const database = memoryDatabase({ advisories: [flaw] });
  return { sbom, at, advisories: database.facts, licences: [], ...matchSbom(sbom, database, { at }) };
}

interface Said {
  readonly author?: string;
  readonly ids?: readonly string[];
  readonly vulnerability?: string;
  readonly status?: "not_affected" | "affected" | "fixed";
  readonly at?: string;
}

function statements(...said: readonly Said[]) {
  return said.map(({ author = "vendor", ids = ["pkg:npm/left@1.2.0"], ...rest }) => {
    const { vulnerability = "CVE-2026-1001", status = "not_affected", at = "2026-02-01T00:00:00Z" } = rest;
    const statement = {
      ...{ vulnerability: [vulnerability], products: [{ ids, subcomponents: [] }], status, at },
      ...(status === "not_affected" ? { justification: "vulnerable_code_not_present" as const } : { detail: "update" }),
    };
    return readVex(writeVex({ author, at, statements: [statement] }, "openvex"));
  });
}

async function outcome(...said: readonly Said[]): Promise<string> {
  const { result } = applyVex(await victim(), statements(...said));
  const gate = decideScan(result, policy, { now });
  const refusals = gate.results.flatMap(({ outcome: each, code }) => (each === "refused" ? [code] : []));
  return [gate.verdict, ...refusals].join(" ");
}

const refused = "refused SCAN_UNSCORED";

test("E4: the scene itself: an honest statement takes the finding out, and without it the gate refuses", async () => {
  expect(await outcome()).toBe(refused);
  expect(await outcome({})).toBe("passed");
});

test.each<[string, Said]>([
  ["another version", { ids: ["pkg:npm/left@1.2.1"] }],
  ["a name that begins alike", { ids: ["pkg:npm/lef"] }],
  ["any package", { ids: ["pkg:npm/*"] }],
  ["the package of another ecosystem", { ids: ["pkg:pypi/left@1.2.0"] }],
  ["a qualifier that the component does not have", { ids: ["pkg:npm/left@1.2.0?arch=all"] }],
  ["the package's bare name", { ids: ["left"] }],
  ["another vulnerability that contains the id", { vulnerability: "CVE-2026-10010" }],
  ["no package URL", { ids: ["pkg:npm"] }],
])("E4: attack: a statement about %s takes nothing out", async (_, said) => {
  expect(await outcome(said)).toBe(refused);
});

test("E6: attack: a statement of the future outweighs none of today", async () => {
  expect(await outcome({ at: "2099-01-01T00:00:00Z" })).toBe(refused);
  expect(await outcome({ status: "affected" }, { at: "2099-01-01T00:00:00Z" })).toBe(refused);
});

test("E6: attack: an old statement of a vendor, replayed, does not outweigh what the vendor said since", async () => {
  const since: Said = { status: "affected", at: "2026-02-02T00:00:00Z" };
  expect(await outcome(since, {})).toBe(refused);
  expect(await outcome({}, since)).toBe(refused);
});

test("E6: attack: somebody else's word does not outweigh the vendor's, in the gate nor in what people read", async () => {
  const said: readonly Said[] = [{ status: "affected" }, { author: "mallory", at: "2026-02-28T00:00:00Z" }];
  expect(await outcome(...said)).toBe(refused);
  expect(await outcome(...[...said].reverse())).toBe(refused);
  for (const order of [said, [...said].reverse()]) {
    const { result } = applyVex(await victim(), statements(...order));
    const table = scanTable(result, decideScan(result, policy, { now }));
    expect(table).toContain("Vulnerabilities: 1 unscored.");
    expect(table).not.toContain("settled");
  }
});
