import type { FindingDecision, ScanGatePolicy, ScanResult, VulnerabilityRules } from "@touchmark/formats/findings";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decideScan, scanRefusal } from "./decide-scan.ts";
import { componentOf, findingOf, noRules, scanOf, strictRules } from "./scan.fixture.ts";

const now = new Date("2026-11-21T12:00:00Z");
const leftPad = "pkg:npm/left-pad@1.3.0";
const decide = (scan: ScanResult, policy: ScanGatePolicy, base?: ScanResult) =>
  decideScan(scan, policy, { now, ...(base === undefined ? {} : { base }) });
const outcome = (scan: ScanResult, policy: ScanGatePolicy, rule: string, base?: ScanResult) => {
  const found = decide(scan, policy, base).results.find((each) => each.rule === rule);
  return `${found?.outcome}${found?.code === undefined ? "" : ` ${found.code}`}`;
};
const rulesWith = (rest: Partial<VulnerabilityRules>): ScanGatePolicy => {
  if (strictRules.vulnerabilities === undefined) throw new TypeError("the fixture has rules");
  return { ...strictRules, vulnerabilities: { ...strictRules.vulnerabilities, ...rest } };
};

test("N1: rules that ask for nothing say not-evaluated, never passed", () => {
  expect(decide(scanOf(), noRules).verdict).toBe("not-evaluated");
  expect(scanRefusal(decide(scanOf(), noRules))).toBeUndefined();
});

test("N2: where no advisory data was there, a rule over vulnerabilities refuses", () => {
  const { advisories: _, ...blind } = scanOf();
  expect(outcome(blind, strictRules, "vulnerabilities")).toBe("refused SCAN_NOT_EVALUATED");
  expect(scanRefusal(decide(blind, strictRules))).toMatchObject({ code: "SCAN_NOT_EVALUATED", nature: "refused" });
});

test("N3: a finding at or above the threshold refuses, one below is warned of, and the message names both", () => {
  const scan = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad)] });
  expect(scanRefusal(decide(scan, strictRules))).toMatchObject({ code: "SCAN_VULNERABILITY" });
  expect(scanRefusal(decide(scan, strictRules))?.message).toContain("CVE-2026-0001 (high) in left-pad 1.3.0");
  const low = scanOf({ findings: [findingOf("CVE-2026-0002", leftPad, { severity: { class: "low", from: "osv" } })] });
  expect(decide(low, strictRules).verdict).toBe("passed");
  expect(outcome(low, strictRules, "severity-warning")).toBe("warned");
});

test("N4: a finding without a score is never taken for a low one: beyond the number allowed it refuses", () => {
  const scan = scanOf({ findings: [findingOf("GHSA-1", leftPad, { severity: { class: "unscored", from: "osv" } })] });
  expect(outcome(scan, strictRules, "unscored")).toBe("refused SCAN_UNSCORED");
  expect(outcome(scan, rulesWith({ unscored: 1 }), "unscored")).toBe("warned");
});

test("N5: what is known to be exploited refuses whatever its class, also within the grace", () => {
  const knownExploited = { added: "2026-11-20", ransomware: false };
  const severity = { class: "low", from: "osv" } as const;
  const fresh = { published: "2026-11-20T00:00:00Z" };
  const scan = scanOf({ findings: [findingOf("CVE-2026-0003", leftPad, { knownExploited, severity, ...fresh })] });
  expect(outcome(scan, rulesWith({ graceDays: 30 }), "known-exploited")).toBe("refused SCAN_KNOWN_EXPLOITED");
  const epss = { probability: 0.7, percentile: 0.9, date: "2026-11-20" };
  const likely = scanOf({ findings: [findingOf("CVE-2026-0004", leftPad, { epss, severity })] });
  expect(outcome(likely, rulesWith({ epss: 0.5 }), "exploit-prediction")).toBe("refused SCAN_KNOWN_EXPLOITED");
  expect(outcome(likely, rulesWith({ epss: 0.8 }), "exploit-prediction")).toBe("passed");
});

test("N6: grace, fix state and scope take a finding from refused to warned, or out", () => {
  const fresh = scanOf({ findings: [findingOf("CVE-2026-0005", leftPad, { published: "2026-11-20T00:00:00Z" })] });
  expect(outcome(fresh, rulesWith({ graceDays: 7 }), "severity")).toBe("passed");
  expect(outcome(fresh, rulesWith({ graceDays: 7 }), "severity-warning")).toBe("warned");
  const { published: _, ...undated } = findingOf("CVE-2026-0006", leftPad);
  expect(outcome(scanOf({ findings: [undated] }), rulesWith({ graceDays: 7 }), "severity")).toBe(
    "refused SCAN_VULNERABILITY",
  );
  const unfixed = scanOf({ findings: [findingOf("CVE-2026-0007", leftPad, { fixState: "not-fixed" })] });
  expect(outcome(unfixed, rulesWith({ fix: "available" }), "severity")).toBe("passed");
  const development = scanOf({ findings: [findingOf("CVE-2026-0008", "pkg:npm/mocha@10.0.0")] });
  expect(outcome(development, strictRules, "severity")).toBe("passed");
  const unknown = scanOf({ findings: [findingOf("CVE-2026-0009", "pkg:npm/nowhere@1")] });
  expect(outcome(unknown, rulesWith({ scopes: ["runtime"] }), "severity")).toBe("refused SCAN_VULNERABILITY");
});

test("N7: with a base only what it does not have refuses, also in another version of the package", () => {
  const base = scanOf({
    sbom: { ...scanOf().sbom, components: [componentOf("left-pad", "1.2.0")] },
    findings: [findingOf("CVE-2026-0001", "pkg:npm/left-pad@1.2.0")],
  });
  const scan = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad)] });
  expect(outcome(scan, rulesWith({ newOnly: true }), "severity", base)).toBe("passed");
  expect(outcome(scan, rulesWith({ newOnly: true }), "severity")).toBe("refused SCAN_VULNERABILITY");
  const more = scanOf({ findings: [findingOf("CVE-2026-0099", leftPad)] });
  expect(outcome(more, rulesWith({ newOnly: true }), "severity", base)).toBe("refused SCAN_VULNERABILITY");
});

test("N8: data that is old, undated or empty refuses where an age is demanded", () => {
  const advisories = scanOf().advisories;
  if (advisories === undefined) throw new TypeError("the fixture has data");
  const [source] = advisories.sources;
  if (source === undefined) throw new TypeError("the fixture has a source");
  const aged = (newest: string) => scanOf({ advisories: { ...advisories, sources: [{ ...source, newest }] } });
  expect(outcome(aged("2026-11-13T00:00:00Z"), strictRules, "data-age")).toBe("refused SCAN_DATA_STALE");
  expect(outcome(aged("no date"), strictRules, "data-age")).toBe("refused SCAN_DATA_STALE");
  expect(outcome(scanOf({ advisories: { ...advisories, sources: [] } }), strictRules, "data-age")).toBe(
    "refused SCAN_DATA_STALE",
  );
  expect(outcome(scanOf(), strictRules, "data-age")).toBe("passed");
});

test("N9: components that no data speaks of refuse where that is asked", () => {
  const scan = scanOf({ notEvaluated: [{ component: leftPad, reason: "no-version", message: "it has no version" }] });
  expect(outcome(scan, strictRules, "not-evaluated")).toBe("refused SCAN_NOT_EVALUATED");
  expect(outcome(scan, rulesWith({ notEvaluated: "warn" }), "not-evaluated")).toBe("warned");
});

test("N10: a decision in force takes a finding out, an expired one and one against another that says affected do not", () => {
  const decision = (status: FindingDecision["status"], expires?: string): FindingDecision => ({
    status,
    reason: "vulnerable_code_not_in_execute_path",
    by: "ada",
    document: `sha256:${"4".repeat(64)}`,
    ...(expires === undefined ? {} : { expires }),
  });
  const scan = (...decisions: FindingDecision[]) =>
    scanOf({ findings: [findingOf("CVE-2026-0001", leftPad, { decisions })] });
  expect(outcome(scan(decision("not_affected")), strictRules, "severity")).toBe("excepted");
  expect(outcome(scan(decision("not_affected", "2026-11-20T00:00:00Z")), strictRules, "severity")).toBe(
    "refused SCAN_VULNERABILITY",
  );
  expect(outcome(scan(decision("not_affected"), decision("affected")), strictRules, "severity")).toBe(
    "refused SCAN_VULNERABILITY",
  );
});

test("N11: an exception counts for its rule, finding, component and artifact alone, and until its date", () => {
  const scan = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad, { aliases: ["GHSA-1"] })] });
  const exception = { rule: "severity", reason: "not reachable", approver: "ada", expires: "2026-12-01T00:00:00Z" };
  const under = (rest: object) =>
    outcome(scan, { ...strictRules, exceptions: [{ ...exception, ...rest }] }, "severity");
  expect(under({})).toBe("excepted");
  expect(under({ finding: "GHSA-1", component: "pkg:npm/left-*", artifact: scan.sbom.subject.digest })).toBe(
    "excepted",
  );
  for (const rest of [
    { rule: "known-exploited" },
    { finding: "CVE-2026-0002" },
    { component: "pkg:npm/other" },
    { component: "pkg:npm/left-pad@1.2.0" },
    { artifact: `sha256:${"9".repeat(64)}` },
    { expires: "2026-11-21T11:59:59Z" },
    { expires: "some day" },
  ]) {
    expect(under(rest)).toBe("refused SCAN_VULNERABILITY");
  }
});

test("N12: licences are judged by class; a component that nobody judged is an unknown one", () => {
  const policy: ScanGatePolicy = {
    ...noRules,
    licences: { warn: [], deny: ["AGPL-3.0-only"], unknown: "refuse", scopes: ["runtime"] },
  };
  const judged = (which: "allowed" | "warned" | "denied" | "unknown") =>
    scanOf({ licences: [{ component: leftPad, class: which, reason: "because", expression: "AGPL-3.0-only" }] });
  expect(outcome(judged("denied"), policy, "licence-denied")).toBe("refused SCAN_LICENCE_DENIED");
  expect(outcome(judged("unknown"), policy, "licence-unknown")).toBe("refused SCAN_LICENCE_UNKNOWN");
  expect(outcome(judged("warned"), policy, "licence-warned")).toBe("warned");
  expect(decide(judged("allowed"), policy).verdict).toBe("passed");
  expect(outcome(scanOf(), policy, "licence-unknown")).toBe("refused SCAN_LICENCE_UNKNOWN");
});

test("N13: executables of nobody, components of nowhere and losses refuse where that is asked, and so does their absence", () => {
  const strict: ScanGatePolicy = {
    ...noRules,
    unownedExecutables: "refuse",
    unaccountedComponents: "refuse",
    losses: "refuse",
  };
  const { unowned: _, ...unmeasured } = scanOf().sbom;
  const scan = scanOf({
    sbom: {
      ...scanOf().sbom,
      unowned: [{ path: "usr/bin/odd" }],
      losses: [{ path: "a.jar", code: "ZIP_MALFORMED", message: "" }],
    },
    unaccounted: [leftPad],
  });
  expect(outcome(scan, strict, "unowned-executables")).toBe("refused SCAN_EXECUTABLE_UNOWNED");
  expect(outcome(scan, strict, "unaccounted-components")).toBe("refused SCAN_COMPONENT_UNACCOUNTED");
  expect(outcome(scan, strict, "losses")).toBe("refused SCAN_LOSSY");
  expect(outcome(scanOf({ sbom: unmeasured }), strict, "unowned-executables")).toBe("refused SCAN_NOT_EVALUATED");
  expect(outcome(scanOf(), strict, "unaccounted-components")).toBe("refused SCAN_NOT_EVALUATED");
});

test("N13: a package without its supplier's signed SBOM refuses where that is asked, and so does not having looked", () => {
  const strict: ScanGatePolicy = { ...noRules, supplierSbom: "refuse" };
  expect(outcome(scanOf({ withoutSupplierSbom: [leftPad] }), strict, "supplier-sbom")).toBe(
    "refused SCAN_SUPPLIER_SBOM_MISSING",
  );
  expect(outcome(scanOf({ withoutSupplierSbom: [] }), strict, "supplier-sbom")).toBe("passed");
  expect(outcome(scanOf(), strict, "supplier-sbom")).toBe("refused SCAN_NOT_EVALUATED");
});

test("N15: reports of each demanded kind must be there, and a build that wrote them", () => {
  const strict: ScanGatePolicy = { ...noRules, requiredReports: ["junit", "sast"] };
  expect(outcome(scanOf({ reports: ["junit"] }), strict, "required-reports")).toBe("refused SCAN_REPORT_MISSING");
  expect(outcome(scanOf({ reports: ["sast", "junit"] }), strict, "required-reports")).toBe("passed");
  expect(outcome(scanOf(), strict, "required-reports")).toBe("refused SCAN_NOT_EVALUATED");
});

test("N14: more findings never turn a refusal into a pass, and their order never matters", () => {
  const severity = fc.constantFrom("none", "low", "medium", "high", "critical", "unscored");
  const finding = fc.tuple(fc.integer({ min: 1, max: 50 }), severity).map(([n, which]) =>
    findingOf(`CVE-2026-${String(n).padStart(4, "0")}`, leftPad, {
      severity: { class: which, from: "osv" },
    }),
  );
  fc.assert(
    fc.property(fc.array(finding, { maxLength: 8 }), finding, (findings, more) => {
      const before = decide(scanOf({ findings }), strictRules).verdict;
      const after = decide(scanOf({ findings: [...findings, more] }), strictRules).verdict;
      expect(before === "refused" && after !== "refused").toBe(false);
      expect(decide(scanOf({ findings: [...findings].reverse() }), strictRules).verdict).toBe(before);
    }),
  );
});
