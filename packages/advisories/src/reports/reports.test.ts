import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readStepReport } from "@touchmark/formats/step-reports";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { findingOf, scanOf } from "../gate/scan.fixture.ts";
import { hostileName, ordinaryScan, scanWith } from "./hostile.fixture.ts";
import { scanHtml, scanJson, scanJunit, scanMarkdown, scanSarif, scanTable } from "./index.ts";

const schemas = new URL("testdata/", import.meta.url);
const content = (name: string) => gunzipSync(readFileSync(new URL(`${name}.gz`, schemas)));
const { result, gate } = ordinaryScan();

/** What the schema of SARIF 2.1.0 finds wrong. */
function sarifFaults(text: string): unknown {
  const ajv = new Ajv2020({ strict: false });
  for (const format of ["uri", "uri-reference", "date-time", "uuid"]) ajv.addFormat(format, true);
  const validate = ajv.compile(JSON.parse(content("sarif-2.1.0.json").toString()));
  return validate(JSON.parse(text)) ? [] : validate.errors;
}

test("T1: the table says what was found, what is settled, what was not seen, and what the gate says", () => {
  const table = scanTable(result, gate);
  expect(table).toContain("Vulnerabilities: 1 critical, 1 unscored, 1 high; 1 settled by a decision.");
  expect(table).toMatch(
    /9\.8 critical {2}CVE-2026-0001 exploited {2}left-pad {3}1\.3\.0 {4}1\.3\.1 \(clean: 1\.4\.0\) {2}by mocha/,
  );
  expect(table).not.toContain("CVE-2026-0004");
  expect(scanTable(result, gate, { settled: true })).toContain("CVE-2026-0004");
  expect(table).toMatch(/denied {3}WTFPL {7}left-pad/);
  expect(table).toContain("a/b.jar  ZIP_TRUNCATED  found the end");
  expect(table).toContain("1 component not evaluated: 1 no-ecosystem");
  expect(table).toContain("Gate: refused");
  expect(table).toContain(
    "refused  severity: expected no vulnerability of class high or above, found 2 [SCAN_SEVERITY]",
  );
  const few = scanTable(result, gate, { rows: 1, paint: (mark, text) => `<${mark}>${text}` });
  expect(few).toContain("and 2 more vulnerabilities");
  expect(few).toContain("<bad>9.8 critical");
});

test("T1: the way to a component begins with the direct dependency, also below a project of the subject", () => {
  const [finding] = result.findings;
  const [direct] = finding?.advice.direct ?? [];
  if (finding === undefined || direct === undefined) throw new Error("expected a finding with a direct dependency");
  const [root = "", ...rest] = direct.path;
  const advice = { ...finding.advice, direct: [{ ...direct, path: [root, "npm:application:shop@1", ...rest] }] };
  const table = scanTable({ ...result, findings: [{ ...finding, advice }] }, gate);
  expect(table).toContain("by mocha");
  expect(table).not.toContain("by npm:application:shop@1");
});

test("T1: unknown licences that nothing refuses are counted after the first ten", () => {
  const unknown = Array.from({ length: 30 }, (_, i) => ({
    ...{ component: `pkg:npm/p${i}@1`, class: "unknown" as const, reason: "no licence is known" },
  }));
  const scan = { ...result, licences: unknown };
  expect(scanTable(scan).match(/^unknown/gm)).toHaveLength(10);
  expect(scanTable(scan)).toContain("and 20 more licences");
  const concerns = unknown.map(({ component }) => ({ component }));
  const refused = {
    rule: "licence-unknown",
    outcome: "refused" as const,
    message: "m",
    code: "SCAN_LICENCE_UNKNOWN",
    concerns,
  };
  expect(scanTable(scan, { verdict: "refused", results: [refused] }).match(/^unknown/gm)).toHaveLength(30);
});

test("T2: a decision that has lapsed settles nothing", () => {
  expect(scanTable(result, gate)).toContain("CVE-2026-0005");
  expect(scanJunit(result)).toMatch(/<failure type="high" message="CVE-2026-0005/);
});

test("T3: a scan without advisory data says so in every report, and never that nothing is known", () => {
  const { advisories: _, ...blind } = { ...scanOf(), findings: [] };
  expect(scanTable(blind)).toContain("Vulnerabilities: not evaluated.");
  expect(scanMarkdown(blind)).toContain("vulnerabilities: not evaluated");
  for (const text of [scanTable(blind), scanMarkdown(blind)]) {
    expect(text).toContain("Vulnerabilities were not evaluated");
    expect(text).not.toMatch(/vulnerabilities: none/i);
  }
  expect(scanHtml(blind)).toContain("Vulnerabilities were not evaluated");
  expect(scanHtml(blind)).not.toContain("None is known");
  expect(scanJunit(blind)).toContain('<skipped message="no advisory source is configured"/>');
  const sarif = JSON.parse(scanSarif(blind)).runs[0];
  expect(sarif.invocations[0].executionSuccessful).toBe(false);
  expect(sarif.invocations[0].toolExecutionNotifications[0].level).toBe("error");
  expect(JSON.parse(scanJson(blind)).advisories).toBeUndefined();
  expect(scanHtml({ ...scanOf(), findings: [] })).toContain("None is known");
});

test("T4: JSON holds everything, in every sign", () => {
  for (const scan of [{ result, gate }, scanWith(hostileName)]) {
    const read = JSON.parse(scanJson(scan.result, scan.gate));
    const { at, advisories, findings, licences, notEvaluated, sbom } = scan.result;
    expect(read).toEqual({
      ...{ touchmark: "scan-report/v1", verdict: "refused", gate: scan.gate.results },
      ...{ at, advisories, findings, licences, notEvaluated, sbom },
    });
  }
  expect(scanJson(scanWith("a\u202eb\u{e0041}").result)).toContain("a\\u202eb\\udb40\\udc41");
});

test("T5: SARIF is valid by the schema of 2.1.0, with one rule for each vulnerability", () => {
  const text = scanSarif(result, gate);
  expect(sarifFaults(text)).toEqual([]);
  const run = JSON.parse(text).runs[0];
  expect(run.results.map((each: { ruleId: string }) => each.ruleId)).toEqual([
    ...["CVE-2026-0001", "GHSA-unscored", "CVE-2026-0005", "CVE-2026-0004"],
    ...["licence-denied", "licence-unknown"],
  ]);
  expect(run.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe("package-lock.json");
  expect(run.results[0].level).toBe("error");
  // Unscored never ranks as low.
  expect(run.tool.driver.rules[1].properties["security-severity"]).toBe("8.0");
  expect(run.results[1].level).toBe("error");
  expect(run.results[3].suppressions).toEqual([
    {
      kind: "external",
      status: "accepted",
      justification: "not_affected: vulnerable_code_not_present (security team)",
    },
  ]);
  expect(run.results[2].suppressions).toBeUndefined();
  expect(sarifFaults(scanSarif(scanWith(hostileName).result, scanWith(hostileName).gate))).toEqual([]);
  const many = Array.from({ length: 25_010 }, (_, i) => findingOf(`CVE-1-${i}`, "pkg:npm/left-pad@1.3.0"));
  const cut = JSON.parse(scanSarif({ ...result, findings: many, licences: [] })).runs[0];
  expect(cut.results).toHaveLength(25_000);
  expect(cut.invocations[0].toolExecutionNotifications[0].message.text).toBe("10 results beyond 25000 left out.");
});

test("T6: SARIF read as the report of a step counts what is open, and what is suppressed apart", () => {
  const read = readStepReport(new TextEncoder().encode(scanSarif(result, gate)), "sast");
  expect(JSON.stringify(read.summary)).toContain('"suppressed","value":"1"');
});

test("T7: JUnit read as the report of a step counts what the gate refused", () => {
  const read = readStepReport(new TextEncoder().encode(scanJunit(result, gate)), "junit");
  const counts = Object.fromEntries(read.summary.map(({ name, value }) => [name, value]));
  // One rule of the gate and one finding; a rule that was not evaluated, a licence, a loss, and a component.
  expect(counts).toMatchObject({ tests: "12", failures: "2", skipped: "4", suites: "4" });
  const open = readStepReport(new TextEncoder().encode(scanJunit(result)), "junit");
  expect(Object.fromEntries(open.summary.map(({ name, value }) => [name, value]))).toMatchObject({ failures: "4" });
});

const hasXmllint = spawnSync("xmllint", ["--version"]).status === 0;
test.skipIf(!hasXmllint)("T7: JUnit is valid by the schema of the Ant task, hostile names and all", () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-junit-"));
  try {
    writeFileSync(join(directory, "junit.xsd"), content("junit.xsd"));
    for (const scan of [ordinaryScan(), scanWith(hostileName)]) {
      writeFileSync(join(directory, "scan.xml"), scanJunit(scan.result, scan.gate));
      execFileSync("xmllint", ["--nonet", "--noout", "--schema", "junit.xsd", "scan.xml"], {
        cwd: directory,
        stdio: "pipe",
      });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("T8: Markdown fits a comment of a code host, and counts what it leaves out", () => {
  const text = scanMarkdown(result, gate);
  expect(text).toMatch(/^## Scan of <code>shop<\/code>: refused\n/);
  expect(text).toContain("- **refused** <code>severity</code>");
  expect(text).toContain(
    "| 9.8 critical | <code>CVE-2026-0001</code> **known exploited** | <code>left-pad 1.3.0</code> |",
  );
  expect(text).not.toContain("CVE-2026-0004");
  const findings = Array.from({ length: 5_000 }, (_, i) => findingOf(`CVE-2026-${i}`, "pkg:npm/left-pad@1.3.0"));
  const licences = findings.map(({ component }) => ({ component, class: "denied" as const, reason: "x".repeat(150) }));
  const long = scanMarkdown({ ...result, findings, licences }, gate);
  expect(long.length).toBeLessThan(65_536);
  expect(long).toMatch(/<details><summary>4,980 further vulnerabilities<\/summary>/);
  expect(long).toMatch(/[\d,]+ more vulnerabilities not shown here/);
  expect(long).toMatch(/[\d,]+ more licences not shown here/);
});

test("T9: HTML is one file that fetches nothing and runs nothing; tables are bounded, and say what they leave out", () => {
  const text = scanHtml(result, gate);
  expect(text).toContain("default-src 'none'; style-src 'sha256-");
  expect(text).not.toMatch(/<(?:script|link|img|iframe|object)|\son\w+=|\sstyle=|src=/i);
  expect(text).toContain('href="https://example.com/advisory?a=1&#38;b=2"');
  const findings = Array.from({ length: 2_500 }, (_, i) => findingOf(`CVE-2026-${i}`, "pkg:npm/left-pad@1.3.0"));
  expect(scanHtml({ ...result, findings })).toContain("500 more vulnerabilities: see the JSON report.");
});
