import { coversPackage } from "@touchmark/formats/package-url";
import { lookalikeOf } from "../likeness.ts";
import { comparableName } from "../package-pattern.ts";
import { carriesPackage, missing, nameOf, notApplicable, passed, purlOf, type Rule, refused } from "../rule.ts";
import { lockedVersions } from "./locked.ts";

/** Names that are one slip, one look or one separator away from a known one. */
export const lookalike: Rule = {
  id: "lookalike",
  what: "The name of a package that is new to the user does not look like a known one: one letter more, less, other or swapped, letters that look alike, other separators, a scope that imitates another. Known are the names of lockfiles of earlier runs and those configured.",
  setting:
    "`gate.lookalike`: `refuse` (default), `record` or `off`; `gate.known-names`; `gate.lookalike-except`: patterns.",
  example: "expected a name that is not taken for another, found colourama@0.1.6 (pypi), one letter away from colorama",
  exceptable: "any",
  evaluate(rules, candidate) {
    const { mode, names, except } = rules.lookalike;
    const { ecosystem, name } = candidate.facts;
    if (mode === "off") return notApplicable("switched off");
    if (ecosystem === "generic" || ecosystem === "git") return notApplicable("named by address and digest");
    if (name === undefined) {
      return carriesPackage(candidate)
        ? missing("a package name")
        : notApplicable("the answer belongs to no one package");
    }
    const purl = purlOf(candidate);
    if (purl !== undefined && except.some((each) => coversPackage(each, purl))) return passed("named as it should be");
    const own = comparableName(ecosystem, name);
    const trusted = new Set([...names, ...(candidate.known ?? [])].map((each) => comparableName(ecosystem, each)));
    if (trusted.has(own)) return passed("a known name");
    const isLocked = lockedVersions(candidate).length > 0;
    // A package that nothing locks must not look like one that is locked.
    const others = isLocked
      ? []
      : candidate.locked.filter((each) => each.ecosystem === ecosystem).map((each) => each.name);
    const hit = lookalikeOf(ecosystem, name, [...trusted, ...rules.lookalike.protected, ...others]);
    if (hit === undefined) return passed(`unlike ${trusted.size} known names`);
    const message = `found ${nameOf(candidate)}, ${hit.how} ${hit.name}`;
    if (mode === "record") return passed(`recorded: ${message}`);
    return refused("GATE_LOOKALIKE", `expected a name that is not taken for another, ${message}`, hit.name);
  },
};
