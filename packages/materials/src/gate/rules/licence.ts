import { isFactoryError } from "@touchmark/core";
import { judgeLicence, licencePolicy, parseLicenceExpression } from "@touchmark/formats/licences";
import { announcementsOf, missing, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

/** The licence that a package declares. */
export const licence: Rule = {
  id: "licence",
  what: "The licence that a package declares is admitted. Licence texts inside the archive are compared where an artifact is analysed.",
  setting:
    "`gate.licence-allowed`, `gate.licence-denied`: SPDX identifiers. Default: no rule, which is recorded as not evaluated.",
  example: "expected another licence of left-pad@1.3.0 (npm), found AGPL-3.0-only",
  exceptable: "any",
  evaluate(rules, candidate) {
    if (candidate.facts.kind !== "archive") return notApplicable("no package archive");
    const { allowed, denied } = rules.licence;
    const declared = candidate.archive?.licence ?? announcementsOf(candidate).find((each) => each.licence)?.licence;
    if (allowed === undefined && denied.length === 0) {
      return notEvaluated(`no licence rule; declared: ${declared?.slice(0, 100) ?? "nothing"}`);
    }
    if (declared === undefined) {
      if (candidate.phase === "contact") return notEvaluated("decided when the archive is here");
      return missing(`the declared licence of ${nameOf(candidate)}`);
    }
    const judged = judge(declared, { ...(allowed === undefined ? {} : { allow: allowed }), deny: denied });
    if (judged?.class === "allowed") return passed(`declares ${declared.slice(0, 100)}`);
    const found =
      judged === undefined
        ? `${JSON.stringify(declared.slice(0, 100))}, which is no SPDX expression`
        : `${declared.slice(0, 100)} (${judged.reason})`;
    return refused("GATE_LICENCE", `expected another licence of ${nameOf(candidate)}, found ${found}`);
  },
};

/** What the user's lists say of an expression: one side of OR, both of AND. Undefined for what is no expression. */
function judge(text: string, lists: { readonly allow?: readonly string[]; readonly deny: readonly string[] }) {
  try {
    const policy = licencePolicy({ ...lists, unlisted: lists.allow === undefined ? "allowed" : "denied" });
    return judgeLicence(parseLicenceExpression(text), policy);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    // Lists that cannot be read admit nothing.
    return error.code === "LICENCE_POLICY_INVALID" ? { class: "denied" as const, reason: error.message } : undefined;
  }
}
