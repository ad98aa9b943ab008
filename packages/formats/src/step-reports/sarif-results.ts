import { parseJson } from "@touchmark/core";
import { stepReportErrors } from "./errors.ts";
import { failureText, mostFailures, type ReadReport } from "./report.ts";

/** Findings of an analyser, as SARIF 2.1.0 has them: counted by level, suppressed ones apart (section 3.27). */
export function readSarif(bytes: Uint8Array, maxBytes: number): ReadReport {
  const document = objectOf(parse(bytes, maxBytes), "an object");
  if (document["version"] !== "2.1.0") {
    throw stepReportErrors.make(
      "REPORT_FILE_MALFORMED",
      `expected SARIF of version 2.1.0, found ${JSON.stringify(document["version"] ?? null)}`,
    );
  }
  const counts = { error: 0, warning: 0, note: 0, none: 0, suppressed: 0 };
  const tools: string[] = [];
  const failures: string[] = [];
  for (const each of listOf(document["runs"], "runs")) {
    const run = objectOf(each, "a run");
    const driver = objectOf(objectOf(run["tool"], "a tool")["driver"], "a driver");
    if (typeof driver["name"] === "string") tools.push(driver["name"]);
    const levels = defaultLevels(driver["rules"]);
    for (const item of listOf(run["results"] ?? [], "results")) {
      const result = objectOf(item, "a result");
      const { level, words, isSuppressed } = readResult(result, levels);
      if (isSuppressed) counts.suppressed++;
      else counts[level]++;
      if (!isSuppressed && level !== "none" && failures.length < mostFailures) failures.push(failureText(words));
    }
  }
  const tool = tools.join(", ").slice(0, 200);
  const summary = Object.entries(counts).map(([name, value]) => ({ name, value: String(value) }));
  return { format: "sarif-2.1.0", ...(tool === "" ? {} : { tool: failureText(tool) }), summary, failures };
}

type Level = "error" | "warning" | "note" | "none";
const levelsKnown: readonly string[] = ["error", "warning", "note", "none"];

function readResult(result: Members, levels: ReadonlyMap<string, Level>) {
  const rule = typeof result["ruleId"] === "string" ? result["ruleId"] : "";
  const { level: stated, kind } = result;
  // A result that says neither has the level of its rule, else warning; what is no failure has none (3.27.9, 3.27.10).
  const isFailure = kind === undefined || kind === "fail";
  const level = isLevel(stated) ? stated : isFailure ? (levels.get(rule) ?? "warning") : "none";
  const { message } = result;
  const text =
    typeof message === "object" && message !== null && !Array.isArray(message) ? (message as Members)["text"] : "";
  const { suppressions } = result;
  const isSuppressed =
    Array.isArray(suppressions) &&
    suppressions.length > 0 &&
    suppressions.every((each) => {
      const status = typeof each === "object" && each !== null ? (each as Members)["status"] : undefined;
      return status === undefined || status === "accepted";
    });
  return { level, words: `${rule}: ${typeof text === "string" ? text : ""}`, isSuppressed };
}

function defaultLevels(rules: unknown): ReadonlyMap<string, Level> {
  const levels = new Map<string, Level>();
  for (const each of Array.isArray(rules) ? rules : []) {
    const rule = objectOf(each, "a rule");
    const { id, defaultConfiguration } = rule;
    const level =
      typeof defaultConfiguration === "object" && defaultConfiguration !== null
        ? (defaultConfiguration as Members)["level"]
        : undefined;
    if (typeof id === "string" && isLevel(level)) levels.set(id, level);
  }
  return levels;
}

function isLevel(value: unknown): value is Level {
  return typeof value === "string" && levelsKnown.includes(value);
}

type Members = { readonly [name: string]: unknown };

function parse(bytes: Uint8Array, maxBytes: number): unknown {
  try {
    return parseJson(bytes, { maxBytes, maxDepth: 64 });
  } catch (cause) {
    throw stepReportErrors.make("REPORT_FILE_MALFORMED", "expected JSON", { cause });
  }
}

function objectOf(value: unknown, what: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw stepReportErrors.make(
      "REPORT_FILE_MALFORMED",
      `expected ${what}, found ${JSON.stringify(value ?? null).slice(0, 40)}`,
    );
  }
  return value as Members;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw stepReportErrors.make("REPORT_FILE_MALFORMED", `expected a list of ${what}`);
  return value;
}
