import { announcementsOf, missing, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

/** The licence that a package declares. */
export const licence: Rule = {
  id: "licence",
  what: "The licence that a package declares is admitted. Licence texts inside the archive are not compared with it: that comes with the bill of materials, and until then the gap is recorded.",
  setting:
    "`gate.licence-allowed`, `gate.licence-denied`: SPDX identifiers. Default: no rule, which is recorded as not evaluated.",
  example: "expected another licence of left-pad@1.3.0 (npm), found AGPL-3.0-only",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (candidate.facts.kind !== "archive") return notApplicable("no package archive");
    const { allowed, denied } = rules.licence;
    const declared = candidate.archive?.licence ?? announcementsOf(candidate).find((each) => each.licence)?.licence;
    if (allowed === undefined && denied.length === 0) {
      return notEvaluated(`no licence rule; declared: ${declared?.slice(0, 100) ?? "nothing"}`);
    }
    if (declared === undefined) {
      if (candidate.phase === "contact") return notEvaluated("decided when the archive is here");
      return missing(`the declared licence of ${nameOf(candidate)}`);
    }
    const admits = (id: string) =>
      !denied.includes(id) &&
      (allowed === undefined || allowed.includes(id) || allowed.includes(id.replace(/\+$/, "")));
    const verdict = admitsExpression(declared, admits);
    if (verdict === true) return passed(`declares ${declared.slice(0, 100)}`);
    const found =
      verdict === undefined
        ? `${JSON.stringify(declared.slice(0, 100))}, which is no SPDX expression`
        : declared.slice(0, 100);
    return refused("GATE_LICENCE", `expected another licence of ${nameOf(candidate)}, found ${found}`);
  },
};

/**
 * True when an SPDX expression can be satisfied with admitted licences: one side of OR, both of AND. Undefined for
 * what is no expression.
 */
export function admitsExpression(text: string, admits: (id: string) => boolean): boolean | undefined {
  const tokens = text.match(/\(|\)|[^\s()]+/g) ?? [];
  if (tokens.length === 0 || tokens.length > 500) return undefined;
  let at = 0;
  const one = (depth: number): boolean | undefined => {
    const token = tokens[at++];
    if (token === undefined || depth > 20) return undefined;
    if (token === "(") {
      const inner = either(depth + 1);
      return tokens[at++] === ")" ? inner : undefined;
    }
    if (!/^[A-Za-z0-9.:+-]+$/.test(token) || /^(?:AND|OR|WITH)$/i.test(token)) return undefined;
    if (/^WITH$/i.test(tokens[at] ?? "")) {
      at += 2;
      if (tokens[at - 1] === undefined) return undefined;
    }
    return admits(token);
  };
  const both = (depth: number): boolean | undefined => joined(depth, /^AND$/i, one, (a, b) => a && b);
  const either = (depth: number): boolean | undefined => joined(depth, /^OR$/i, both, (a, b) => a || b);
  const joined = (
    depth: number,
    word: RegExp,
    part: (depth: number) => boolean | undefined,
    join: (a: boolean, b: boolean) => boolean,
  ): boolean | undefined => {
    let value = part(depth);
    while (value !== undefined && word.test(tokens[at] ?? "")) {
      at++;
      const next = part(depth);
      value = next === undefined ? undefined : join(value, next);
    }
    return value;
  };
  const value = either(0);
  return at === tokens.length ? value : undefined;
}
