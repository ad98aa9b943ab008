import type { FactoryError } from "@touchmark/core";
import type { ArtifactRule, Layout } from "@touchmark/formats/policy";
import { layoutErrors } from "./errors.ts";

/** Name by which rules speak of where the first materials came from. */
export const SOURCE = "source";

/**
 * Everything that is wrong with a layout in itself: LAYOUT_STEP_DUPLICATE | LAYOUT_STEP_UNKNOWN | LAYOUT_CYCLE |
 * LAYOUT_FUNCTIONARY_UNKNOWN | LAYOUT_THRESHOLD | LAYOUT_RULE_INVALID.
 */
export function layoutProblems(layout: Layout): FactoryError[] {
  return [...duplicates(layout), ...strangers(layout), ...functionaryProblems(layout), ...cycles(layout)];
}

function duplicates(layout: Layout): FactoryError[] {
  const seen = new Set<string>([SOURCE]);
  const problems: FactoryError[] = [];
  for (const { name } of [...layout.steps, ...(layout.inspections ?? [])]) {
    if (seen.has(name)) {
      problems.push(layoutErrors.make("LAYOUT_STEP_DUPLICATE", `the layout has more than one ${JSON.stringify(name)}`));
    }
    seen.add(name);
  }
  return problems;
}

function strangers(layout: Layout): FactoryError[] {
  const steps = new Set(layout.steps.map((step) => step.name));
  const items = new Set([SOURCE, ...steps, ...(layout.inspections ?? []).map((each) => each.name)]);
  const problems: FactoryError[] = [];
  const demand = (names: ReadonlySet<string>, name: string, where: string) => {
    if (names.has(name)) return;
    problems.push(
      layoutErrors.make(
        "LAYOUT_STEP_UNKNOWN",
        `${where} names ${JSON.stringify(name)}, which the layout does not have`,
      ),
    );
  };
  const demandRules = (rules: readonly ArtifactRule[] | undefined, where: string, names: ReadonlySet<string>) => {
    for (const rule of rules ?? []) {
      const isMatch = rule.rule === "MATCH";
      const hasParts = [rule.in, rule.to, rule.with, rule.from].some((part) => part !== undefined);
      if (isMatch ? rule.from === undefined : hasParts) {
        problems.push(
          layoutErrors.make(
            "LAYOUT_RULE_INVALID",
            `${where} has a rule ${rule.rule} ${isMatch ? "without `from`" : "with what only MATCH can have"}`,
          ),
        );
      } else if (isMatch) {
        demand(names, rule.from ?? "", `a rule of ${where}`);
      }
    }
  };
  for (const step of layout.steps) {
    for (const before of step.after ?? []) demand(steps, before, `\`after\` of step ${step.name}`);
    for (const rules of [step.materials, step.products]) {
      demandRules(rules, `step ${step.name}`, new Set([SOURCE, ...steps]));
    }
  }
  for (const inspection of layout.inspections ?? []) {
    for (const rules of [inspection.materials, inspection.products]) {
      demandRules(rules, `inspection ${inspection.name}`, items);
    }
  }
  for (const subject of layout.subjects) demand(steps, subject.step, "a subject");
  return problems;
}

function functionaryProblems(layout: Layout): FactoryError[] {
  const problems: FactoryError[] = [];
  const known = new Map(Object.entries(layout.functionaries));
  for (const step of layout.steps) {
    for (const wanted of [step, ...(step.attestations ?? [])]) {
      const names = new Set(wanted.functionaries);
      for (const name of names) {
        const functionary = known.get(name);
        if ((functionary?.identities?.length ?? 0) + (functionary?.keys?.length ?? 0) > 0) continue;
        const what = functionary === undefined ? "which the layout does not have" : "who has neither identity nor key";
        problems.push(
          layoutErrors.make(
            "LAYOUT_FUNCTIONARY_UNKNOWN",
            `step ${step.name} names the functionary ${JSON.stringify(name)}, ${what}`,
          ),
        );
      }
      if ((wanted.threshold ?? 1) > names.size) {
        problems.push(
          layoutErrors.make(
            "LAYOUT_THRESHOLD",
            `step ${step.name} wants ${wanted.threshold} functionaries and names ${names.size}`,
          ),
        );
      }
    }
  }
  return problems;
}

function cycles(layout: Layout): FactoryError[] {
  const ordered = new Set(orderOf(layout));
  const left = layout.steps.filter((step) => !ordered.has(step.name)).map((step) => step.name);
  if (left.length === 0) return [];
  return [layoutErrors.make("LAYOUT_CYCLE", `steps wait for each other: ${left.slice(0, 20).join(", ")}`)];
}

/** Names of the steps so that each comes after those it names; what waits in a circle is left out. */
export function orderOf(layout: Layout): string[] {
  const names = new Set(layout.steps.map((step) => step.name));
  const ordered: string[] = [];
  const done = new Set<string>();
  let waiting = [...layout.steps];
  while (waiting.length > 0) {
    const ready = waiting.filter((step) => (step.after ?? []).every((name) => done.has(name) || !names.has(name)));
    if (ready.length === 0) break;
    for (const step of ready) {
      if (!done.has(step.name)) ordered.push(step.name);
      done.add(step.name);
    }
    waiting = waiting.filter((step) => !done.has(step.name));
  }
  return ordered;
}
