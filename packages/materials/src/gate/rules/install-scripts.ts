import { coversPackage } from "@touchmark/formats/package-url";
import {
  announcementsOf,
  missing,
  nameOf,
  notApplicable,
  notEvaluated,
  passed,
  purlOf,
  type Rule,
  refused,
} from "../rule.ts";
import type { GateRules } from "../rules.ts";
import { lockEntries } from "./locked.ts";

/** Programs that a package wants to run while it is installed. */
export const installScripts: Rule = {
  id: "install-scripts",
  what: "Install-time programs of packages are listed; in a fetch step none runs. Those allowed by name may run in a later step without network. With `refuse` any other package that has some is refused.",
  setting: "`gate.install-scripts`: `list` (default) or `refuse`; `gate.install-scripts-allowed`: patterns.",
  example: "expected no install-time programs in left-pad@1.3.0 (npm), found package.json scripts.postinstall",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (candidate.facts.kind !== "archive") return notApplicable("no package archive");
    const { archive } = candidate;
    if (candidate.phase === "arrival" && archive === undefined) return missing("the inspected archive");
    const known =
      announcementsOf(candidate).some((each) => each.installScripts) ||
      lockEntries(candidate).some((each) => each.installScripts);
    if (archive === undefined && !known) return notEvaluated("decided when the archive is here");
    const programs = archive?.installScripts ?? ["as its index or lockfile says"];
    if (programs.length === 0) return passed("no install-time programs");
    const list = programs.slice(0, 10).join(", ");
    const purl = purlOf(candidate);
    if (purl !== undefined && mayRunInstallScripts(rules, purl)) return passed(`allowed by name: ${list}`);
    if (rules.installScripts.mode === "list") return passed(`listed, does not run: ${list}`);
    return refused("GATE_INSTALL_SCRIPT", `expected no install-time programs in ${nameOf(candidate)}, found ${list}`);
  },
};

/** True when a later step without network may run the install-time programs of a package. */
export function mayRunInstallScripts(rules: GateRules, purl: string): boolean {
  return rules.installScripts.allowed.some((pattern) => coversPackage(pattern, purl));
}
