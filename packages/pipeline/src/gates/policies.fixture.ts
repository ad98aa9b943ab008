import { decisionPoints } from "@touchmark/formats/policy";
import type { PolicyFile } from "../policy/index.ts";

/** One policy for each point, with one rule; `true` where nothing else is said. Used by tests only. */
export function oneRuleEach(rules: Partial<Record<(typeof decisionPoints)[number], string>>): readonly PolicyFile[] {
  return decisionPoints.map((point) => policyOf(point, { rules: [rule(rules[point] ?? "subject.name != ''")] }));
}

/** A policy with these members. */
export function policyOf(point: string, members: object): PolicyFile {
  const document = { touchmark: "policy/v1", name: `test-${point}`, version: 1, expires: "2099-01-01T00:00:00Z" };
  return { name: `${point}.json`, bytes: Buffer.from(JSON.stringify({ ...document, point, ...members })) };
}

/** A rule with an expression. */
export const rule = (expression: string) => ({ id: "rule", title: "The rule of the test", expression });
