import type { YamlPath } from "../pipeline/yaml-reader.ts";
import type { ArtifactRule, Layout } from "./layout.ts";
import type { LintNotes } from "./lint-notes.ts";
import { lintTrust } from "./lint-trust.ts";

/** Notes what a layout leaves open, and what in it never counts. */
export function lintLayout(layout: Layout, notes: LintNotes): void {
  lintTrust(layout.functionaries, ["functionaries"], notes);
  const { steps, inspections = [] } = layout;
  const asked = new Set(
    steps.flatMap((step) => [
      ...step.functionaries,
      ...(step.attestations ?? []).flatMap((each) => each.functionaries),
    ]),
  );
  for (const name of Object.keys(layout.functionaries)) {
    if (!asked.has(name)) notes.add("unused-functionary", ["functionaries", name], `no step is done by ${name}`, "key");
  }
  const taken = new Set(layout.subjects.map(({ step }) => step));
  for (const item of [...steps, ...inspections]) {
    for (const rule of [...(item.materials ?? []), ...(item.products ?? [])]) if (rule.from) taken.add(rule.from);
  }
  for (const [i, step] of steps.entries()) {
    const at = ["steps", i];
    lintArtifactRules(step.materials, [...at, "materials"], notes);
    lintArtifactRules(step.products, [...at, "products"], notes);
    const matched = new Set((step.materials ?? []).map(({ from }) => from));
    for (const [j, before] of (step.after ?? []).entries()) {
      if (matched.has(before)) continue;
      notes.add("unlinked-step", [...at, "after", j], `${step.name} takes nothing from ${before}`);
    }
    if (!taken.has(step.name)) notes.add("unused-step", [...at, "name"], `nothing takes the products of ${step.name}`);
  }
  for (const [i, inspection] of inspections.entries()) {
    lintArtifactRules(inspection.materials, ["inspections", i, "materials"], notes);
    lintArtifactRules(inspection.products, ["inspections", i, "products"], notes);
  }
}

function lintArtifactRules(rules: readonly ArtifactRule[] | undefined, at: YamlPath, notes: LintNotes): void {
  if (rules === undefined || rules.length === 0) return;
  const all = rules.findIndex(({ rule, pattern }) => pattern === "*" && (rule === "ALLOW" || rule === "DISALLOW"));
  if (all === -1)
    notes.add("open-artifacts", [...at, rules.length - 1], "the last rule leaves all other artifacts allowed");
  for (let i = all + 1; all !== -1 && i < rules.length; i++) {
    const rule = rules[i];
    // REQUIRE looks at what there is, taken or not by then: behind ALLOW `*` it finds nothing.
    notes.add("unreachable-rule", [...at, i], `${rule?.rule} ${rule?.pattern} comes after ${rules[all]?.rule} *`);
  }
}
