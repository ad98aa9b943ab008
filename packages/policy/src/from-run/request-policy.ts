import { isFactoryError } from "@touchmark/core";
import type { Policy, PolicyRule } from "@touchmark/formats/policy";
import { type PredicateName, type PredicateOf, predicateName, readPredicate } from "@touchmark/formats/predicates";
import { libraryRules } from "../library/collections.ts";
import { plainRule } from "../library/default-policies.ts";
import type { GoodRun } from "./layout-from-run.ts";
import type { Wishes } from "./release-policies.ts";

const ownRules: readonly PolicyRule[] = [
  {
    id: "run.source",
    title: "It builds the source that the policy names",
    expression: "request.source.uri in params.sources",
    message: "the source is another one",
    solution: "Name the source in `sources`, once somebody looked at it.",
    severity: "high",
  },
  {
    id: "run.pipeline",
    title: "It is the pipeline that the policy names",
    expression: "request.project == params.project && request.pipeline.name == params.pipeline",
    message: "it is another pipeline",
    solution: "Write a policy for the other pipeline.",
    severity: "high",
  },
];

/** The policy of the point `request` that a run suggests; undefined where its trigger or source is not there. */
export function suggestedRequest({ chains: [chain], statements }: GoodRun, { expires }: Wishes): Policy | undefined {
  const trigger = find("trigger", chain.run, statements);
  const source = find("source", chain.run, statements);
  if (trigger === undefined || source === undefined) return undefined;
  const { actor, request } = trigger;
  const passed = new Set([
    ...libraryRules.filter((rule) => rule.collections.includes("touchmark-default")).map(({ id }) => id),
    "request.caller-allowed",
    ...(request.insecureOptions.length === 0 ? ["request.no-insecure-options"] : []),
    ...(source.workingTree ? [] : ["request.clean-tree"]),
    ...(source.signature.status === "good" ? ["request.commit-signed"] : []),
  ]);
  return {
    touchmark: "policy/v1",
    name: `${chain.project}-request`,
    version: 1,
    description: `Who may start ${chain.project}/${chain.pipeline}, and how: as run ${chain.run} was started.`,
    expires,
    point: "request",
    parameters: {
      callers: {
        type: "list",
        description: "Who may start it, as `KIND:NAME`.",
        default: [`${actor.kind}:${actor.name}`],
      },
      sources: { type: "list", description: "Sources that it may build.", default: [source.uri] },
      project: { type: "string", description: "Project whose pipeline it is.", default: chain.project },
      pipeline: { type: "string", description: "Pipeline of the project.", default: chain.pipeline },
    },
    rules: [
      ...libraryRules.filter(({ id, points }) => points.includes("request") && passed.has(id)).map(plainRule),
      ...ownRules,
    ],
  };
}

function find<Name extends PredicateName & ("trigger" | "source")>(
  name: Name,
  run: string,
  statements: GoodRun["statements"],
): PredicateOf<Name> | undefined {
  for (const { statement } of statements) {
    if (predicateName(statement.predicateType) !== name) continue;
    try {
      const predicate = readPredicate(name, statement.predicate);
      if ((predicate as { readonly run: string }).run === run) return predicate;
    } catch (error) {
      if (!isFactoryError(error)) throw error;
    }
  }
  return undefined;
}
