import { macroVectorScores } from "./cvss-4-lookup.ts";
import { type MetricTable, readMetrics } from "./vector.ts";

const impact = ["H", "L", "N"];
const requirement = ["X", "H", "M", "L"];

/** Metrics of CVSS 4.0 (section 7, table 23); base metrics are mandatory. */
const table: MetricTable = {
  version: "4.0",
  mandatory: ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
  values: {
    AV: ["N", "A", "L", "P"],
    AC: ["L", "H"],
    AT: ["N", "P"],
    PR: ["N", "L", "H"],
    UI: ["N", "P", "A"],
    VC: impact,
    VI: impact,
    VA: impact,
    SC: impact,
    SI: impact,
    SA: impact,
    E: ["X", "A", "P", "U"],
    CR: requirement,
    IR: requirement,
    AR: requirement,
    MAV: ["X", "N", "A", "L", "P"],
    MAC: ["X", "L", "H"],
    MAT: ["X", "N", "P"],
    MPR: ["X", "N", "L", "H"],
    MUI: ["X", "N", "P", "A"],
    MVC: ["X", ...impact],
    MVI: ["X", ...impact],
    MVA: ["X", ...impact],
    MSC: ["X", ...impact],
    MSI: ["X", "S", ...impact],
    MSA: ["X", "S", ...impact],
    S: ["X", "N", "P"],
    AU: ["X", "N", "Y"],
    R: ["X", "A", "U", "I"],
    V: ["X", "D", "C"],
    RE: ["X", "L", "M", "H"],
    U: ["X", "Clear", "Green", "Amber", "Red"],
  },
};

/** Values from the most severe to the least: a step counts one. */
const ladders: Readonly<Record<string, string>> = {
  AV: "NALP",
  AC: "LH",
  AT: "NP",
  PR: "NLH",
  UI: "NPA",
  VC: "HLN",
  VI: "HLN",
  VA: "HLN",
  SC: "SHLN",
  SI: "SHLN",
  SA: "SHLN",
  CR: "HML",
  IR: "HML",
  AR: "HML",
};

/** Metrics of each equivalence set whose distances are measured; EQ3 and EQ6 together, EQ5 has none. */
const measured = {
  eq1: ["AV", "PR", "UI"],
  eq2: ["AC", "AT"],
  eq36: ["VC", "VI", "VA", "CR", "IR", "AR"],
  eq4: ["SC", "SI", "SA"],
} as const;

/** Highest vectors of each level (section 8.2, tables 24 to 30), as values of the metrics above, and its depth. */
const levels: Readonly<Record<keyof typeof measured, Readonly<Record<string, readonly [number, ...string[]]>>>> = {
  eq1: { 0: [1, "NNN"], 1: [4, "ANN", "NLN", "NNP"], 2: [5, "PNN", "ALP"] },
  eq2: { 0: [1, "LN"], 1: [2, "HN", "LP"] },
  eq36: {
    "00": [7, "HHHHHH"],
    "01": [6, "HHLMMH", "HHHMMM"],
    10: [8, "LHHHHH", "HLHHHH"],
    11: [8, "LHLHMH", "LHHHMM", "HLHMHM", "HLLMHH", "LLHHHM"],
    21: [10, "LLLHHH"],
  },
  eq4: { 0: [6, "HSS"], 1: [5, "HHH"], 2: [4, "LLL"] },
};

/**
 * Score of a vector of CVSS 4.0, without its `CVSS:4.0/` prefix (section 8.2). Threat and environmental metrics count
 * where they are given, as that version has one formula for all. @throws CVSS_MALFORMED
 */
export function cvss4Score(text: string, vector: string): number {
  const metrics = readMetrics(table, text, vector);
  const value = (name: string): string => effective(metrics, name);
  if (["VC", "VI", "VA", "SC", "SI", "SA"].every((name) => value(name) === "N")) return 0;
  const [eq1, eq2, eq3, eq4, eq5, eq6] = equivalences(value);
  const scoreOf = (...digits: readonly number[]): number | undefined => macroVectorScores.get(digits.join(""));
  const highest = scoreOf(eq1, eq2, eq3, eq4, eq5, eq6) ?? 0;
  const lower = [
    { at: scoreOf(eq1 + 1, eq2, eq3, eq4, eq5, eq6), share: share("eq1", `${eq1}`, value) },
    { at: scoreOf(eq1, eq2 + 1, eq3, eq4, eq5, eq6), share: share("eq2", `${eq2}`, value) },
    { at: below36(eq3, eq6, (a, b) => scoreOf(eq1, eq2, a, eq4, eq5, b)), share: share("eq36", `${eq3}${eq6}`, value) },
    { at: scoreOf(eq1, eq2, eq3, eq4 + 1, eq5, eq6), share: share("eq4", `${eq4}`, value) },
    { at: scoreOf(eq1, eq2, eq3, eq4, eq5 + 1, eq6), share: 0 },
  ];
  let distance = 0;
  let existing = 0;
  for (const { at, share: part } of lower) {
    if (at === undefined) continue;
    existing++;
    distance += (highest - at) * part;
  }
  const score = existing === 0 ? highest : highest - distance / existing;
  // Binary fractions make 8.549999 of what is 8.55 by the specification: decimals beyond the sixth are not meant.
  return Math.round(Math.round(Math.min(10, Math.max(0, score)) * 1_000_000) / 100_000) / 10;
}

/** The modified value where there is one; requirements and exploit maturity that are not given count as the worst. */
function effective(metrics: ReadonlyMap<string, string>, name: string): string {
  const modified = metrics.get(`M${name}`);
  if (modified !== undefined && modified !== "X") return modified;
  const given = metrics.get(name) ?? "X";
  if (given !== "X") return given;
  return name === "E" ? "A" : "H";
}

function equivalences(value: (name: string) => string): readonly [number, number, number, number, number, number] {
  const is = (name: string, wanted: string): boolean => value(name) === wanted;
  const open = [is("AV", "N"), is("PR", "N"), is("UI", "N")];
  const eq1 = open.every(Boolean) ? 0 : open.some(Boolean) && !is("AV", "P") ? 1 : 2;
  const eq2 = is("AC", "L") && is("AT", "N") ? 0 : 1;
  const eq3 = is("VC", "H") && is("VI", "H") ? 0 : is("VC", "H") || is("VI", "H") || is("VA", "H") ? 1 : 2;
  const isSafety = is("SI", "S") || is("SA", "S");
  const eq4 = isSafety ? 0 : is("SC", "H") || is("SI", "H") || is("SA", "H") ? 1 : 2;
  const eq5 = is("E", "A") ? 0 : is("E", "P") ? 1 : 2;
  const isWanted = ["C", "I", "A"].some((letter) => is(`${letter}R`, "H") && is(`V${letter}`, "H"));
  return [eq1, eq2, eq3, eq4, eq5, isWanted ? 0 : 1];
}

/** Score of the next lower level of EQ3 and EQ6 together; of two such levels the higher one. */
function below36(
  eq3: number,
  eq6: number,
  scoreOf: (eq3: number, eq6: number) => number | undefined,
): number | undefined {
  if (eq6 === 1) return scoreOf(eq3 + 1, 1);
  if (eq3 === 1) return scoreOf(1, 1);
  const [left, right] = [scoreOf(0, 1), scoreOf(1, 0)];
  return left !== undefined && right !== undefined ? Math.max(left, right) : (left ?? right);
}

/** How far a vector is below the highest one of its level, as a part of the level's depth. */
function share(set: keyof typeof measured, level: string, value: (name: string) => string): number {
  const [depth, ...tops] = levels[set][level] ?? [1];
  for (const top of tops) {
    const steps = measured[set].map((name, i) => {
      const ladder = ladders[name] ?? "";
      return ladder.indexOf(value(name)) - ladder.indexOf(top[i] ?? "");
    });
    if (steps.every((step) => step >= 0)) return steps.reduce((sum, step) => sum + step, 0) / depth;
  }
  return 0;
}
