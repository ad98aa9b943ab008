import {
  announcementsOf,
  carriesPackage,
  missing,
  nameOf,
  notApplicable,
  notEvaluated,
  passed,
  type Rule,
  refused,
} from "../rule.ts";

/** Versions that their own registry warns of. */
export const withdrawn: Rule = {
  id: "withdrawn",
  what: "A version is not withdrawn, yanked or deprecated by its registry.",
  setting: "`gate.withdrawn`: `record` (default) or `refuse`.",
  example: "expected a version that stands, found colors@1.4.1 (npm) withdrawn: sabotaged",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
    const { kind } = candidate.facts;
    if (kind === "git" || kind === "download") return notApplicable("no registry keeps it");
    const about = announcementsOf(candidate);
    if (about.length === 0) {
      const isStrict = rules.withdrawn === "refuse" && candidate.phase === "arrival";
      return isStrict ? missing("what its index says of the version") : notEvaluated("its index was not asked for");
    }
    const word = about.find((each) => each.withdrawn !== undefined)?.withdrawn;
    if (word === undefined) return passed("its index does not call it withdrawn");
    const shown = word.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, " ").slice(0, 200);
    if (rules.withdrawn === "record") return passed(`recorded: withdrawn, ${shown}`);
    const other = candidate.announced.find((each) => each.withdrawn === undefined && each.version !== undefined);
    return refused(
      "GATE_WITHDRAWN",
      `expected a version that stands, found ${nameOf(candidate)} withdrawn: ${shown}`,
      other?.version,
    );
  },
};
