import { encodeBase64, sha256Bytes } from "@touchmark/core";
import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";
import {
  componentSection,
  coverageSection,
  dataSection,
  findingSection,
  gateSection,
  licenceSection,
} from "./html-sections.ts";
import { htmlStyle } from "./html-style.ts";
import { type ScanView, scanView, severityClasses, verdictWords } from "./view.ts";
import { escapeMarkup } from "./visible.ts";

/**
 * The scan as one HTML file: no script, nothing fetched, all text from outside escaped, and a content security policy
 * that admits its own style sheet alone. Deterministic.
 */
export function scanHtml(result: ScanResult, gate?: ScanGateResult): string {
  const view = scanView(result, gate);
  const { subject } = result.sbom;
  const title = [subject.name, subject.version].filter(Boolean).join(" ");
  const style = encodeBase64(sha256Bytes(htmlStyle));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Scan of ${escapeMarkup(title, 200)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
${head(view, title)}
${gateSection(view)}
${findingSection(view)}
${licenceSection(view)}
${coverageSection(view)}
${componentSection(view)}
${dataSection(view)}
</main>
</body>
</html>
`;
}

function head(view: ScanView, title: string): string {
  const { subject, distribution } = view.result.sbom;
  const verdict = view.gate?.verdict ?? "not-evaluated";
  const system =
    distribution === undefined ? "" : ` on ${distribution.name ?? `${distribution.id} ${distribution.version}`}`;
  const digest = subject.digest === undefined ? "" : `<p class="soft mono">${escapeMarkup(subject.digest)}</p>`;
  return `<header>
<h1>${escapeMarkup(title)}</h1>
<p class="soft">${escapeMarkup(subject.kind + system)}, scanned at ${escapeMarkup(view.result.at)}</p>
${digest}
<p><span class="verdict ${verdict}">Gate: ${verdictWords(view.gate)}</span></p>
<ul class="facts">
${facts(view)
  .map(([number, what, className]) => `<li><b class="${className}">${number}</b>${what}</li>`)
  .join("\n")}
</ul>
</header>`;
}

/** Numbers that are zero are left out, but for the first. */
function facts(view: ScanView): readonly (readonly [number: string, what: string, className: string])[] {
  const shown = (number: number) => number.toLocaleString("en-US");
  const all: [number, string, string][] = [
    ...severityClasses.map((each): [number, string, string] => [view.open.get(each) ?? 0, each, each]),
    [view.decided, "settled by a decision", "soft"],
    [view.licences.get("denied") ?? 0, "denied by licence", "denied"],
    [view.licences.get("unknown") ?? 0, "of unknown licence", "unknown"],
    [view.result.sbom.losses.length, "not read", "warned"],
  ];
  const some = all.filter(([number]) => number > 0).map(([number, what, name]) => [shown(number), what, name] as const);
  const wasLookedFor = view.result.advisories !== undefined;
  const findings = wasLookedFor
    ? view.findings.length === 0
      ? ([["0", "vulnerabilities known", "good"]] as const)
      : []
    : ([["?", "vulnerabilities not evaluated", "unknown"]] as const);
  return [[shown(view.components), view.components === 1 ? "component" : "components", "soft"], ...findings, ...some];
}
