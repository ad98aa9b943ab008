import type { PolicyException } from "./exception.ts";
import { type ExpressionCompiler, lintExpressions } from "./lint-expressions.ts";
import { lintLayout } from "./lint-layout.ts";
import { LintNotes } from "./lint-notes.ts";
import type { PolicyLintFinding } from "./lint-rules.ts";
import { lintTrust } from "./lint-trust.ts";
import type { Policy } from "./policy.ts";
import type { PolicySet } from "./policy-set.ts";
import type { PolicyReading } from "./read-document.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** What the lint is told of the world. */
export interface PolicyLintOptions {
  readonly now: Date;
  /** Compiles an expression; without it expressions are not looked into. */
  readonly compile?: ExpressionCompiler;
  /** Ids of the rules of a collection; undefined for one that there is not. */
  readonly collection?: (name: string) => readonly string[] | undefined;
}

/** Looks into a valid document for what weakens it, or can never do what it says. */
export function lintPolicyDocument(reading: PolicyReading, options: PolicyLintOptions): readonly PolicyLintFinding[] {
  const notes = new LintNotes(reading);
  if (reading.kind !== "policy-test") lintExpiry(reading.kind, reading.document.expires, options.now, notes);
  if (reading.kind === "policy") lintPolicy(reading.document, options, notes);
  if (reading.kind === "layout") {
    lintLayout(reading.document, notes);
    if (options.compile !== undefined) lintExpressions(reading, options.compile, notes);
  }
  if (reading.kind === "exception") lintException(reading.document, notes);
  if (reading.kind === "policy-set") lintSet(reading.document, notes);
  return notes.findings();
}

function lintExpiry(kind: PolicyReading["kind"], expires: string, now: Date, notes: LintNotes): void {
  const days = (Date.parse(expires) - now.getTime()) / dayMs;
  if (days <= 0) notes.add("expired", ["expires"], `expired on ${expires}`);
  // Exceptions are short on purpose.
  else if (days < 30 && kind !== "exception")
    notes.add("expires-soon", ["expires"], `expires in ${Math.floor(days)} days`);
  else if (days > 3 * 365) notes.add("never-expires", ["expires"], `expires in ${Math.floor(days / 365)} years`);
}

function lintPolicy(policy: Policy, options: PolicyLintOptions, notes: LintNotes): void {
  const { rules = [], collections = [], attestations = {}, match } = policy;
  if (rules.length + collections.length + Object.keys(attestations).length === 0 && policy.layout === undefined) {
    notes.add("empty-policy", ["name"], `policy ${policy.name} says nothing`);
  }
  if (policy.mode !== undefined && policy.mode !== "enforce")
    notes.add("not-enforced", ["mode"], `mode is ${policy.mode}`);
  if (match?.environments !== undefined && policy.point !== "deploy" && policy.point !== "request") {
    notes.add("never-matches", ["match", "environments"], `nothing at ${policy.point} has an environment`, "key");
  }
  if (match?.namespaces !== undefined && policy.point !== "deploy") {
    notes.add("never-matches", ["match", "namespaces"], `nothing at ${policy.point} has a namespace`, "key");
  }
  lintTrust(policy.trust ?? {}, ["trust"], notes);
  const asked = new Set(Object.values(attestations).flatMap(({ by }) => by));
  for (const name of Object.keys(policy.trust ?? {})) {
    // Whoever may grant exceptions is named there.
    if (!asked.has(name) && !JSON.stringify({ ...policy, trust: {} }).includes(JSON.stringify(name))) {
      notes.add("unused-functionary", ["trust", name], `no attestation is wanted of ${name}`, "key");
    }
  }
  const known = new Set(rules.map(({ id }) => id));
  let isComplete = options.collection !== undefined;
  for (const [i, name] of collections.entries()) {
    const ids = options.collection?.(name);
    for (const id of ids ?? []) known.add(id);
    if (options.collection !== undefined && ids === undefined) {
      isComplete = false;
      notes.add("unknown-collection", ["collections", i], `there is no collection ${name}`);
    }
  }
  for (const [i, rule] of rules.entries()) {
    for (const [j, id] of (rule.dependsOn ?? []).entries()) {
      if (isComplete && !known.has(id)) notes.add("unknown-dependency", ["rules", i, "dependsOn", j], `no rule ${id}`);
    }
    if (rule.effectiveOn !== undefined && Date.parse(rule.effectiveOn) >= Date.parse(policy.expires)) {
      notes.add("never-effective", ["rules", i, "effectiveOn"], `the policy expires on ${policy.expires}`);
    }
    if (rule.solution === undefined) notes.add("no-solution", ["rules", i, "id"], `rule ${rule.id} has no solution`);
  }
  if (options.compile !== undefined) lintExpressions({ kind: "policy", document: policy }, options.compile, notes);
}

function lintException(exception: PolicyException, notes: LintNotes): void {
  const { created, expires, subject } = exception;
  const days = (Date.parse(expires) - Date.parse(created)) / dayMs;
  if (days > 90) notes.add("long-exception", ["expires"], `${Math.floor(days)} days after it was asked for`);
  if (subject.purl !== undefined && !/@[^/?#]+(?:[?#]|$)/.test(subject.purl)) {
    notes.add("wide-exception", ["subject", "purl"], `${subject.purl} names no version`);
  }
}

function lintSet(set: PolicySet, notes: LintNotes): void {
  const trusted = Object.keys(set.trust ?? {});
  if (trusted.length === 0) notes.add("set-without-trust", ["name"], "nobody is named who may sign the next version");
  else if ((set.threshold ?? 1) === 1) {
    notes.add("threshold-one", [set.threshold === undefined ? "trust" : "threshold"], "one signature replaces the set");
  }
  lintTrust(set.trust ?? {}, ["trust"], notes);
}
