import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import { componentOf, findingOf, scanOf } from "../gate/scan.fixture.ts";

/** A name that begins something in every format, hides a part of itself, and ends lines. */
export const hostileName =
  "<script>alert(1)</script>\"'&|`x`@everyone#1 www.example.com\u202etxt.exe\u001b[2J\r\n## no ]]>--> \\| ${x} \ud800";

/** A scan in which every text of others is `text`. */
export function scanWith(text: string): { readonly result: ScanResult; readonly gate: ScanGateResult } {
  const base = scanOf();
  const component = componentOf(text, text, {
    ref: text,
    purl: text,
    occurrences: [{ path: `../${text}//a`, rule: "test", line: 3 }],
    declaredLicences: [{ text, confidence: 1 }],
  });
  const finding = findingOf(text, text, {
    aliases: [text],
    summary: text,
    references: [`https://example.com/"onload="x`, `javascript:${text}`, text],
    cwes: [text],
    fixedVersions: [text],
    severity: { class: "critical", score: 9.8, from: text },
    otherSeverities: [{ class: "high", score: 7, from: text }],
    advice: { nearest: text, clean: `${text}2`, direct: [{ ref: text, path: [base.sbom.root, text, text] }] },
    decisions: [{ status: "affected", reason: text, by: text, document: text }],
  });
  const { advisories } = base;
  const result: ScanResult = {
    ...base,
    sbom: {
      ...base.sbom,
      subject: { kind: "directory", name: text, version: text },
      components: [...base.sbom.components, component],
      losses: [{ path: text, code: "ZIP_TRUNCATED", message: text }],
      unowned: [{ path: text }],
      distribution: { id: text, version: text, name: text },
    },
    ...(advisories === undefined
      ? {}
      : {
          advisories: {
            ...advisories,
            sources: advisories.sources.map((each) => ({ ...each, name: text, licence: text })),
          },
        }),
    findings: [finding],
    licences: [{ component: text, expression: text, class: "denied", reason: text }],
    notEvaluated: [{ component: text, reason: text, message: text }],
  };
  const gate: ScanGateResult = {
    verdict: "refused",
    results: [
      {
        rule: "severity",
        outcome: "refused",
        message: text,
        code: "SCAN_SEVERITY",
        concerns: [{ component: text, finding: text }],
      },
      { rule: "losses", outcome: "warned", message: text, concerns: [] },
      { rule: "epss", outcome: "not-evaluated", message: text, concerns: [] },
    ],
  };
  return { result, gate };
}

/** A scan as people meet it: findings of several classes, one settled, licences, losses, and a gate that refuses. */
export function ordinaryScan(): { readonly result: ScanResult; readonly gate: ScanGateResult } {
  const base = scanOf();
  const [root = "", pad = "", mocha = ""] = base.sbom.components.map(({ ref }) => ref);
  const critical = findingOf("CVE-2026-0001", pad, {
    severity: { class: "critical", score: 9.8, from: "osv" },
    summary: "Code runs by a crafted pad character",
    aliases: ["GHSA-aaaa-bbbb-cccc"],
    knownExploited: { added: "2026-01-01", ransomware: true },
    epss: { probability: 0.93, percentile: 0.99, date: "2026-11-20" },
    references: ["https://example.com/advisory?a=1&b=2"],
    advice: { nearest: "1.3.1", clean: "1.4.0", direct: [{ ref: mocha, path: [root, mocha, pad] }] },
  });
  const settled = findingOf("CVE-2026-0004", mocha, {
    severity: { class: "low", score: 2.1, from: "osv" },
    decisions: [{ status: "not_affected", reason: "vulnerable_code_not_present", by: "security team", document: "d" }],
  });
  const lapsed = findingOf("CVE-2026-0005", mocha, {
    decisions: [{ status: "accepted", reason: "later", by: "x", document: "d", expires: "2026-01-01T00:00:00Z" }],
  });
  const unscored = findingOf("GHSA-unscored", mocha, {
    severity: { class: "unscored", from: "osv" },
    fixState: "not-fixed",
    fixedVersions: [],
  });
  const result: ScanResult = {
    ...base,
    sbom: { ...base.sbom, losses: [{ path: "a/b.jar", code: "ZIP_TRUNCATED", message: "found the end" }] },
    findings: [critical, unscored, lapsed, settled],
    licences: [
      { component: pad, expression: "WTFPL", class: "denied", reason: "WTFPL is denied" },
      { component: mocha, class: "unknown", reason: "no licence is known" },
    ],
    notEvaluated: [{ component: "pkg:generic/x", reason: "no-ecosystem", message: "no ecosystem" }],
  };
  const gate: ScanGateResult = {
    verdict: "refused",
    results: [
      {
        rule: "severity",
        outcome: "refused",
        message: "expected no vulnerability of class high or above, found 2",
        code: "SCAN_SEVERITY",
        concerns: [{ component: pad, finding: "CVE-2026-0001" }],
      },
      { rule: "losses", outcome: "warned", message: "1 file could not be read", concerns: [] },
      { rule: "epss", outcome: "not-evaluated", message: "the gate has no such rule", concerns: [] },
      { rule: "known-exploited", outcome: "passed", message: "none", concerns: [] },
    ],
  };
  return { result, gate };
}
