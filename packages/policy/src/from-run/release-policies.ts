import type { Policy, PolicyRule } from "@touchmark/formats/policy";
import { libraryRules, rulesAt } from "../library/collections.ts";
import { declaredParameters, readAttestations } from "../library/declared.ts";
import { plainRule } from "../library/default-policies.ts";
import type { LibraryRule } from "../library/library-rule.ts";
import type { GoodRun } from "./layout-from-run.ts";

/** What is to come of a good run. */
export interface Wishes {
  readonly issuer: string;
  readonly expires: string;
  /** Practices that are wanted as well. */
  readonly level?: "moderate" | "high";
}

/** Rules of the library that a good run shows to be fit for it. */
const wanted = [
  "chain.whole",
  "chain.has-steps",
  "chain.gate-not-refused",
  "builder.trusted",
  "source.trusted",
  "build.no-insecure-options",
  "build.committed",
  "build.hermetic",
  "build.no-open-network",
  "build.observed",
  "build.in-images",
  "build.images-secure",
  "sbom.complete",
  "vulnerabilities.evaluated",
  "vulnerabilities.gate-passed",
  "licences.none-denied",
];

/** What only this pipeline does: judged by parameters, so that a reader sees them in one place. */
const ownRules: readonly PolicyRule[] = [
  {
    id: "run.pipeline",
    title: "The pipeline that the policy names made it",
    expression: "chain.project == params.project && chain.pipeline == params.pipeline",
    message: "another pipeline made it",
    solution: "Deliver what this pipeline makes, or write a policy for the other one.",
    severity: "critical",
    dependsOn: ["chain.whole"],
  },
  {
    id: "run.artifact",
    title: "It is one of the artifacts that the policy names",
    expression: "chain.artifact.name in params.artifacts",
    message: "the pipeline made something that the policy does not name",
    solution: "Name the new artifact in `artifacts`.",
    severity: "high",
    dependsOn: ["chain.whole"],
  },
  {
    id: "run.steps",
    title: "Exactly the steps that the policy names",
    expression:
      "chain.steps.all(step, step.name in params.steps) && params.steps.all(name, chain.steps.exists(step, step.name == name))",
    messageExpression: '"steps: " + chain.steps.map(step, step.name).join(", ")',
    message: "a step is missing, or one came in",
    solution: "Name the new steps in `steps`, once somebody looked at them.",
    severity: "high",
    dependsOn: ["chain.whole"],
  },
  {
    id: "run.network",
    title: "Steps that had no network have none",
    expression: 'chain.steps.all(step, step.network == "none" || step.name in params.fetchers)',
    messageExpression:
      '"with a network: " + chain.steps.filter(step, step.network != "none").map(step, step.name).join(", ")',
    message: "a step that needs no network had one",
    solution: "Fetch in a step that `fetchers` names.",
    severity: "high",
    dependsOn: ["chain.whole"],
  },
];

/** The policies of `publish` and `deploy` that a run suggests, with every rule that may fit. */
export function suggestedRelease({ chains }: GoodRun, { issuer, expires, level }: Wishes): readonly Policy[] {
  const [chain] = chains;
  const { project, pipeline, builder, source, steps } = chain;
  const list = (description: string, values: readonly string[]) => ({
    type: "list" as const,
    description,
    default: [...values].sort(),
  });
  return (["publish", "deploy"] as const).map((point) => {
    const rules = withDependencies([
      ...libraryRules.filter(({ id }) => wanted.includes(id)),
      ...(level === undefined ? [] : (rulesAt(level, point) ?? [])),
    ]);
    return {
      touchmark: "policy/v1",
      name: `${project}-${point}`,
      version: 1,
      description: `What ${project}/${pipeline} delivers must have been made as in run ${chain.run}.`,
      expires,
      point,
      trust: { builder: { identities: [{ identity: builder, issuer }] } },
      attestations: {
        provenance: { predicateType: "https://slsa.dev/provenance/v1", by: ["builder"] },
        ...Object.fromEntries(
          Object.entries(readAttestations(rules))
            .filter(([name]) => name !== "provenance")
            .map(([name, predicateType]) => [name, { predicateType, by: ["builder"], required: false }]),
        ),
      },
      parameters: {
        ...declaredParameters(rules),
        project: { type: "string", description: "Project whose pipeline it is.", default: project },
        pipeline: { type: "string", description: "Pipeline of the project.", default: pipeline },
        artifacts: list("Artifacts that it may deliver.", distinct(chains.map(({ artifact }) => artifact.name))),
        steps: list(
          "Steps that it has.",
          steps.map(({ name }) => name),
        ),
        fetchers: list(
          "Steps that may have a network.",
          steps.filter(({ network }) => network !== "none").map(({ name }) => name),
        ),
        builders: list("Builders that are trusted.", [builder]),
        sources: list("Sources that it may be built from.", [source.uri]),
      },
      rules: [...rules.map(plainRule), ...ownRules],
    };
  });
}

/** Rules with all that they depend on, each once, in the library's order. */
function withDependencies(rules: readonly LibraryRule[]): readonly LibraryRule[] {
  const ids = new Set<string>();
  const take = (rule: LibraryRule): void => {
    if (ids.has(rule.id)) return;
    ids.add(rule.id);
    for (const other of libraryRules) if (rule.dependsOn?.includes(other.id) === true) take(other);
  };
  for (const rule of rules) take(rule);
  return libraryRules.filter(({ id }) => ids.has(id));
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
