import type { YamlPath } from "../pipeline/yaml-reader.ts";
import { cycleIn } from "./cycle.ts";
import type { DocumentProblems } from "./document-problems.ts";
import type { ArtifactRule, Layout } from "./layout.ts";
import { checkFunctionaries, checkName, checkNames, checkRules, checkThreshold, checkUnique, shown } from "./names.ts";

/** Name that an artifact rule has for the source revision. */
const source = "source";

/** Notes what the shape of a layout cannot say: names of steps that stand twice or lead nowhere, circles, thresholds. */
export function checkLayout(layout: Layout, problems: DocumentProblems): void {
  const functionaries = Object.keys(layout.functionaries);
  const steps = layout.steps.map((step) => step.name);
  checkFunctionaries(layout.functionaries, ["functionaries"], problems);
  // Inspections share the names of steps: an artifact rule can name either.
  const inspections = layout.inspections ?? [];
  checkUnique(steps, ["steps"], "name", problems);
  checkUnique(
    inspections.map((each) => each.name),
    ["inspections"],
    "name",
    problems,
  );
  for (const [i, { name }] of inspections.entries()) {
    if (!steps.includes(name)) continue;
    problems.add("POLICY_DOCUMENT_NAME_TWICE", ["inspections", i, "name"], `${JSON.stringify(name)} is a step already`);
  }
  for (const [i, step] of layout.steps.entries()) {
    const at = ["steps", i];
    if (step.name === source) {
      problems.add("POLICY_DOCUMENT_VALUE", [...at, "name"], "expected another name: `source` is the source revision");
    }
    checkNames(step.after ?? [], steps, "step", [...at, "after"], problems);
    checkNames(step.functionaries, functionaries, "functionary", [...at, "functionaries"], problems);
    checkThreshold(step, step.functionaries, at, problems);
    for (const [j, wanted] of (step.attestations ?? []).entries()) {
      const place = [...at, "attestations", j];
      checkNames(wanted.functionaries, functionaries, "functionary", [...place, "functionaries"], problems);
      checkThreshold(wanted, wanted.functionaries, place, problems);
      checkRules(wanted.rules ?? [], [...place, "rules"], problems);
    }
    checkArtifactRules(step.materials, steps, [...at, "materials"], problems);
    checkArtifactRules(step.products, steps, [...at, "products"], problems);
  }
  for (const [i, inspection] of inspections.entries()) {
    const items = [...steps, ...inspections.map((each) => each.name)];
    checkArtifactRules(inspection.materials, items, ["inspections", i, "materials"], problems);
    checkArtifactRules(inspection.products, items, ["inspections", i, "products"], problems);
    checkRules(inspection.rules ?? [], ["inspections", i, "rules"], problems);
  }
  for (const [i, subject] of layout.subjects.entries()) {
    checkName(subject.step, steps, ["subjects", i, "step"], problems);
    checkRules(subject.rules ?? [], ["subjects", i, "rules"], problems);
  }
  checkOrder(layout, problems);
}

function checkOrder(layout: Layout, problems: DocumentProblems): void {
  const circle = cycleIn(new Map(layout.steps.map((step) => [step.name, step.after ?? []])));
  if (circle === undefined) return;
  const first = layout.steps.findIndex((step) => step.name === circle[0]);
  problems.add("POLICY_DOCUMENT_CYCLE", ["steps", first, "after"], `steps wait for each other: ${shown(circle)}`);
}

function checkArtifactRules(
  rules: readonly ArtifactRule[] | undefined,
  steps: readonly string[],
  at: YamlPath,
  problems: DocumentProblems,
): void {
  for (const [i, rule] of (rules ?? []).entries()) {
    const place = [...at, i];
    const matching = (["in", "with", "to", "from"] as const).filter((member) => rule[member] !== undefined);
    if (rule.rule !== "MATCH") {
      const [first] = matching;
      if (first === undefined) continue;
      problems.add("POLICY_DOCUMENT_VALUE", [...place, first], `expected it with MATCH only, not ${rule.rule}`, "key");
      continue;
    }
    if (rule.from === undefined) {
      problems.add("POLICY_DOCUMENT_VALUE", place, 'expected MATCH to have a key "from", which is missing', "key");
    } else checkName(rule.from, [...steps, source], [...place, "from"], problems);
  }
}
