import { canonicalJson } from "@touchmark/core";
import type { Layout, LayoutStep } from "@touchmark/formats/policy";
import { type Change, compareDemand, compareLists, compareRecords } from "./change.ts";
import { changedText } from "./diff-policies.ts";
import { diffTrust } from "./diff-trust.ts";

/** What another version of a layout means: steps, who may do them, what goes from one to the next. */
export function diffLayouts(before: Layout, after: Layout): readonly Change[] {
  return [
    ...changedText("name", "name", before.name, after.name),
    ...changedText("expires", "expiry", before.expires, after.expires),
    ...changedText("source", "source", before.source, after.source),
    ...diffTrust("functionaries", before.functionaries, after.functionaries),
    ...compareRecords(stepsByName(before), stepsByName(after), {
      added: (name) => ({ effect: "tighter", where: `steps.${name}`, what: "step demanded now" }),
      removed: (name) => ({ effect: "looser", where: `steps.${name}`, what: "step demanded no more" }),
      both: stepChanges,
    }),
    ...changedText("inspections", "inspections", before.inspections ?? [], after.inspections ?? []),
    ...changedText("subjects", "subjects", before.subjects, after.subjects),
  ];
}

function stepChanges(name: string, before: LayoutStep, after: LayoutStep): readonly Change[] {
  const where = `steps.${name}`;
  const parties = compareLists(before.functionaries, after.functionaries);
  const order = compareLists(before.after, after.after);
  return [
    ...parties.added.map((each): Change => ({ effect: "looser", where, what: `trust widened: ${each} may do it` })),
    ...parties.removed.map(
      (each): Change => ({ effect: "tighter", where, what: `trust narrowed: ${each} may do it no more` }),
    ),
    ...compareDemand(where, "threshold", before.threshold ?? 1, after.threshold ?? 1),
    ...order.added.map((each): Change => ({ effect: "tighter", where, what: `must come after ${each}` })),
    ...order.removed.map((each): Change => ({ effect: "looser", where, what: `need not come after ${each}` })),
    ...ruleChanges(where, "materials", before.materials, after.materials),
    ...ruleChanges(where, "products", before.products, after.products),
    ...changedText(where, "attestations", before.attestations ?? [], after.attestations ?? []),
    ...changedText(where, "command", before.command ?? [], after.command ?? []),
  ];
}

/** Artifact rules are read in order, so that each change can mean anything. */
function ruleChanges(
  where: string,
  of: string,
  before: LayoutStep["materials"],
  after: LayoutStep["materials"],
): readonly Change[] {
  const { added, removed } = compareLists(before?.map(canonicalJson), after?.map(canonicalJson));
  if (added.length + removed.length === 0)
    return changedText(where, `order of the rules on ${of}`, before ?? [], after ?? []);
  return [
    ...added.map((each): Change => ({ effect: "other", where, what: `rule on ${of} added: ${each}` })),
    ...removed.map((each): Change => ({ effect: "other", where, what: `rule on ${of} removed: ${each}` })),
  ];
}

function stepsByName(layout: Layout): { readonly [name: string]: LayoutStep } {
  return Object.fromEntries(layout.steps.map((step) => [step.name, step]));
}
