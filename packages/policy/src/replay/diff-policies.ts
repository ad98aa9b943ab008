import { canonicalJson } from "@touchmark/core";
import type { Policy, PolicyRule, WantedAttestation } from "@touchmark/formats/policy";
import { rulesAt } from "../library/collections.ts";
import { plainRule } from "../library/default-policies.ts";
import { type Change, compareDemand, compareLists, compareRecords } from "./change.ts";
import { diffTrust } from "./diff-trust.ts";

/** What another version of a policy means: rules, trust, evidence, scope. Words for people are not compared. */
export function diffPolicies(before: Policy, after: Policy): readonly Change[] {
  return [
    ...scopeChanges(before, after),
    ...compareRecords(rulesById(before), rulesById(after), {
      added: (id, rule) => ({ effect: "tighter", where: `rules.${id}`, what: `rule added: ${rule.title}` }),
      removed: (id, rule) => ({ effect: "looser", where: `rules.${id}`, what: `rule removed: ${rule.title}` }),
      both: ruleChanges,
    }),
    ...diffTrust("trust", before.trust, after.trust),
    ...compareRecords(before.attestations, after.attestations, {
      added: (name, wanted) => ({
        effect: wanted.required === false ? "other" : "tighter",
        where: `attestations.${name}`,
        what: `${wanted.required === false ? "read now" : "demanded now"}: ${wanted.predicateType}`,
      }),
      removed: (name, wanted) => ({
        effect: wanted.required === false ? "other" : "looser",
        where: `attestations.${name}`,
        what: `${wanted.required === false ? "read" : "demanded"} no more: ${wanted.predicateType}`,
      }),
      both: attestationChanges,
    }),
    ...exceptionChanges(before, after),
    ...compareRecords(before.parameters, after.parameters, {
      added: (name, { type }) => ({ effect: "other", where: `parameters.${name}`, what: `parameter added (${type})` }),
      removed: (name) => ({ effect: "other", where: `parameters.${name}`, what: "parameter removed" }),
      both: (name, old, now) =>
        changedText(`parameters.${name}`, "default", [old.type, old.default], [now.type, now.default]),
    }),
    ...compareRecords(byName(before.variables), byName(after.variables), {
      added: (name) => ({ effect: "other", where: `variables.${name}`, what: "variable added" }),
      removed: (name) => ({ effect: "other", where: `variables.${name}`, what: "variable removed" }),
      both: (name, old, now) => changedText(`variables.${name}`, "expression", old, now),
    }),
  ];
}

const modes = ["shadow", "audit", "warn", "enforce"];

function scopeChanges(before: Policy, after: Policy): readonly Change[] {
  const lists = (["names", "environments", "namespaces"] as const).flatMap((member) => {
    const [old, now] = [before.match?.[member], after.match?.[member]];
    const where = `match.${member}`;
    // Absent is everything.
    if (old === undefined || now === undefined) {
      if (old === now) return [];
      const effect = now === undefined ? ("tighter" as const) : ("looser" as const);
      const what = now === undefined ? "speaks of everything now" : `speaks only of ${now.join(", ")} now`;
      return [{ effect, where, what }];
    }
    const { added, removed } = compareLists(old, now);
    return [
      ...added.map((each): Change => ({ effect: "tighter", where, what: `speaks of ${each} as well` })),
      ...removed.map((each): Change => ({ effect: "looser", where, what: `speaks of ${each} no more` })),
    ];
  });
  const [oldMode, newMode] = [before.mode ?? "enforce", after.mode ?? "enforce"];
  const longer = Date.parse(after.expires) - Date.parse(before.expires);
  return [
    ...changedText("name", "name", before.name, after.name),
    ...changedText("point", "point", before.point, after.point),
    ...(oldMode === newMode
      ? []
      : [
          {
            effect: modes.indexOf(newMode) > modes.indexOf(oldMode) ? ("tighter" as const) : ("looser" as const),
            where: "mode",
            what: `${oldMode} before, ${newMode} now`,
          },
        ]),
    ...(longer === 0
      ? []
      : [
          {
            effect: longer < 0 ? ("tighter" as const) : ("looser" as const),
            where: "expires",
            what: `${before.expires} before, ${after.expires} now`,
          },
        ]),
    ...lists,
    ...changedText("match.expression", "expression", before.match?.expression, after.match?.expression),
    ...demanded("layout", before.layout, after.layout),
  ];
}

function ruleChanges(id: string, before: PolicyRule, after: PolicyRule): readonly Change[] {
  const where = `rules.${id}`;
  const [from, to] = [before.effectiveOn ?? "", after.effectiveOn ?? ""];
  return [
    ...changedText(where, "expression", before.expression, after.expression),
    ...changedText(where, "module of Rego", before.rego, after.rego),
    ...changedText(where, "severity", before.severity, after.severity),
    ...changedText(where, "dependsOn", before.dependsOn ?? [], after.dependsOn ?? []),
    ...(from === to
      ? []
      : [
          {
            effect: to > from ? ("looser" as const) : ("tighter" as const),
            where,
            what: `effective ${from === "" ? "at once" : `from ${from}`} before, ${to === "" ? "at once" : `from ${to}`} now`,
          },
        ]),
  ];
}

function attestationChanges(name: string, before: WantedAttestation, after: WantedAttestation): readonly Change[] {
  const where = `attestations.${name}`;
  const { added, removed } = compareLists(before.by, after.by);
  const ages = [
    before.maxAgeSeconds ?? Number.MAX_SAFE_INTEGER,
    after.maxAgeSeconds ?? Number.MAX_SAFE_INTEGER,
  ] as const;
  return [
    ...changedText(where, "predicate type", before.predicateType, after.predicateType),
    ...changedText(where, "what it is about", before.about ?? "subject", after.about ?? "subject"),
    ...compareDemand(where, "demanded", Number(before.required ?? true), Number(after.required ?? true)),
    ...compareDemand(where, "threshold", before.threshold ?? 1, after.threshold ?? 1),
    ...(ages[0] === ages[1]
      ? []
      : [
          {
            effect: ages[1] < ages[0] ? ("tighter" as const) : ("looser" as const),
            where,
            what: `greatest age in seconds: ${before.maxAgeSeconds ?? "any"} before, ${after.maxAgeSeconds ?? "any"} now`,
          },
        ]),
    ...added.map((each): Change => ({ effect: "looser", where, what: `trust widened: ${each} may sign it` })),
    ...removed.map(
      (each): Change => ({ effect: "tighter", where, what: `trust narrowed: ${each} may sign it no more` }),
    ),
  ];
}

function exceptionChanges({ exceptions: before }: Policy, { exceptions: after }: Policy): readonly Change[] {
  const { added, removed } = compareLists(before?.by, after?.by);
  const where = "exceptions";
  const both =
    before === undefined || after === undefined
      ? []
      : compareDemand(where, "threshold", before.threshold ?? 1, after.threshold ?? 1);
  return [
    ...added.map((each): Change => ({ effect: "looser", where, what: `${each} may grant exceptions` })),
    ...removed.map((each): Change => ({ effect: "tighter", where, what: `${each} may grant exceptions no more` })),
    ...both,
  ];
}

/** Own rules, and those of the collections at the policy's point. */
function rulesById(policy: Policy): { readonly [id: string]: PolicyRule } {
  const collected = (policy.collections ?? []).flatMap((name) => (rulesAt(name, policy.point) ?? []).map(plainRule));
  return Object.fromEntries([...collected, ...(policy.rules ?? [])].map((rule) => [rule.id, rule]));
}

function byName(variables: Policy["variables"]): { readonly [name: string]: string } {
  return Object.fromEntries((variables ?? []).map(({ name, expression }) => [name, expression]));
}

function demanded(where: string, before: string | undefined, after: string | undefined): readonly Change[] {
  if (before === after) return [];
  if (before === undefined) return [{ effect: "tighter", where, what: `demanded now: ${after}` }];
  if (after === undefined) return [{ effect: "looser", where, what: `demanded no more: ${before}` }];
  return [{ effect: "other", where, what: `${before} before, ${after} now` }];
}

/** Something that is there or not, or is another. */
export function changedText(where: string, what: string, before: unknown, after: unknown): readonly Change[] {
  const [old, now] = [before ?? "none", after ?? "none"].map((each) =>
    typeof each === "string" ? each : canonicalJson(each),
  );
  return old === now ? [] : [{ effect: "other", where, what: `${what}: ${old} before, ${now} now` }];
}
