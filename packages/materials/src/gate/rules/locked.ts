import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { Candidate } from "../decision.ts";
import { comparableName } from "../package-pattern.ts";
import { carriesPackage, missing, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

/** Lock entries of the package, of any version. */
export function lockedVersions(candidate: Candidate): readonly LockedPackage[] {
  const { ecosystem, name } = candidate.facts;
  if (name === undefined) return ecosystem === "generic" || ecosystem === "git" ? candidate.locked : [];
  const wanted = comparableName(ecosystem, name);
  return candidate.locked.filter(
    (each) => each.ecosystem === ecosystem && comparableName(ecosystem, each.name) === wanted,
  );
}

/** Lock entries of the very version that is asked for. */
export function lockEntries(candidate: Candidate): readonly LockedPackage[] {
  const { version } = candidate.facts;
  return lockedVersions(candidate).filter((each) => version === undefined || each.version === version);
}

/** Fetched = declared: by a lockfile, or by the pipeline for downloads and repositories. */
export const locked: Rule = {
  id: "locked",
  what: "Every package that is fetched is named, with its version, by a lockfile or by the pipeline.",
  setting:
    "`gate.unlocked`: per ecosystem `refuse`, `signed` (a verified signature is enough) or `record`. Default: refuse; deb: signed.",
  example: "expected left-pad@1.3.0 (npm) in a lockfile, found only 1.2.0 there",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
    const { ecosystem, name, version } = candidate.facts;
    const plain = ecosystem === "git" || ecosystem === "generic";
    if (!plain && (name === undefined || version === undefined)) return missing("name and version of the package");
    const entries = lockEntries(candidate);
    if (entries.length > 0) return passed(`locked as ${entries[0]?.key}`);
    const mode = rules.unlocked[ecosystem] ?? "refuse";
    if (mode === "record") return passed(`not locked; ${ecosystem} may be recorded instead (gate.unlocked)`);
    if (mode === "signed") {
      if (candidate.phase === "contact") return notEvaluated("not locked; a signature must be verified on arrival");
      const signed = candidate.evidence.find((each) => each.outcome === "verified");
      if (signed) return passed(`not locked; ${signed.kind} was verified instead (gate.unlocked)`);
      return refused(
        "GATE_NOT_LOCKED",
        `expected ${nameOf(candidate)} in a lockfile or with verified evidence, found neither`,
      );
    }
    const versions = lockedVersions(candidate).map((each) => each.version);
    const found = versions.length === 0 ? "nothing of that name" : `only ${versions.slice(0, 5).join(", ")} there`;
    return refused(
      "GATE_NOT_LOCKED",
      `expected ${nameOf(candidate)} in a lockfile, found ${found}`,
      versions.length === 0 ? undefined : versions[0],
    );
  },
};
