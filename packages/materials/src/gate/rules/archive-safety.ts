import { missing, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

/** Archives hold what every reader reads alike, inside their own directory. */
export const archiveSafety: Rule = {
  id: "archive-safety",
  what: "An archive was read whole, and holds nothing that two readers read differently or that leaves its directory: paths, links, two entries of one name, header games, devices, bombs.",
  setting: "No setting: always on.",
  example: "expected a plain archive of left-pad@1.3.0 (npm), found ARCHIVE_PATH_OUTSIDE: ../../etc/cron.d/x",
  exceptable: "versioned",
  evaluate(_rules, candidate) {
    const { kind } = candidate.facts;
    const { archive } = candidate;
    if (kind !== "archive" && archive === undefined) return notApplicable("no package archive");
    if (candidate.phase === "contact") return notEvaluated("decided when the archive is here");
    if (archive === undefined) return missing("the inspected archive");
    if (archive.faults.length === 0) {
      return passed(
        archive.format === "none" ? "a single file, no archive" : `${archive.files} entries of a ${archive.format}`,
      );
    }
    const shown = archive.faults.slice(0, 5).map((each) => `${each.code}: ${each.message}`);
    const more = archive.faults.length > 5 ? ` and ${archive.faults.length - 5} more` : "";
    return refused(
      "GATE_ARCHIVE_UNSAFE",
      `expected a plain archive of ${nameOf(candidate)}, found ${shown.join("; ")}${more}`,
    );
  },
};
