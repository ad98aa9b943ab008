import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { findProgram } from "@touchmark/test-kit";
import { forgeZip } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { bytesOf, grypeResult, osvScannerResult, sarifResult, syftResult, trivyResult } from "./foreign.fixture.ts";
import { readForeignScan } from "./read-foreign.ts";

const read = (value: unknown) => readForeignScan(bytesOf(value), "theirs.json");
const malformed = expect.objectContaining({ code: "FOREIGN_SCAN_MALFORMED" });

test("K1: grype's matches are read with related ids, fixed versions and its own version", () => {
  expect(read(grypeResult)).toMatchObject({
    tool: "grype",
    version: "0.100.0",
    packages: [{ name: "left", version: "1.2.0", type: "npm", purl: "pkg:npm/left@1.2.0" }],
    findings: [{ ids: ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1001"], severity: "High", fixed: ["2.0.0"] }],
  });
});

test("K1: trivy's results are read with all packages that it lists, and results without any", () => {
  const scan = read(trivyResult);
  expect(scan.packages.map(({ name }) => name)).toEqual(["left", "right"]);
  expect(scan).toMatchObject({
    tool: "trivy",
    version: "0.60.0",
    findings: [{ ids: ["CVE-2026-1001"], package: { name: "left", version: "1.2.0" }, fixed: ["2.0.0", "1.9.9"] }],
  });
  expect(read({ SchemaVersion: 2 })).toEqual({ tool: "trivy", packages: [], findings: [] });
});

test("K1: osv-scanner's packages are read with aliases, and the severity of their group", () => {
  expect(read(osvScannerResult)).toMatchObject({
    tool: "osv-scanner",
    packages: [{ name: "left", version: "1.2.0", type: "npm" }],
    findings: [{ ids: ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1001"], severity: "7.5" }],
  });
});

test("K2: syft lists packages and judges none: no findings is not the same as none found", () => {
  const scan = read(syftResult);
  expect(scan).toMatchObject({ tool: "syft", version: "1.52.0", packages: [{ name: "left" }] });
  expect(scan.findings).toBeUndefined();
  expect(read({ ...grypeResult, matches: [] }).findings).toEqual([]);
});

test.each([
  ["grype", "CVE-2026-1001-left", "A high vulnerability in npm package: left, version 1.2.0 was found at: /lock"],
  ["Trivy", "CVE-2026-1001", "Package: left\nInstalled Version: 1.2.0\nVulnerability CVE-2026-1001\nSeverity: HIGH"],
  ["osv-scanner", "CVE-2026-1001", "Package 'left@1.2.0' is vulnerable to 'CVE-2026-1001' (also known as 'GHSA-x')."],
])("K3: SARIF of %s names vulnerability, package and version", (tool, rule, text) => {
  expect(read(sarifResult(tool, rule, text))).toMatchObject({
    tool,
    findings: [{ ids: ["CVE-2026-1001"], package: { name: "left", version: "1.2.0" }, severity: "error" }],
  });
});

test("K3: SARIF of a scanner of code is read by its rule, without a package", () => {
  expect(read(sarifResult("linter", "no-eval", "never do this")).findings).toEqual([
    { ids: ["no-eval"], package: { name: "", version: "", type: "unknown" }, severity: "error" },
  ]);
});

test.each<[string, unknown]>([
  ["nothing known", { left: 1 }],
  ["a list", []],
  ["text", "grype"],
  ["matches that are no list", { matches: {} }],
  ["a match without an artifact", { matches: [{ vulnerability: { id: "CVE-2026-1001" } }] }],
  ["a vulnerability without an id", { matches: [{ vulnerability: {}, artifact: { name: "left" } }] }],
  ["a name that is no text", { artifacts: [{ name: 1, version: "1" }] }],
  ["a name of a megabyte", { artifacts: [{ name: "a".repeat(1_000_000), version: "1" }] }],
  ["results that are rows", { results: [1] }],
  ["a run without a tool", { runs: [{ results: [] }] }],
  ["an id that is none", { Results: [{ Vulnerabilities: [{ VulnerabilityID: null, PkgName: "left" }] }] }],
])("K4: %s is refused by code", (_, value) => {
  expect(() => read(value)).toThrow(malformed);
});

test("K4: what is no JSON, or nested without end, is refused by code", () => {
  expect(() => readForeignScan(Buffer.from("<html/>"))).toThrow(malformed);
  expect(() => readForeignScan(Buffer.from("[".repeat(100_000)))).toThrow(malformed);
  expect(() => readForeignScan(Buffer.from('{"matches":[],"matches":[]}'))).toThrow(malformed);
});

test("K4: words made to be slow are read in time that grows with their length", () => {
  for (const text of [
    "a".repeat(16_000),
    "A-".repeat(8_000),
    "package ".repeat(2_000),
    `version${" ".repeat(16_000)}`,
  ]) {
    const rows = Array.from({ length: 200 }, () => ({ ruleId: text, message: { text } }));
    const scan = read({ runs: [{ tool: { driver: { name: "slow" } }, results: rows }] });
    expect(scan.findings).toHaveLength(200);
  }
});

test("K4: whatever stands in place of a member, a result is read or refused by code", () => {
  const results = [grypeResult, trivyResult, osvScannerResult, syftResult, sarifResult("a", "b", "c")];
  const texts = results.map((each) => JSON.stringify(each));
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.nat(), fc.jsonValue({ maxDepth: 2 }), (text, at, value) => {
      const places = [...text.matchAll(/:("[^"]*"|null|\d+)|:\[\]/g)];
      const place = places[at % places.length];
      const start = (place?.index ?? 0) + 1;
      const changed = `${text.slice(0, start)}${JSON.stringify(value)}${text.slice(start + (place?.[0].length ?? 1) - 1)}`;
      try {
        readForeignScan(Buffer.from(changed));
      } catch (error) {
        expect(isFactoryError(error) && error.code).toBe("FOREIGN_SCAN_MALFORMED");
      }
    }),
  );
});

const syft = findProgram("syft");
const osvScanner = findProgram("osv-scanner");

/** A directory with a lockfile of one package, and OSV's data about it as osv-scanner keeps it. */
function locked(): string {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-foreign-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const packages = { "": { name: "shop", version: "1.0.0" }, "node_modules/left": { version: "1.2.0" } };
  const lock = { name: "shop", version: "1.0.0", lockfileVersion: 3, packages };
  writeFileSync(join(directory, "package-lock.json"), JSON.stringify(lock));
  const ranges = [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }];
  const record = {
    ...{ schema_version: "1.6.0", id: "GHSA-aaaa-bbbb-cccc", aliases: ["CVE-2026-1001"] },
    ...{ modified: "2026-01-01T00:00:00Z", affected: [{ package: { ecosystem: "npm", name: "left" }, ranges }] },
  };
  mkdirSync(join(directory, "osv-scalibr", "npm"), { recursive: true });
  const archive = forgeZip([{ name: `${record.id}.json`, content: JSON.stringify(record) }]);
  writeFileSync(join(directory, "osv-scalibr", "npm", "all.zip"), archive);
  return directory;
}

function written(program: string | undefined, directory: string, ...words: readonly string[]): Uint8Array {
  const environment = { PATH: process.env["PATH"], HOME: directory, SYFT_CHECK_FOR_APP_UPDATE: "false" };
  return spawnSync(program ?? "", words, { cwd: directory, env: environment }).stdout;
}

test.skipIf(syft === undefined)("K1: what an installed syft writes is read", () => {
  const directory = locked();
  const scan = readForeignScan(written(syft, directory, "-q", `dir:${directory}`, "-o", "json"));
  expect(scan.tool).toBe("syft");
  expect(scan.packages).toContainEqual({ name: "left", version: "1.2.0", type: "npm", purl: "pkg:npm/left@1.2.0" });
});

test.skipIf(osvScanner === undefined)("K1: what an installed osv-scanner writes is read, as JSON and as SARIF", () => {
  const directory = locked();
  const scan = (format: string) => {
    const offline = ["scan", "source", "--offline", "--local-db-path", directory, "--format", format];
    return readForeignScan(written(osvScanner, directory, ...offline, "-L", "package-lock.json"));
  };
  const found = { package: { name: "left", version: "1.2.0" } };
  expect(scan("json").findings).toMatchObject([{ ids: ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1001"], ...found }]);
  expect(scan("sarif").findings).toMatchObject([{ ids: ["CVE-2026-1001"], ...found }]);
});
