import type { Denial, RuleResult } from "../decision.ts";
import { hasDigest } from "./artifacts.ts";
import { globOf } from "./glob.ts";
import type { Assignment } from "./judge-assignment.ts";
import type { LayoutQuestion } from "./judgement.ts";
import { ruleDenials } from "./rule-denials.ts";

/** The artifact must be a product of one of the steps that the layout lists for it, by digest. */
export function subjectDenials(question: LayoutQuestion, assignment: Assignment, results: RuleResult[]): Denial[] {
  const { layout, subject } = question;
  // A classic layout does not speak of one; its inspections do.
  if (question.semantics === "in-toto" && layout.subjects.length === 0) return [];
  const failures: Denial[] = [];
  for (const wanted of layout.subjects) {
    const names = productNames(question, assignment, wanted);
    if (names.length === 0 || subject === undefined) continue;
    const rules = [
      ...(wanted.rules ?? []),
      ...(wanted.expression === undefined
        ? []
        : [{ id: "subject", title: "What the layout says of its subject", expression: wanted.expression }]),
    ];
    const variables = { product: { step: wanted.step, names, digest: subject } };
    const failed = rules.flatMap((rule) => ruleDenials(rule, variables, question, wanted.step, results));
    if (failed.length === 0) return [];
    failures.push(...failed);
  }
  if (failures.length > 0) return failures;
  const steps = [...new Set(layout.subjects.map(({ step }) => step))].join(", ");
  return [
    {
      code: "POLICY_SUBJECT_MISMATCH",
      message:
        subject === undefined
          ? "the layout speaks of an artifact, and there is none"
          : `${subject} is not what ${steps === "" ? "any step" : steps} of the layout produced`,
      solution: "Verify the artifact that the run produced, by its digest.",
    },
  ];
}

function productNames(
  { subject }: LayoutQuestion,
  assignment: Assignment,
  wanted: LayoutQuestion["layout"]["subjects"][number],
): string[] {
  if (subject === undefined) return [];
  // A path may hold what would be a wildcard; it is meant as it stands, too.
  const globs = wanted.products?.map(globOf);
  const isNamed = (name: string) =>
    globs === undefined || wanted.products?.includes(name) === true || globs.some((glob) => glob.matches(name));
  return [...(assignment.get(wanted.step)?.products.digests ?? [])]
    .filter(([name, digest]) => hasDigest(digest, subject) && isNamed(name))
    .map(([name]) => name)
    .toSorted();
}
