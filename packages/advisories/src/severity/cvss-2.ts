import { type MetricTable, readMetrics } from "./vector.ts";

const requirement = ["ND", "L", "M", "H"];

/** Metrics of CVSS 2.0 (section 2); base metrics are mandatory. */
const table: MetricTable = {
  version: "2.0",
  mandatory: ["AV", "AC", "Au", "C", "I", "A"],
  values: {
    AV: ["L", "A", "N"],
    AC: ["H", "M", "L"],
    Au: ["M", "S", "N"],
    C: ["N", "P", "C"],
    I: ["N", "P", "C"],
    A: ["N", "P", "C"],
    E: ["ND", "U", "POC", "F", "H"],
    RL: ["ND", "OF", "TF", "W", "U"],
    RC: ["ND", "UC", "UR", "C"],
    CDP: ["ND", "N", "L", "LM", "MH", "H"],
    TD: ["ND", "N", "L", "M", "H"],
    CR: requirement,
    IR: requirement,
    AR: requirement,
  },
};

const impacts = { N: 0, P: 0.275, C: 0.66 };
const weights: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  C: impacts,
  I: impacts,
  A: impacts,
};

/** Base score of a vector of CVSS 2.0 (section 3.2.1). @throws CVSS_MALFORMED */
export function cvss2BaseScore(text: string, vector: string): number {
  const metrics = readMetrics(table, text, vector);
  const weight = (name: string): number => weights[name]?.[metrics.get(name) ?? ""] ?? 0;
  const impact = 10.41 * (1 - (1 - weight("C")) * (1 - weight("I")) * (1 - weight("A")));
  if (impact === 0) return 0;
  const exploitability = 20 * weight("AV") * weight("AC") * weight("Au");
  return roundToTenth((0.6 * impact + 0.4 * exploitability - 1.5) * 1.176);
}

/** To one decimal, halves up; what floating point adds or takes beyond the sixth decimal is no half. */
function roundToTenth(value: number): number {
  return Math.round(Math.round(value * 1_000_000) / 100_000) / 10;
}
