import type { Digest } from "@touchmark/core";
import type { Decision, Denial, PolicyVerdict } from "@touchmark/policy";
import type { AdmissionVerdict, UsedBreakGlass } from "./types.ts";

type Explain = (decision: Decision) => string;

/** Longest line that a caller is told. */
const MAX_MESSAGE = 1024;
const MAX_WARNINGS = 50;

/** Policies let it pass. */
export function allowedBy(
  reference: string,
  decision: Decision,
  explain: Explain,
  warnings: readonly string[],
): AdmissionVerdict {
  const { digest } = decision.subject;
  return {
    reference,
    ...(digest === undefined ? {} : { digest }),
    result: "allow",
    message: "",
    warnings: [...warnings, ...warningsOf(decision)],
    decisions: [decision],
    explanation: explain(decision),
  };
}

/** Policies do not let it pass. */
export function decided(
  reference: string,
  digest: Digest,
  decision: Decision,
  explain: Explain,
  warnings: readonly string[],
): AdmissionVerdict {
  return {
    reference,
    digest,
    result: "deny",
    message: lineOf(reference, reasonsOf(decision)),
    warnings: [...warnings, ...warningsOf(decision)],
    decisions: [decision],
    explanation: explain(decision),
  };
}

/** Nothing could be asked of the policies, which denies. */
export function failed(reference: string, digest: Digest | undefined, code: string, message: string): AdmissionVerdict {
  const line = lineOf(reference, [`${code}: ${message}`]);
  return {
    reference,
    ...(digest === undefined ? {} : { digest }),
    result: "deny",
    message: line,
    warnings: [],
    decisions: [],
    failure: { code, message: message.slice(0, MAX_MESSAGE) },
    explanation: line,
  };
}

/** A denial that a signed permission overrides, for all to see. The decision stays what it was. */
export function brokenGlass(denied: AdmissionVerdict, used: UsedBreakGlass): AdmissionVerdict {
  const line = `break-glass ${used.id} by ${used.by} lets it pass until ${used.expires}: ${used.reason}`;
  return {
    ...denied,
    result: "allow",
    message: "",
    warnings: [line, `without it: ${denied.message}`, ...denied.warnings].slice(0, MAX_WARNINGS),
    breakGlass: used,
    explanation: `${line}\n${denied.explanation}`,
  };
}

function lineOf(reference: string, reasons: readonly string[]): string {
  const [first = "denied", ...others] = reasons;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return `${reference.slice(0, 300)}: ${first}`.slice(0, MAX_MESSAGE - more.length) + more;
}

const codeAndWords = ({ code, rule, step, message }: Denial): string =>
  `${code}${rule === undefined ? "" : ` ${rule}`}${step === undefined ? "" : ` step ${step}`}: ${message}`;

/** Why it is denied: what is of no single policy, then each policy in force that denies. */
function reasonsOf({ denials, verdicts }: Decision): string[] {
  const enforcing = verdicts.filter(({ policy, verdict }) => verdict === "deny" && policy.mode === "enforce");
  return [...denials.map(codeAndWords), ...enforcing.flatMap(linesOf)];
}

const linesOf = ({ policy, denials }: PolicyVerdict): string[] =>
  denials.map((each) => `policy ${policy.name}: ${codeAndWords(each)}`);

/** What is told although it passes: policies that only warn, exceptions that were used, rules of tomorrow. */
function warningsOf({ verdicts }: Decision): string[] {
  const lines = verdicts.flatMap((verdict) => [
    ...(verdict.policy.mode === "warn" && verdict.verdict === "deny" ? linesOf(verdict) : []),
    ...(verdict.policy.mode === "shadow" || verdict.policy.mode === "audit" ? [] : rulesToTell(verdict)),
  ]);
  return lines.slice(0, MAX_WARNINGS).map((each) => each.slice(0, MAX_MESSAGE));
}

function rulesToTell({ policy, rules }: PolicyVerdict): string[] {
  return rules.flatMap(({ id, title, outcome, exception, effectiveOn }) => {
    if (exception !== undefined) {
      return [
        `policy ${policy.name}: exception ${exception.id} for ${id} until ${exception.expires}: ${exception.reason}`,
      ];
    }
    if (outcome !== "pending") return [];
    return [`policy ${policy.name}: ${id} will deny from ${effectiveOn ?? "a later date"}: ${title}`];
  });
}
