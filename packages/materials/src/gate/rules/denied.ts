import { coversPackage } from "@touchmark/formats/package-url";
import { carriesPackage, missing, nameOf, notApplicable, passed, purlOf, type Rule, refused } from "../rule.ts";

/** Packages that are never admitted. */
export const denied: Rule = {
  id: "denied",
  what: "Packages on the list of denied packages are refused, at every version that the pattern covers.",
  setting: "`gate.denied`: a list of `package` (pattern) and `reason`. Default: empty.",
  example: "expected no denied package, found left-pad@1.3.0 (npm): sabotaged release",
  exceptable: "versioned",
  evaluate(rules, candidate) {
    if (rules.denied.length === 0) return notApplicable("no package is denied");
    const purl = purlOf(candidate);
    if (purl === undefined) {
      if (!carriesPackage(candidate)) return notApplicable("the answer belongs to no one package");
      return missing("a package name, to compare with the denied ones");
    }
    const hit = rules.denied.find((each) => coversPackage(each.packages, purl));
    if (!hit) return passed(`${rules.denied.length} denied patterns cover other packages`);
    return refused("GATE_DENIED", `expected no denied package, found ${nameOf(candidate)}: ${hit.reason}`);
  },
};
