import type { ConsideredAttestation, Decision, Denial, PolicyVerdict, RuleResult } from "../decision.ts";
import { type Branch, leaf, oneLine } from "./branch.ts";

/** A decision as lines that belong to each other: what the terminal tree and the Markdown page both show. */
export function explain(decision: Decision): Branch {
  const { subject, point, at, result, stated } = decision;
  const digest = subject.digest === undefined || subject.digest === subject.name ? "" : ` ${subject.digest}`;
  const where = `at the point ${point}, ${at === "" ? "at no time" : at}`;
  return {
    tone: result === "allow" ? "good" : "bad",
    label: result,
    text: oneLine(`${subject.name}${digest}, ${where}`),
    children: [
      ...(stated === true ? [leaf("warn", "stated", "the evidence is a test's own word; nothing was verified")] : []),
      ...decision.denials.map((denial) => denialBranch(denial, undefined)),
      ...decision.verdicts.map(verdictBranch),
      ...decision.inputs.refused.map(({ bundle, code }) => leaf("warn", "not verified", `${bundle}: ${code}`)),
    ],
  };
}

function verdictBranch(verdict: PolicyVerdict): Branch {
  const { policy, rules, attestations, expiresInDays } = verdict;
  const [denials, skipped] = parted(verdict.denials);
  const denied = new Set(verdict.denials.flatMap(({ rule }) => (rule === undefined ? [] : [rule])));
  const passed = rules.filter((rule) => rule.outcome === "passed");
  const isDeny = verdict.verdict === "deny";
  return {
    tone: isDeny ? (policy.mode === "enforce" ? "bad" : "warn") : "good",
    label: verdict.verdict,
    text: oneLine(`policy ${policy.name}, version ${policy.version}${modeWords[policy.mode]}; ${lasts(expiresInDays)}`),
    children: [
      ...denials.map((denial) =>
        denialBranch(
          denial,
          rules.find(({ id }) => id === denial.rule),
        ),
      ),
      ...skipped,
      ...rules.filter(({ id, outcome }) => outcome !== "passed" && !denied.has(id)).map(ruleBranch),
      ...attestations.map(attestationBranch),
      ...(verdict.warnings ?? []).map((warning) => leaf("warn", "noticed", warning)),
      ...(passed.length === 0 ? [] : [leaf("good", "passed", passed.map(({ id }) => id).join(", "))]),
    ],
  };
}

/** Denials, and one line for all rules that were not judged: what to do about them is said where they depend on. */
function parted(denials: readonly Denial[]): readonly [readonly Denial[], readonly Branch[]] {
  const isSkipped = ({ code }: Denial): boolean => code === "POLICY_RULE_SKIPPED";
  const names = denials.filter(isSkipped).flatMap(({ rule }) => rule ?? []);
  if (names.length < 2) return [denials, []];
  const text = oneLine(`what these depend on did not pass: ${names.join(", ")}`, 2000);
  return [denials.filter((each) => !isSkipped(each)), [{ ...leaf("bad", "POLICY_RULE_SKIPPED", ""), text }]];
}

const modeWords = {
  enforce: "",
  warn: ", which only warns",
  audit: ", which only records",
  shadow: ", in shadow",
} as const;

function lasts(days: number): string {
  if (days < 0) return `expired ${-days === 1 ? "a day" : `${-days} days`} ago`;
  if (days === 0) return "expires within a day";
  return days === 1 ? "expires in a day" : `expires in ${days} days`;
}

function denialBranch(denial: Denial, rule: RuleResult | undefined): Branch {
  const place = [
    ...(denial.rule === undefined ? [] : [`rule ${denial.rule}`]),
    ...(denial.step === undefined ? [] : [`step ${denial.step}`]),
    ...(rule === undefined ? [] : [rule.severity]),
  ];
  return {
    ...leaf("bad", denial.code, `${denial.message}${place.length === 0 ? "" : ` (${place.join(", ")})`}`),
    children: [...(rule === undefined ? [] : valueBranches(rule)), ...solutionBranches(denial.solution)],
  };
}

/** A rule that neither passed nor denies. */
function ruleBranch(rule: RuleResult): Branch {
  const { id, outcome, message, exception, effectiveOn } = rule;
  const said = message === undefined ? "" : `: ${message}`;
  if (exception !== undefined) {
    const { id: name, expires, reason, statement } = exception;
    const text = `${id}${said}; by the exception ${name} until ${expires}: ${reason} (${statement})`;
    return { ...leaf("warn", outcome, text), children: valueBranches(rule) };
  }
  const from = outcome === "pending" && effectiveOn !== undefined ? `, which counts from ${effectiveOn}` : "";
  return {
    ...leaf("warn", outcome, `${id}${from}${said}`),
    children: [...valueBranches(rule), ...solutionBranches(rule.solution)],
  };
}

function valueBranches({ values }: RuleResult): readonly Branch[] {
  return values.map(({ expression, value, error }) => ({
    ...leaf("dim", undefined, ""),
    text: `${oneLine(expression, 160)} is ${oneLine(value ?? `in error: ${error ?? "no value"}`, 200)}`,
    isCode: true,
  }));
}

function solutionBranches(solution: string | undefined): readonly Branch[] {
  return solution === undefined ? [] : [leaf("plain", "what to do", solution)];
}

function attestationBranch(attestation: ConsideredAttestation): Branch {
  const { wanted, statement, signer, functionary, notCounted } = attestation;
  const what = `${wanted}, ${statement}, signed by ${signer}`;
  return notCounted === undefined
    ? leaf("good", "counted", `${what}${functionary === undefined ? "" : `, for ${functionary}`}`)
    : leaf("warn", "not counted", `${what}: ${notCounted}`);
}
