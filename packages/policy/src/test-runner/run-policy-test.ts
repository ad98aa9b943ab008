import type { PolicyTest } from "@touchmark/formats/policy";
import type { Decision, RuleResult } from "../decision.ts";
import { decideWithStated } from "../engine/stated.ts";
import { type PolicyTestCase, statedInput, type TestSetting } from "./stated-case.ts";

/** What came of one case. */
export interface PolicyTestResult {
  readonly name: string;
  readonly passed: boolean;
  /** Each: what was expected and what came. */
  readonly differences: readonly string[];
  /** Stated, never verified: it says so, and nobody can sign it. */
  readonly decision: Decision;
}

/** Runs every case of a test. Pure: the same test, policy and time give the same results. */
export function runPolicyTest(test: PolicyTest, setting: TestSetting): readonly PolicyTestResult[] {
  return test.cases.map((stated) => {
    const decision = decideWithStated(statedInput(stated, setting));
    const differences = compare(stated, decision);
    return { name: stated.name, passed: differences.length === 0, differences, decision };
  });
}

function compare({ expect }: PolicyTestCase, decision: Decision): readonly string[] {
  const differences: string[] = [];
  if (decision.result !== expect.decision) {
    const why = decision.result === "deny" ? `: ${denialsOf(decision).slice(0, 3).join("; ")}` : "";
    differences.push(`expected the decision ${expect.decision}, found ${decision.result}${why}`);
  }
  const results = new Map<string, RuleResult>(
    decision.verdicts.flatMap(({ rules }) => rules).map((each) => [each.id, each]),
  );
  for (const [id, outcome] of Object.entries(expect.rules ?? {})) {
    const found = results.get(id);
    if (found === undefined) differences.push(`expected the rule ${id} ${outcome}, found no such rule`);
    else if (found.outcome !== outcome) {
      const why = found.message === undefined ? "" : `: ${found.message}`;
      differences.push(`expected the rule ${id} ${outcome}, found ${found.outcome}${why}`);
    }
  }
  const codes = new Set<string>(allDenials(decision).map(({ code }) => code));
  for (const code of expect.codes ?? []) {
    if (codes.has(code)) continue;
    differences.push(`expected the code ${code}, found ${codes.size === 0 ? "none" : [...codes].join(", ")}`);
  }
  return differences;
}

function allDenials(decision: Decision) {
  return [...decision.denials, ...decision.verdicts.flatMap(({ denials }) => denials)];
}

function denialsOf(decision: Decision): readonly string[] {
  return allDenials(decision).map(
    ({ code, rule, message }) => `${code}${rule === undefined ? "" : ` ${rule}`}: ${message}`,
  );
}
