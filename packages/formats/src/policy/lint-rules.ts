import type { Position } from "../pipeline/definition.ts";

/** Something in a valid policy document that weakens it, or that can never do what it says. */
export interface PolicyLintFinding extends Position {
  readonly rule: PolicyLintRule;
  readonly severity: "error" | "warning" | "note";
  /** `rules.0.expression`. */
  readonly path: string;
  readonly message: string;
}

/** What the lint looks for, why, and what to do. */
export const policyLintRules = {
  expired: { severity: "error", why: "It has expired: it decides nothing, which denies.", fix: "Write a new version." },
  "expires-soon": {
    severity: "note",
    why: "It expires within thirty days, and denies from then on.",
    fix: "Write and install a new version in time.",
  },
  "never-expires": {
    severity: "warning",
    why: "It holds for more than three years: nobody will look at it again.",
    fix: "Let it expire within a year, and renew it.",
  },
  "long-exception": {
    severity: "warning",
    why: "An exception for more than ninety days is a change of the policy.",
    fix: "Shorten it, or change the rule.",
  },
  "wide-exception": {
    severity: "warning",
    why: "An exception for a package without version holds for every release of it.",
    fix: "Name a version, or a digest.",
  },
  "empty-policy": {
    severity: "error",
    why: "A policy without rules, collections, attestations and layout denies everything.",
    fix: "Say what must hold.",
  },
  expression: { severity: "error", why: "An expression does not compile, so its rule denies.", fix: "Correct it." },
  "unknown-name": {
    severity: "error",
    why: "An expression reads a parameter, variable or attestation that is not declared, so it fails.",
    fix: "Declare it, or correct the name.",
  },
  "variable-order": {
    severity: "error",
    why: "A variable reads one that is computed later.",
    fix: "Put the other one before it.",
  },
  "always-true": {
    severity: "error",
    why: "A rule is true whatever it is asked about: it checks nothing.",
    fix: "Remove it, or let it read evidence.",
  },
  "never-true": {
    severity: "error",
    why: "A rule is false whatever it is asked about: it denies everything.",
    fix: "Correct it, or put an expiry in its place.",
  },
  "unknown-collection": {
    severity: "error",
    why: "The library has no such collection, so the policy cannot be evaluated.",
    fix: "`touchmark policy init --help` names the collections.",
  },
  "unknown-dependency": {
    severity: "error",
    why: "A rule depends on one that neither the policy nor its collections have, so it is always skipped.",
    fix: "Correct the name, or add the collection.",
  },
  "never-effective": {
    severity: "warning",
    why: "A rule becomes effective when the policy has expired.",
    fix: "Bring `effectiveOn` forward.",
  },
  "never-matches": {
    severity: "warning",
    why: "Nothing that is asked at this point has what the policy matches.",
    fix: "Move the policy to another point, or drop that part of `match`.",
  },
  "wide-identity": {
    severity: "error",
    why: "A pattern of identities admits anybody of a trust domain, or any trust domain.",
    fix: "Name identities exactly, or fix all but the last part.",
  },
  "star-without-pattern": {
    severity: "warning",
    why: "An identity holds `*` and is compared as a whole, so that nobody has it.",
    fix: "Add `pattern: true`, or name the identity.",
  },
  "identity-without-issuer": {
    severity: "warning",
    why: "An identity that is no SPIFFE id comes from elsewhere, and only this factory's issuer is meant.",
    fix: "Name its `issuer`.",
  },
  "unused-functionary": { severity: "warning", why: "Nobody asks for a functionary.", fix: "Remove it." },
  unused: {
    severity: "note",
    why: "A parameter, variable or attestation is read by no expression.",
    fix: "Remove it.",
  },
  "not-enforced": { severity: "note", why: "The policy announces, and denies nothing.", fix: "Set `mode: enforce`." },
  "no-solution": {
    severity: "note",
    why: "Whoever fails the rule is not told what to do.",
    fix: "Write `solution`.",
  },
  "open-artifacts": {
    severity: "warning",
    why: "What no rule speaks of is allowed: artifact rules that do not end with DISALLOW let anything else pass.",
    fix: "End the rules with DISALLOW `*`.",
  },
  "unreachable-rule": {
    severity: "warning",
    why: "A rule before it takes every artifact, so an artifact rule never counts.",
    fix: "Move it up, or remove it.",
  },
  "unlinked-step": {
    severity: "warning",
    why: "A step comes after another one and matches none of its products: anything could have come between.",
    fix: "Match its materials with the products of that step.",
  },
  "unused-step": {
    severity: "note",
    why: "Nothing takes the products of a step, and the artifact is none of them.",
    fix: "Match them somewhere, or remove the step.",
  },
  "set-without-trust": {
    severity: "warning",
    why: "A set that does not say who may sign the next version leaves that to its installer.",
    fix: "Add `trust`, with a threshold.",
  },
  "threshold-one": {
    severity: "note",
    why: "One person alone can replace the set.",
    fix: "Set `threshold: 2`, with at least three people in `trust`.",
  },
} as const satisfies Readonly<
  Record<string, { readonly severity: PolicyLintFinding["severity"]; readonly why: string; readonly fix: string }>
>;

export type PolicyLintRule = keyof typeof policyLintRules;
