import type { ScanGateResult, ScanResult } from "@touchmark/formats/findings";

/** Everything that is known, as JSON: the scan and what the gate says of it, in the order of the types. Deterministic. */
export function scanJson(result: ScanResult, gate?: ScanGateResult): string {
  const { at, advisories, findings, licences, notEvaluated, sbom } = result;
  const report = {
    touchmark: "scan-report/v1",
    verdict: gate?.verdict ?? "not-evaluated",
    at,
    ...(gate === undefined ? {} : { gate: gate.results }),
    ...(advisories === undefined ? {} : { advisories }),
    findings,
    licences,
    notEvaluated,
    sbom,
  };
  return `${JSON.stringify(report, undefined, 2).replace(hidden, escapeUnits)}\n`;
}

/** What a screen, or a reader of another language, could take for more than text. */
const hidden =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function escapeUnits(sign: string): string {
  return [...Array(sign.length).keys()].map((i) => `\\u${sign.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
}
