import { coversPackage } from "@touchmark/formats/package-url";
import type { Candidate } from "../decision.ts";
import { comparableName } from "../package-pattern.ts";
import {
  announcementsOf,
  carriesPackage,
  type Finding,
  missing,
  nameOf,
  notApplicable,
  notEvaluated,
  passed,
  purlOf,
  type Rule,
  refused,
} from "../rule.ts";

/** New versions wait until others have met what is wrong with them. */
export const minimumAge: Rule = {
  id: "minimum-age",
  what: "A version has been published for some time, by its registry's own date.",
  setting: "`gate.minimum-age`: an age such as `7d`; `gate.minimum-age-except`: patterns. Default: `0s`.",
  example: "expected left-pad@1.3.1 (npm) to be published for 7 days, found 2 hours (1.3.0 would pass)",
  exceptable: "any",
  evaluate(rules, candidate) {
    const { seconds, except } = rules.minimumAge;
    if (seconds === 0) return notApplicable("no minimum age is configured");
    const purl = purlOf(candidate);
    if (purl !== undefined && except.some((each) => coversPackage(each, purl))) return passed("needs no minimum age");
    const limit = candidate.now.getTime() - seconds * 1000;
    return published(candidate, limit, (at) => {
      const age = Math.max(0, candidate.now.getTime() - at);
      const message = `expected ${nameOf(candidate)} to be published for ${words(seconds)}, found ${words(age / 1000)}`;
      return refused("GATE_TOO_YOUNG", message, newestBefore(candidate, limit));
    });
  },
};

/** The world as it was on a date. */
export const versionAsOf: Rule = {
  id: "as-of",
  what: "A version was published on or before a date: the world as it was then.",
  setting: "`gate.as-of`: a date. Default: none.",
  example: "expected a version of left-pad@1.3.1 (npm) published by 2026-01-31T00:00:00Z, found 2026-02-03T10:00:00Z",
  exceptable: "any",
  evaluate(rules, candidate) {
    const { asOf } = rules;
    if (asOf === undefined) return notApplicable("no date is configured");
    const limit = Date.parse(asOf);
    return published(candidate, limit, (at) => {
      const found = new Date(at).toISOString();
      const message = `expected a version of ${nameOf(candidate)} published by ${asOf}, found ${found}`;
      return refused("GATE_AFTER_DATE", message, newestBefore(candidate, limit));
    });
  },
};

function published(candidate: Candidate, limit: number, refuse: (at: number) => Finding): Finding {
  if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
  const { kind } = candidate.facts;
  if (kind === "git" || kind === "download") return notApplicable("pinned by digest in the pipeline or lockfile");
  const dates = announcementsOf(candidate).flatMap((each) =>
    each.publishedAt === undefined ? [] : [each.publishedAt],
  );
  if (dates.length === 0) {
    if (candidate.phase === "contact") return notEvaluated("its date of publication is not known yet");
    return missing(`the date on which ${nameOf(candidate)} was published`);
  }
  const at = Math.max(...dates.map((each) => Date.parse(each)));
  if (Number.isNaN(at)) return missing(`a readable date on which ${nameOf(candidate)} was published`);
  return at > limit ? refuse(at) : passed(`published on ${new Date(at).toISOString()}`);
}

/** The newest version that was announced and published by then. */
function newestBefore(candidate: Candidate, limit: number): string | undefined {
  const { ecosystem, name = "" } = candidate.facts;
  const old = candidate.announced.filter(
    (each) =>
      each.version !== undefined &&
      (each.name === undefined || comparableName(ecosystem, each.name) === comparableName(ecosystem, name)) &&
      each.withdrawn === undefined &&
      Date.parse(each.publishedAt ?? "") <= limit,
  );
  return old.sort((a, b) => Date.parse(b.publishedAt ?? "") - Date.parse(a.publishedAt ?? ""))[0]?.version;
}

function words(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} days`;
  if (seconds >= 7200) return `${Math.floor(seconds / 3600)} hours`;
  return `${Math.floor(seconds)} seconds`;
}
