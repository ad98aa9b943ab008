import { coversPackage } from "@touchmark/formats/package-url";
import type { Candidate } from "../decision.ts";
import { comparableName } from "../package-pattern.ts";
import { carriesPackage, missing, nameOf, notApplicable, passed, purlOf, type Rule, refused } from "../rule.ts";

/** Somebody looked at the component and signed what he decided. */
export const thirdPartyReview: Rule = {
  id: "third-party-review",
  what: "A signed review that denies a package refuses it. Where reviews are required, a package without one that accepts it and is still valid is refused: no decision, no ingest.",
  setting:
    "`gate.third-party-review`: `off` (default), `new` names or `all`; `gate.review-parties`: whose reviews count.",
  example: "expected a signed review that accepts colourama@0.1.6 (pypi), found none",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate) || candidate.facts.kind === "download")
      return notApplicable("no third-party package");
    const { required, parties } = rules.thirdPartyReview;
    const purl = purlOf(candidate);
    if (purl === undefined) {
      return required === "off" ? notApplicable("no package name") : missing("a package name, to find its review");
    }
    const now = candidate.now.getTime();
    const covering = (candidate.reviews ?? []).filter((each) => coversPackage(each.packages, purl));
    const valid = covering.filter((each) => Date.parse(each.expires) > now);
    const denial = valid.find((each) => each.decision === "deny");
    if (denial) {
      return refused(
        "GATE_REVIEW_DENIES",
        `expected an accepted package, found ${nameOf(candidate)} denied by ${denial.approver}`,
      );
    }
    const counted = valid.filter((each) => parties.includes(each.party));
    const accepting = counted.find(
      (each) => each.decision === "accept" || (each.decision === "limit" && each.steps.includes(candidate.step)),
    );
    if (accepting) return passed(`accepted by ${accepting.approver} until ${accepting.expires}`);
    const limited = counted.find((each) => each.decision === "limit");
    if (limited) {
      return refused(
        "GATE_REVIEW_DENIES",
        `expected one of the steps ${limited.steps.join(", ")} for ${nameOf(candidate)}, as ${limited.approver} limits it, found ${candidate.step}`,
      );
    }
    if (required === "off") return notApplicable("no review is required");
    if (required === "new") {
      const known = isKnown(candidate);
      if (known === undefined) return missing("the history of the package, to know whether it is new");
      if (known) return passed("not new: the user's runs had it before");
    }
    const stale = covering.find((each) => Date.parse(each.expires) <= now);
    const found = stale ? `one that expired on ${stale.expires}` : "none";
    return refused("GATE_REVIEW_MISSING", `expected a signed review that accepts ${nameOf(candidate)}, found ${found}`);
  },
};

function isKnown({ facts, known, history }: Candidate): boolean | undefined {
  const name = comparableName(facts.ecosystem, facts.name ?? "");
  if (known?.some((each) => comparableName(facts.ecosystem, each) === name)) return true;
  return history === undefined ? undefined : history.versions.length > 0;
}
