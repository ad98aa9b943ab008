import { carriesPackage, notApplicable, notEvaluated, type Rule, refused } from "../rule.ts";

/** Known vulnerabilities: not evaluated yet, and never silently. */
export const vulnerabilities: Rule = {
  id: "vulnerabilities",
  what: "Known vulnerabilities of a package are below a severity. No advisories are kept yet: without the rule the gap is recorded, with it every package is refused.",
  setting: "`gate.vulnerabilities`: a severity. Default: none.",
  example: "expected advisories to judge left-pad@1.3.0 (npm) by (high), found none: this cannot be evaluated yet",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
    if (rules.vulnerabilities === undefined)
      return notEvaluated("no advisories are kept yet, and no rule asks for them");
    return refused(
      "GATE_NOT_EVALUATED",
      `expected advisories to judge by (${rules.vulnerabilities}), found none: this cannot be evaluated yet`,
    );
  },
};
