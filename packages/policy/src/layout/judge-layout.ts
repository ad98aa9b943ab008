import type { Digest } from "@touchmark/core";
import type { Denial } from "../decision.ts";
import type { PatternBudget } from "./artifact-rules.ts";
import { hasDigest } from "./artifacts.ts";
import { layoutProblems, orderOf, SOURCE } from "./check-layout.ts";
import { type AssignmentResult, judgeAssignment } from "./judge-assignment.ts";
import type { LayoutJudgement, LayoutQuestion } from "./judgement.ts";
import { type LinkView, linksByStep, type StepEvidence, type StepGroup, stepEvidence } from "./step-groups.ts";
import type { StepLink } from "./step-link.ts";

/** Most runs, and most ways to choose links, that are looked at. */
const MAX_RUNS = 256;
const MAX_ASSIGNMENTS = 128;
/** Work that patterns may cause in one judgement: about a second. */
const PATTERN_WORK = 200_000_000;

/**
 * Judges whether what was signed about an artifact follows a layout. Pure and total: whatever the links say, the
 * answer is a judgement. Links of one run are judged together; a run that satisfies is enough, and nothing that another
 * run or party adds takes that away.
 */
export function judgeLayout(asked: LayoutQuestion): LayoutJudgement {
  const standing = standingDenials(asked);
  if (standing.length > 0) return refused(asked, standing);
  const question = { ...asked, links: inOrder(asked.links) };
  const byStep = linksByStep(question.layout, question.links, question.issuer);
  const budget: PatternBudget = { left: PATTERN_WORK };
  let best: LayoutJudgement | undefined;
  for (const anchor of anchorsOf(question, byStep)) {
    if (question.isOver?.() === true) {
      return refused(question, [{ code: "POLICY_TIMEOUT", message: "the time for the decision is over" }]);
    }
    const judgement = judgeRun(question, anchor, byStep, budget);
    if (judgement.verdict === "satisfied") return judgement;
    if (best === undefined || judgement.denials.length < best.denials.length) best = judgement;
  }
  return best ?? refused(question, [{ code: "POLICY_STEP_NONE", message: "the layout demands no step" }]);
}

/** Each once, in an order that does not depend on that in which they were given. */
function inOrder(links: readonly StepLink[]): StepLink[] {
  const byKey = new Map(links.map((link) => [JSON.stringify([link.statement, link.step, link.signer]), link]));
  return [...byKey].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, link]) => link);
}

/** What is wrong before any link is looked at. */
function standingDenials({ layout, now, semantics, source }: LayoutQuestion): Denial[] {
  if (layout.steps.length === 0) {
    return [
      {
        code: "POLICY_STEP_NONE",
        message: `the layout ${layout.name} demands no step, and so shows nothing`,
        solution: "List the steps that must have been performed.",
      },
    ];
  }
  const expires = Date.parse(layout.expires);
  if (!(now.getTime() < expires)) {
    return [
      {
        code: "POLICY_LAYOUT_EXPIRED",
        message: `the layout ${layout.name} expired on ${layout.expires}`,
        solution: "Review it, and sign a new version.",
      },
    ];
  }
  const problems = layoutProblems(layout).filter(
    ({ code }) => semantics !== "in-toto" || code === "LAYOUT_STEP_DUPLICATE" || code === "LAYOUT_RULE_INVALID",
  );
  const denials: Denial[] = problems.slice(0, 20).map(({ code, message }) => ({
    code: "POLICY_LAYOUT_INVALID",
    message: `${code}: ${message}`,
    solution: "Correct the layout: `touchmark policy lint` shows where.",
  }));
  if (layout.source === undefined) return denials;
  const wanted = `${layout.source.uri}${layout.source.revision === undefined ? "" : ` at ${layout.source.revision}`}`;
  const isSource =
    source !== undefined &&
    source.uri === layout.source.uri &&
    (layout.source.revision === undefined || layout.source.revision === source.revision);
  if (!isSource) {
    denials.push({
      code: source === undefined ? "POLICY_STEP_EVIDENCE_MISSING" : "POLICY_ARTIFACT_RULE",
      step: SOURCE,
      message:
        source === undefined
          ? `the layout begins with ${wanted}, and no verified chain shows the source`
          : `the source is ${source.uri} at ${source.revision}, expected ${wanted}`,
      solution: "Present the whole chain of a run of the expected source.",
    });
  }
  return denials;
}

type LinksByStep = LinkView["linksByStep"];

/** A run whose links may be judged together, and who vouches for its identities. */
interface Anchor {
  readonly run: string | undefined;
  readonly issuer: string | undefined;
}

/** Runs in which an authorised party made the artifact; without one, every run, so that the refusal can be explained. */
function anchorsOf({ layout, links, subject }: LayoutQuestion, byStep: LinksByStep): readonly Anchor[] {
  const subjectSteps = new Set(layout.subjects.map(({ step }) => step));
  const makers = [...subjectSteps].flatMap((step) =>
    (byStep.get(step) ?? [])
      .filter(({ link, names }) => names.length > 0 && makes(link, subject))
      .map(({ link }) => link),
  );
  const anchors = new Map<string, Anchor>();
  for (const link of makers.length > 0 ? makers : links) {
    const issuer = link.signer.kind === "certificate" ? link.signer.issuer : undefined;
    for (const run of [link.run, ...link.alsoRuns]) anchors.set(JSON.stringify([run, issuer]), { run, issuer });
  }
  const sorted = [...anchors].toSorted(([one], [other]) => (one < other ? 1 : -1)).map(([, anchor]) => anchor);
  return sorted.length === 0 ? [{ run: undefined, issuer: undefined }] : sorted.slice(0, MAX_RUNS);
}

function makes({ products }: StepLink, subject: Digest | undefined): boolean {
  return subject !== undefined && [...products.digests.values()].some((set) => hasDigest(set, subject));
}

function judgeRun(
  question: LayoutQuestion,
  anchor: Anchor,
  byStep: LinksByStep,
  budget: PatternBudget,
): LayoutJudgement {
  const { layout, issuer } = question;
  const view = {
    layout,
    issuer,
    linksByStep: byStep,
    semantics: question.semantics ?? "touchmark",
    foreign: (link: StepLink) => foreignRun(link, anchor),
  };
  const steps = new Map(layout.steps.map((step) => [step.name, stepEvidence(step, view)]));
  const evidence = [...steps.values()];
  const warnings = evidence.flatMap(({ disagreement }) => disagreement ?? []);
  const lacking = evidence.flatMap(({ step, lack }) => (lack === undefined ? [] : [{ ...lack, step: step.name }]));
  const results = lacking.length > 0 ? [] : tryAssignments(question, steps, budget);
  const best = results.toSorted((one, other) => one.denials.length - other.denials.length)[0];
  const denials = lacking.length > 0 ? lacking : (best?.denials ?? []);
  return judgementOf(question, evidence, {
    denials,
    warnings: [...warnings, ...(best?.warnings ?? [])],
    rules: best?.rules ?? [],
    run: anchor.run,
    taken: best?.taken ?? new Map(),
  });
}

/** Links of a run count for it alone; those of another factory, and of tools that know no runs, are tied by artifacts. */
function foreignRun(link: StepLink, { run, issuer }: Anchor): string | undefined {
  if (link.run === undefined || link.run === run || link.alsoRuns.some((each) => each === run)) return undefined;
  if (link.signer.kind === "certificate" && issuer !== undefined && link.signer.issuer !== issuer) return undefined;
  return `it is of run ${link.run}${run === undefined ? "" : `, and the artifact of ${run}`}`;
}

/** How likely links lead to a satisfied layout: they made the artifact, and used what was made before. */
function promise(
  { materials, products }: StepGroup,
  after: readonly string[],
  chosen: ReadonlyMap<string, StepGroup>,
  subject: Digest | undefined,
): number {
  const used = new Set(materials.digests.values());
  const edges = after.filter((name) =>
    [...(chosen.get(name)?.products.digests.values() ?? [])].some((each) => used.has(each)),
  );
  const isMaker = subject !== undefined && [...products.digests.values()].some((set) => hasDigest(set, subject));
  return edges.length + (isMaker ? 1 : 0);
}

/** Tries the ways to choose links until one satisfies. */
function tryAssignments(
  question: LayoutQuestion,
  steps: ReadonlyMap<string, StepEvidence>,
  budget: PatternBudget,
): AssignmentResult[] {
  const order = orderOf(question.layout);
  const names = [...order, ...[...steps.keys()].filter((name) => !order.includes(name))];
  const results: AssignmentResult[] = [];
  const chosen = new Map<string, StepGroup>();
  const choose = (index: number): boolean => {
    const name = names[index];
    if (name === undefined) {
      const result = judgeAssignment(question, new Map(chosen), budget);
      results.push(result);
      return result.denials.length === 0 || results.length >= MAX_ASSIGNMENTS;
    }
    const { step, groups = [] } = steps.get(name) ?? {};
    const worth = (group: StepGroup) => promise(group, step?.after ?? [], chosen, question.subject);
    for (const group of groups.toSorted((one, other) => worth(other) - worth(one))) {
      chosen.set(name, group);
      if (choose(index + 1)) return true;
    }
    chosen.delete(name);
    return false;
  };
  choose(0);
  return results;
}

function judgementOf(
  { layout }: LayoutQuestion,
  evidence: readonly StepEvidence[],
  found: Pick<LayoutJudgement, "denials" | "warnings" | "rules" | "run" | "taken">,
): LayoutJudgement {
  const isHurt = (name: string) => found.denials.some((denial) => denial.step === name);
  return {
    verdict: found.denials.length === 0 ? "satisfied" : "refused",
    denials: found.denials,
    warnings: [...new Set(found.warnings)],
    steps: evidence.map(({ step, groups, considered }) => ({
      name: step.name,
      satisfied: groups.length > 0 && !isHurt(step.name),
      functionaries: groups[0]?.functionaries ?? [],
      links: considered,
      materials: groups[0]?.materials.digests.size ?? 0,
      products: groups[0]?.products.digests.size ?? 0,
    })),
    inspections: (layout.inspections ?? []).map(({ name }) => ({ name, satisfied: !isHurt(name) })),
    rules: found.rules,
    run: found.run,
    taken: found.taken,
  };
}

function refused({ layout }: LayoutQuestion, denials: readonly Denial[]): LayoutJudgement {
  return {
    verdict: "refused",
    denials,
    warnings: [],
    steps: layout.steps.map(({ name }) => ({
      name,
      satisfied: false,
      functionaries: [],
      links: [],
      materials: 0,
      products: 0,
    })),
    inspections: (layout.inspections ?? []).map(({ name }) => ({ name, satisfied: false })),
    rules: [],
    run: undefined,
    taken: new Map(),
  };
}
