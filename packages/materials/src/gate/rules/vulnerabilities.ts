import type { SeverityClass } from "@touchmark/formats/findings";
import { carriesPackage, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

const order: readonly SeverityClass[] = ["none", "low", "medium", "high", "critical"];

/** Known vulnerabilities of a package, by the advisory data of this factory. */
export const vulnerabilities: Rule = {
  id: "vulnerabilities",
  what: "Known vulnerabilities of a package are below a severity, by the advisory data of this factory. A vulnerability without a score counts as one above. Where there is no data the gap is recorded; with the rule every package that cannot be judged is refused.",
  setting: "`gate.vulnerabilities`: a severity. Default: none.",
  example: "expected no vulnerability of class high or above in left-pad@1.3.0 (npm), found CVE-2026-0001 (critical)",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
    const known = candidate.vulnerabilities;
    const threshold = rules.vulnerabilities;
    if (known === undefined || known.notEvaluated !== undefined) {
      const why = known?.notEvaluated ?? "no advisory source is configured";
      if (threshold === undefined) return notEvaluated(why);
      return refused(
        "GATE_NOT_EVALUATED",
        `expected advisory data to judge ${nameOf(candidate)} by (${threshold}), found none: ${why}`,
      );
    }
    const words = known.findings.map(({ id, class: which }) => `${id} (${which})`);
    if (threshold === undefined) {
      return words.length === 0
        ? passed("no known vulnerability")
        : notEvaluated(`no rule over vulnerabilities; known: ${words.slice(0, 20).join(", ")}`);
    }
    const grave = known.findings.filter(
      (each) => each.class === "unscored" || order.indexOf(each.class) >= order.indexOf(threshold),
    );
    if (grave.length === 0) return passed(`no known vulnerability of class ${threshold} or above`);
    const found = grave.slice(0, 20).map(({ id, class: which }) => `${id} (${which})`);
    const fixed = grave.every((each) => each.fixed !== undefined) ? known.clean : undefined;
    return refused(
      "GATE_VULNERABLE",
      `expected no vulnerability of class ${threshold} or above in ${nameOf(candidate)}, found ${found.join(", ")}`,
      fixed,
    );
  },
};
