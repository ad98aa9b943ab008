import type { DocumentProblems } from "./document-problems.ts";
import type { PolicyException } from "./exception.ts";
import type { PolicyDocumentKind } from "./kinds.ts";
import type { Layout } from "./layout.ts";
import { checkLayout } from "./layout-references.ts";
import { checkFunctionaries, checkNames, checkRules, checkThreshold, checkUnique } from "./names.ts";
import type { Policy } from "./policy.ts";
import type { PolicySet } from "./policy-set.ts";

/** Notes what a shape cannot say: names that stand twice, that lead nowhere, or in a circle. */
export function checkReferences(
  found: { readonly kind: PolicyDocumentKind; readonly document: unknown },
  problems: DocumentProblems,
): void {
  if (found.kind === "policy") checkPolicy(found.document as Policy, problems);
  if (found.kind === "layout") checkLayout(found.document as Layout, problems);
  if (found.kind === "exception") checkException(found.document as PolicyException, problems);
  if (found.kind === "policy-set") checkSetDocument(found.document as PolicySet, problems);
}

function checkPolicy(policy: Policy, problems: DocumentProblems): void {
  checkFunctionaries(policy.trust ?? {}, ["trust"], problems);
  const trusted = Object.keys(policy.trust ?? {});
  for (const [name, wanted] of Object.entries(policy.attestations ?? {})) {
    checkNames(wanted.by, trusted, "functionary of trust", ["attestations", name, "by"], problems);
    checkThreshold(wanted, wanted.by, ["attestations", name], problems);
  }
  if (policy.exceptions !== undefined) {
    checkNames(policy.exceptions.by, trusted, "functionary of trust", ["exceptions", "by"], problems);
    checkThreshold(policy.exceptions, policy.exceptions.by, ["exceptions"], problems);
  }
  checkUnique(policy.variables?.map((variable) => variable.name) ?? [], ["variables"], "name", problems);
  checkRules(policy.rules ?? [], ["rules"], problems, policy.collections === undefined ? "closed" : "open");
}

function checkException(exception: PolicyException, problems: DocumentProblems): void {
  const { subject, approvers, requester, created, expires } = exception;
  if ((subject.digest === undefined) === (subject.purl === undefined)) {
    const found = subject.digest === undefined ? "neither" : "both";
    problems.add("POLICY_DOCUMENT_VALUE", ["subject"], `expected a digest or a purl, found ${found}`, "key");
  }
  const own = approvers.indexOf(requester);
  if (own !== -1) {
    const text = "expected somebody other than the requester, who cannot approve";
    problems.add("POLICY_DOCUMENT_VALUE", ["approvers", own], text);
  }
  checkUnique(approvers, ["approvers"], undefined, problems);
  checkUnique(exception.rules, ["rules"], undefined, problems);
  if (Date.parse(expires) <= Date.parse(created)) {
    problems.add("POLICY_DOCUMENT_VALUE", ["expires"], `expected a time after created, ${created}, found ${expires}`);
  }
}

function checkSetDocument(set: PolicySet, problems: DocumentProblems): void {
  checkFunctionaries(set.trust ?? {}, ["trust"], problems);
  checkThreshold(set, Object.keys(set.trust ?? {}), [], problems);
  checkUnique(
    set.members.map((member) => `${member.kind} ${member.name}`),
    ["members"],
    "name",
    problems,
  );
  checkUnique(
    set.members.map((member) => member.digest),
    ["members"],
    "digest",
    problems,
  );
}
