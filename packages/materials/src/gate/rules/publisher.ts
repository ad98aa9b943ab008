import type { Candidate } from "../decision.ts";
import type { AdmittedVersion } from "../history.ts";
import { announcementsOf, missing, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

/** Somebody new publishes a known package: the sign of a stolen account or an expired domain. */
export const newPublisher: Rule = {
  id: "new-publisher",
  what: "A version is published by somebody who published an admitted version of the package before.",
  setting: "`gate.new-publisher`: `record` (default) or `refuse`.",
  example: "expected ctx@0.2.2 (pypi) from one of figlief, found a new publisher: mallory",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (candidate.facts.kind !== "archive") return notApplicable("no package archive");
    const isStrict = rules.newPublisher === "refuse";
    const others = otherVersions(candidate);
    if (others === undefined) {
      if (candidate.phase === "contact" || !isStrict) return notEvaluated("the history of the package is not known");
      return missing("the history of the package");
    }
    const before = new Set(others.flatMap((each) => (each.publisher === undefined ? [] : [each.publisher])));
    if (before.size === 0) return passed("no publisher is known from before");
    const now = announcementsOf(candidate).find((each) => each.publisher !== undefined)?.publisher;
    if (now === undefined) {
      if (candidate.phase === "contact" || !isStrict) return notEvaluated("its publisher is not known");
      return missing(`the publisher of ${nameOf(candidate)}`);
    }
    if (before.has(now)) return passed(`published by ${now}, as before`);
    const known = [...before].slice(0, 5).join(", ");
    if (!isStrict) return passed(`recorded: a new publisher, ${now}, after ${known}`);
    return refused(
      "GATE_NEW_PUBLISHER",
      `expected ${nameOf(candidate)} from one of ${known}, found a new publisher: ${now}`,
      newest(others)?.version,
    );
  },
};

/** Evidence that was there before and is gone: the sign of a release that passed by the usual pipeline. */
export const vanishedEvidence: Rule = {
  id: "vanished-evidence",
  what: "A version has the kinds of verified evidence that the version admitted last had.",
  setting: "`gate.vanished-evidence`: `refuse` (default) or `record`.",
  example: "expected npm-provenance of ua-parser-js@0.7.29 (npm), as 0.7.28 had it, found it absent",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (candidate.facts.kind !== "archive") return notApplicable("no package archive");
    if (candidate.phase === "contact") return notEvaluated("decided when the file and its evidence are here");
    const isStrict = rules.vanishedEvidence === "refuse";
    if (candidate.history === undefined) {
      return isStrict ? missing("the history of the package") : notEvaluated("the history of the package is not known");
    }
    const own = candidate.history.versions.filter((each) => each.version === candidate.facts.version);
    // Evidence of a file that was admitted before is kept beside it: it need not be asked for again.
    if (own.length > 0) return passed("this version was admitted before");
    const last = newest(otherVersions(candidate) ?? []);
    if (last === undefined || last.evidence.length === 0) return passed("no evidence is known from before");
    const verified = new Set(candidate.evidence.filter((each) => each.outcome === "verified").map((each) => each.kind));
    const gone = last.evidence.filter((kind) => !verified.has(kind));
    if (gone.length === 0) return passed(`has ${last.evidence.join(", ")}, as ${last.version} had`);
    const found = gone.map((kind) => candidate.evidence.find((each) => each.kind === kind)?.outcome ?? "absent");
    const message = `${gone.join(", ")} of ${nameOf(candidate)}, as ${last.version} had it, found it ${found.join(", ")}`;
    if (!isStrict) return passed(`recorded: expected ${message}`);
    return refused("GATE_EVIDENCE_VANISHED", `expected ${message}`, last.version);
  },
};

function otherVersions(candidate: Candidate): readonly AdmittedVersion[] | undefined {
  return candidate.history?.versions.filter((each) => each.version !== candidate.facts.version);
}

function newest(versions: readonly AdmittedVersion[]): AdmittedVersion | undefined {
  return [...versions].sort((a, b) => Date.parse(b.admittedAt) - Date.parse(a.admittedAt))[0];
}
