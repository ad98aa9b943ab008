import type { LayoutInspection, LayoutStep } from "@touchmark/formats/policy";
import type { Denial, RuleResult } from "../decision.ts";
import {
  applyArtifactRules,
  type ItemArtifacts,
  type KnownItems,
  type PatternBudget,
  type RulesResult,
} from "./artifact-rules.ts";
import { type Artifacts, filesOnly } from "./artifacts.ts";
import { attestationDenials } from "./attestations.ts";
import { SOURCE } from "./check-layout.ts";
import type { LayoutQuestion } from "./judgement.ts";
import { ruleDenials } from "./rule-denials.ts";
import type { StepGroup } from "./step-groups.ts";
import { subjectDenials } from "./subjects.ts";

/** For every step the links that are taken for it. */
export type Assignment = ReadonlyMap<string, StepGroup>;

/** What one assignment comes to. */
export interface AssignmentResult {
  readonly denials: readonly Denial[];
  readonly warnings: readonly string[];
  readonly rules: readonly RuleResult[];
  readonly taken: Assignment;
}

/** Judges artifacts, edges, attestations, inspections and subjects, with the links of every step chosen. */
export function judgeAssignment(
  question: LayoutQuestion,
  assignment: Assignment,
  budget: PatternBudget,
): AssignmentResult {
  const { layout } = question;
  const known = knownItems(question, assignment);
  const denials: Denial[] = [];
  const warnings: string[] = [];
  const rules: RuleResult[] = [];
  for (const step of layout.steps) {
    const group = assignment.get(step.name);
    const item = known.get(step.name);
    if (group === undefined || item === undefined) continue;
    if (question.isOver?.() === true) {
      return {
        denials: [{ code: "POLICY_TIMEOUT", message: "the time for the decision is over" }],
        warnings,
        rules,
        taken: assignment,
      };
    }
    denials.push(...edgeDenials(step, assignment, question));
    denials.push(...itemDenials(step, item, known, question, budget, warnings));
    denials.push(...attestationDenials(step, group, question, rules));
    warnings.push(...commandWarnings(step, group));
  }
  for (const inspection of layout.inspections ?? []) {
    denials.push(...inspectionDenials(inspection, known, question, budget, warnings, rules));
  }
  denials.push(...subjectDenials(question, assignment, rules));
  return { denials, warnings, rules, taken: assignment };
}

function knownItems({ layout, source, inspections }: LayoutQuestion, assignment: Assignment): KnownItems {
  const known = new Map<string, ItemArtifacts>();
  if (source !== undefined) {
    const tree = filesOnly(new Map([[SOURCE, source.tree]]));
    known.set(SOURCE, { materials: tree, products: tree });
  }
  for (const { name } of layout.steps) {
    const group = assignment.get(name);
    if (group === undefined) continue;
    known.set(name, { materials: withFiles(group.materials, assignment), products: group.products });
  }
  for (const { name } of layout.inspections ?? []) {
    const found = inspections?.get(name);
    if (found === undefined || known.has(name)) continue;
    known.set(name, { materials: filesOnly(found.materials), products: filesOnly(found.products) });
  }
  return known;
}

/** A tree among the materials has the files that the step which made it names: they are `TREE/PATH`. */
function withFiles(materials: Artifacts, assignment: Assignment): Artifacts {
  const digests = new Map(materials.digests);
  const members = new Map(materials.members);
  for (const [tree, digest] of materials.digests) {
    if (!tree.startsWith("output/")) continue;
    const made = assignment.get(tree.slice("output/".length))?.products;
    const files = made?.digests.get(tree) === digest ? made.members.get(tree) : undefined;
    if (files === undefined) continue;
    for (const file of files) digests.set(`${tree}/${file}`, made?.digests.get(file) ?? "");
    members.set(
      tree,
      files.map((file) => `${tree}/${file}`),
    );
  }
  return { digests, members };
}

/** A step that comes after another must use something that the other made: otherwise nothing ties them. */
function edgeDenials(step: LayoutStep, assignment: Assignment, { source, layout }: LayoutQuestion): Denial[] {
  const materials = new Set(assignment.get(step.name)?.materials.digests.values());
  const denials: Denial[] = [];
  for (const before of step.after ?? []) {
    const products = assignment.get(before)?.products.digests.values() ?? [];
    if ([...products].some((digest) => materials.has(digest))) continue;
    denials.push(emptyEdge(step.name, before, "none of its materials is a product of it"));
  }
  if (
    layout.source !== undefined &&
    source !== undefined &&
    step === layout.steps[0] &&
    (step.after ?? []).length === 0
  ) {
    if (!materials.has(source.tree)) denials.push(emptyEdge(step.name, SOURCE, "it did not use the source's tree"));
  }
  return denials;
}

function emptyEdge(step: string, other: string, why: string): Denial {
  return {
    code: "POLICY_EDGE_EMPTY",
    step,
    message: `nothing ties step ${step} to ${other}: ${why}`,
    solution: `Let step ${step} use what ${other} produced, or take the edge out of the layout.`,
  };
}

function itemDenials(
  item: LayoutStep | LayoutInspection,
  artifacts: ItemArtifacts,
  known: KnownItems,
  question: LayoutQuestion,
  budget: PatternBudget,
  warnings: string[],
): Denial[] {
  const denials: Denial[] = [];
  for (const queue of ["materials", "products"] as const) {
    const result = applyArtifactRules(item[queue] ?? [], artifacts, queue, known, budget);
    if (result.failure?.kind === "cost") {
      denials.push({
        code: "POLICY_COST",
        step: item.name,
        message: `${queue} of ${item.name}: ${result.failure.message}`,
      });
    } else if (result.failure !== undefined) {
      denials.push({
        code: "POLICY_ARTIFACT_RULE",
        step: item.name,
        message: `${queue} of ${item.name}: ${result.failure.message}`,
        solution: `Compare the ${queue} that the link of ${item.name} lists with the rules of the layout.`,
      });
    } else {
      denials.push(...unmatched(item.name, queue, result, question, warnings));
    }
  }
  return denials;
}

function unmatched(
  name: string,
  queue: string,
  { matched }: RulesResult,
  { semantics }: LayoutQuestion,
  warnings: string[],
): Denial[] {
  const empty = [...matched].filter(([, count]) => count === 0).map(([from]) => from);
  if (semantics !== "in-toto") {
    return empty.map((from) => emptyEdge(name, from, `its MATCH rules found none of the ${queue} there`));
  }
  warnings.push(...empty.map((from) => `${queue} of ${name}: no MATCH rule found anything of ${from}`));
  return [];
}

function commandWarnings({ name, command }: LayoutStep, { commands }: StepGroup): string[] {
  if (command === undefined || commands.every((ran) => isSameCommand(ran, command))) return [];
  return [`step ${name} ran ${JSON.stringify(commands[0])}, expected ${JSON.stringify(command)}`.slice(0, 1000)];
}

function isSameCommand(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}

function inspectionDenials(
  inspection: LayoutInspection,
  known: KnownItems,
  question: LayoutQuestion,
  budget: PatternBudget,
  warnings: string[],
  rules: RuleResult[],
): Denial[] {
  const { name } = inspection;
  const found = question.inspections?.get(name);
  const artifacts = known.get(name);
  if (found === undefined || artifacts === undefined) {
    return [
      {
        code: "POLICY_INSPECTION_MISSING",
        step: name,
        message: `the inspection ${name} was not performed`,
        solution: "Verify where inspections can be run: `touchmark verify ARTIFACT --layout FILE`.",
      },
    ];
  }
  if (found.exitCode !== 0) {
    return [
      { code: "POLICY_INSPECTION_FAILED", step: name, message: `the inspection ${name} ended with ${found.exitCode}` },
    ];
  }
  const denials = itemDenials(inspection, artifacts, known, question, budget, warnings);
  for (const rule of inspection.rules ?? []) {
    const variables = {
      inspection: {
        name,
        exitCode: found.exitCode,
        materials: Object.fromEntries(found.materials),
        products: Object.fromEntries(found.products),
      },
    };
    denials.push(...ruleDenials(rule, variables, question, name, rules));
  }
  return denials;
}
