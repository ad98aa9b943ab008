import type { Digest } from "@touchmark/core";
import { decisionPoints, type Layout, type Policy, type PolicyRule } from "@touchmark/formats/policy";
import type { Pinned, PolicyVerdict } from "../decision.ts";
import { decide } from "../engine/decide.ts";
import { defaultPolicies, pinned } from "../library/default-policies.ts";
import { libraryErrors } from "./errors.ts";
import { type GoodRun, layoutFromRun } from "./layout-from-run.ts";
import { suggestedRelease, type Wishes } from "./release-policies.ts";
import { suggestedRequest } from "./request-policy.ts";

/** Documents that a good run suggests. Every one of them accepts that run. */
export interface PolicyFromRun {
  readonly layout: Pinned<Layout> | undefined;
  /** One that enforces for each point, then those that only warn: of rules that the run does not pass yet. */
  readonly policies: readonly Policy[];
  /** What a person should know of them. */
  readonly notes: readonly string[];
}

/** What deriving is told beside the run. */
export interface FromRunOptions extends Wishes {
  readonly now: Date;
  /** Digest of a document's bytes, as they will be written. */
  readonly digestOf: (document: Layout) => Digest;
}

/**
 * Layout and policies by example: the steps, identities, network and properties of a good run become what is demanded.
 * A rule that the run itself does not pass is not demanded: those of a wanted level warn, in policies of their own.
 */
export function policyFromRun(run: GoodRun, options: FromRunOptions): PolicyFromRun {
  const derived = layoutFromRun(run, options.expires);
  const layout = derived === undefined ? undefined : { digest: options.digestOf(derived), document: derived };
  const demanding = suggestedRelease(run, options).map(
    (policy): Policy => (layout === undefined ? policy : { ...policy, layout: layout.digest }),
  );
  const layouts = layout === undefined ? [] : [layout];
  const release = demanding.map((policy) => fitted(policy, (each) => verdictsOf(each, run, layouts, options)));
  const request = suggestedRequest(run, options);
  const others = defaultPolicies(options.now)
    .map(({ document }) => document)
    .filter(({ point }) => point === "dependency" || point === "step" || (point === "request" && request === undefined))
    .map((document) => ({ ...document, name: `${run.chains[0].project}-${document.point}`, expires: options.expires }));
  const enforced = [...(request === undefined ? [] : [request]), ...others, ...release.map(({ enforce }) => enforce)];
  const warned = release.flatMap(({ warn }) => (warn === undefined ? [] : [warn]));
  return {
    layout,
    policies: [
      ...decisionPoints.flatMap((point) => enforced.filter((policy) => policy.point === point)),
      ...(options.level === undefined ? [] : warned),
    ],
    notes: [
      ...(layout === undefined
        ? [
            "no layout: an artifact is an image or a directory, whose digest no step's link names; rules on the chain stand instead",
          ]
        : []),
      ...(request === undefined
        ? [
            "the point request has the library's rules: the run's trigger and source statements were not among the evidence",
          ]
        : []),
    ],
  };
}

/** What a policy says of each artifact of the run. */
function verdictsOf(
  policy: Policy,
  { chains, statements }: GoodRun,
  layouts: readonly Pinned<Layout>[],
  { now, issuer }: FromRunOptions,
): readonly PolicyVerdict[] {
  return chains.flatMap((chain) => {
    const { verdicts } = decide({
      point: policy.point,
      subject: { name: chain.artifact.name, digest: chain.artifact.digest },
      request: {},
      policies: [pinned(policy)],
      layouts,
      evidence: statements,
      chains: [chain],
      parameters: {},
      now,
      issuer,
    });
    return verdicts;
  });
}

/** A policy cut down to what the run passes; what is left of it is a warning. */
interface Fitted {
  readonly enforce: Policy;
  readonly warn?: Policy;
}

/** @throws LIBRARY_RUN_UNFIT when the run does not even pass what is left */
function fitted(policy: Policy, judge: (policy: Policy) => readonly PolicyVerdict[]): Fitted {
  const failed = new Set(
    judge(policy).flatMap(({ rules }) => rules.filter(({ outcome }) => outcome !== "passed").map(({ id }) => id)),
  );
  const rules = policy.rules ?? [];
  const enforce = withRules(
    policy,
    rules.filter(({ id }) => !failed.has(id)),
  );
  const verdicts = judge(enforce);
  const denial = verdicts.flatMap(({ denials }) => denials)[0];
  if (verdicts.length === 0 || denial !== undefined || failed.has("chain.whole")) {
    const why = denial === undefined ? "nothing could be judged" : `${denial.code}: ${denial.message}`;
    throw libraryErrors.make("LIBRARY_RUN_UNFIT", `expected a run that passes ${policy.name}, found ${why}`);
  }
  if (failed.size === 0) return { enforce };
  const { layout: _layout, ...rest } = policy;
  const next: Policy = {
    ...rest,
    name: `${policy.name}-next`,
    mode: "warn",
    description: `Rules that the run does not pass yet. Move each into ${policy.name} once it does.`,
  };
  const left = rules.filter(({ id }) => failed.has(id) || isNeeded(id, rules, failed));
  return { enforce, warn: withRules(next, left) };
}

/** With these rules alone, and only the parameters and attestations that they read or that are demanded. */
function withRules(policy: Policy, rules: readonly PolicyRule[]): Policy {
  const said = rules.map(({ expression, messageExpression }) => `${expression} ${messageExpression ?? ""}`).join(" ");
  const reads = (of: string, name: string) => new RegExp(`\\b${of}\\.${name}\\b`).test(said);
  const read = <Value>(
    of: string,
    values: { readonly [name: string]: Value } = {},
    isKept = (_value: Value) => false,
  ) => Object.fromEntries(Object.entries(values).filter(([name, value]) => reads(of, name) || isKept(value)));
  return {
    ...policy,
    attestations: read("attestations", policy.attestations, ({ required }) => required !== false),
    parameters: read("params", policy.parameters),
    rules,
  };
}

/** True when a failed rule depends on it, directly or not. */
function isNeeded(id: string, rules: readonly PolicyRule[], failed: ReadonlySet<string>): boolean {
  return rules.some(
    (rule) => rule.dependsOn?.includes(id) === true && (failed.has(rule.id) || isNeeded(rule.id, rules, failed)),
  );
}
