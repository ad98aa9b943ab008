import { type MetricTable, readMetrics } from "./vector.ts";

const requirement = ["X", "L", "M", "H"];
const modifiedImpact = ["X", "N", "L", "H"];

/** Metrics of CVSS 3.0 and 3.1 (section 6 of 3.1); base metrics are mandatory. */
const table: MetricTable = {
  version: "3",
  mandatory: ["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
  values: {
    AV: ["N", "A", "L", "P"],
    AC: ["L", "H"],
    PR: ["N", "L", "H"],
    UI: ["N", "R"],
    S: ["U", "C"],
    C: ["N", "L", "H"],
    I: ["N", "L", "H"],
    A: ["N", "L", "H"],
    E: ["X", "U", "P", "F", "H"],
    RL: ["X", "O", "T", "W", "U"],
    RC: ["X", "U", "R", "C"],
    CR: requirement,
    IR: requirement,
    AR: requirement,
    MAV: ["X", "N", "A", "L", "P"],
    MAC: ["X", "L", "H"],
    MPR: ["X", "N", "L", "H"],
    MUI: ["X", "N", "R"],
    MS: ["X", "U", "C"],
    MC: modifiedImpact,
    MI: modifiedImpact,
    MA: modifiedImpact,
  },
};

const weights: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};

/** Weights of the privileges that are required, when the scope stays and when it changes. */
const privileges: Readonly<Record<string, readonly [number, number]>> = {
  N: [0.85, 0.85],
  L: [0.62, 0.68],
  H: [0.27, 0.5],
};

/** Base score of a vector of CVSS 3.0 or 3.1, without its `CVSS:3.x/` prefix. @throws CVSS_MALFORMED */
export function cvss3BaseScore(version: "3.0" | "3.1", text: string, vector: string): number {
  const metrics = readMetrics(table, text, vector);
  const weight = (name: string): number => weights[name]?.[metrics.get(name) ?? ""] ?? 0;
  const isChanged = metrics.get("S") === "C";
  const privilege = privileges[metrics.get("PR") ?? ""]?.[isChanged ? 1 : 0] ?? 0;
  const impactBase = 1 - (1 - weight("C")) * (1 - weight("I")) * (1 - weight("A"));
  const impact = isChanged ? 7.52 * (impactBase - 0.029) - 3.25 * (impactBase - 0.02) ** 15 : 6.42 * impactBase;
  if (impact <= 0) return 0;
  const exploitability = 8.22 * weight("AV") * weight("AC") * privilege * weight("UI");
  const sum = Math.min((isChanged ? 1.08 : 1) * (impact + exploitability), 10);
  return version === "3.0" ? Math.ceil(sum * 10) / 10 : roundUp(sum);
}

/** Smallest number with one decimal that is not smaller, without floating-point surprises (3.1, appendix A). */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}
