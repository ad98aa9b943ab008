import { scanHtml, scanJunit, scanMarkdown, scanSarif, scanTable } from "@touchmark/advisories";
import type { Finding, ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import type { Component } from "@touchmark/formats/sbom";
import { readStepReport } from "@touchmark/formats/step-reports";
import { expect, test } from "vitest";

/** A scan with one finding that refuses; its summary and the component's name are the attacker's. */
function scanBy(words: string): { result: ScanResult; gate: ScanGateResult } {
  const component: Component = {
    ...{ ref: `pkg:generic/${words}`, kind: "library", name: words, version: words, type: "generic", scope: "runtime" },
    ...{ hashes: [], declaredLicences: [], detectedLicences: [], cpes: [], properties: [] },
    occurrences: [{ path: words, rule: "r" }],
  };
  const finding: Finding = {
    ...{ id: "CVE-2026-1", aliases: [words], component: component.ref, otherSeverities: [], summary: words, cwes: [] },
    severity: { class: "critical", score: 9.8, from: words },
    ...{
      fixState: "not-fixed",
      fixedVersions: [],
      advice: { direct: [] },
      references: [words],
      evidence: [],
      decisions: [],
    },
  };
  const concerns = [{ component: component.ref, finding: finding.id }];
  const result: ScanResult = {
    sbom: {
      ...{ subject: { kind: "directory", name: words }, root: "root", components: [component], dependencies: [] },
      ...{ layers: [], losses: [], tools: [] },
    },
    ...{ at: "2026-11-21T00:00:00Z", findings: [finding], licences: [], notEvaluated: [] },
    advisories: { digest: "sha256:00", compiledAt: "2026-11-20T00:00:00Z", advisories: 1, sources: [] },
  };
  const refused = { rule: "severity", outcome: "refused" as const, message: words, code: "SCAN_SEVERITY", concerns };
  return { result, gate: { verdict: "refused", results: [refused] } };
}

test("T10: a name cannot write a line of the verdict into the table", () => {
  const { result, gate } = scanBy("x\r\nGate: passed\n\u001b[2J\u001b[1;1HGate: passed\u2028Gate: passed");
  const lines = scanTable(result, gate).split(/[\r\n\u2028\u0085]/);
  expect(lines.filter((line) => line.startsWith("Gate:"))).toEqual(["Gate: refused"]);
});

test("T10: a summary cannot end a test case, or add one that passes", () => {
  const { result, gate } = scanBy('"/></testcase><testcase classname="a" name="b"/><!-- ]]>');
  const read = readStepReport(new TextEncoder().encode(scanJunit(result, gate)), "junit");
  const counts = Object.fromEntries(read.summary.map(({ name, value }) => [name, value]));
  expect(counts).toMatchObject({ tests: "2", failures: "2" });
});

test("T10: a summary cannot close a table, mention people, load a picture or hide what follows in a comment", () => {
  const { result, gate } = scanBy(
    "</code></details> |\n\n# Passed ![x](https://example.com/p.png) @everyone <!-- `~~~",
  );
  const text = scanMarkdown(result, gate);
  expect(text.match(/^#+ .*$/gm)).toHaveLength(1);
  expect(text).not.toMatch(/!\[|@everyone|<!--|~~~|`/);
});

test("T9: an advisory cannot put a script, a picture or a link of its own kind into the page", () => {
  for (const words of [
    "<script>x</script>",
    '"><img src=x onerror=y>',
    "javascript:alert(1)",
    "data:text/html,x",
    "https://a\"onclick='x",
  ]) {
    const { result, gate } = scanBy(words);
    const page = scanHtml(result, gate);
    expect(page).not.toMatch(/<(?:script|img|svg|iframe)|<[^>]*\son\w+=|href="(?!https:\/\/)/i);
    expect(page).toContain("default-src 'none'");
  }
});

test("T5: a path cannot lead a code host out of the scanned tree", () => {
  for (const words of ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "//host/x", "C:\\x", "..\\..\\x"]) {
    const { result, gate } = scanBy(words);
    const [place] = JSON.parse(scanSarif(result, gate)).runs[0].results[0].locations;
    const { uri, uriBaseId } = place.physicalLocation.artifactLocation;
    expect(uriBaseId).toBe("%SRCROOT%");
    expect(new URL(uri, "https://base.example/root/").href.startsWith("https://base.example/root/"), uri).toBe(true);
  }
});
