import { coversPackage } from "@touchmark/formats/package-url";
import {
  carriesPackage,
  missing,
  nameOf,
  notApplicable,
  notEvaluated,
  passed,
  purlOf,
  type Rule,
  refused,
} from "../rule.ts";

/** Signatures and attestations of others that a scope must have. */
export const requiredEvidence: Rule = {
  id: "required-evidence",
  what: "Packages of a scope have every kind of verified evidence that the rules demand for it. Evidence that was found and is wrong refuses any package.",
  setting: "`gate.required-evidence`: a list of `packages` (pattern) and `all` (kinds). Default: empty.",
  example: "expected npm-provenance of @acme/billing@1.2.0 (npm), found it absent",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
    const wrong = candidate.evidence.find((each) => each.outcome === "refused");
    if (wrong) {
      const message = `expected right evidence of ${nameOf(candidate)}, found a wrong ${wrong.kind}: ${wrong.message}`;
      return refused("GATE_EVIDENCE_MISSING", message);
    }
    if (rules.requiredEvidence.length === 0) return notApplicable("no evidence is required");
    const purl = purlOf(candidate);
    if (purl === undefined) return missing("a package name, to know which evidence is required");
    const kinds = new Set(
      rules.requiredEvidence.filter((each) => coversPackage(each.packages, purl)).flatMap((each) => each.all),
    );
    if (kinds.size === 0) return notApplicable("no evidence is required of this package");
    if (candidate.phase === "contact") return notEvaluated("decided when the file and its evidence are here");
    const verified = new Set(candidate.evidence.filter((each) => each.outcome === "verified").map((each) => each.kind));
    const lacking = [...kinds].filter((kind) => !verified.has(kind));
    if (lacking.length === 0) return passed(`verified: ${[...kinds].join(", ")}`);
    const states = lacking.map((kind) => {
      const found = candidate.evidence.find((each) => each.kind === kind);
      return `${kind} ${found?.outcome ?? "absent"}`;
    });
    return refused(
      "GATE_EVIDENCE_MISSING",
      `expected ${lacking.join(", ")} of ${nameOf(candidate)}, found ${states.join(", ")}`,
    );
  },
};
