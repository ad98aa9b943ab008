import { isFactoryError } from "@touchmark/core";
import { nearestName } from "../pipeline/nearest.ts";
import type { YamlPath } from "../pipeline/yaml-reader.ts";
import type { Layout } from "./layout.ts";
import type { LintNotes } from "./lint-notes.ts";
import type { Policy, PolicyRule } from "./policy.ts";

/** What the lint asks of a compiled expression. */
export interface LintedExpression {
  /** Names of the variables that it reads. */
  readonly variables: readonly string[];
  /** Its value when it reads none; undefined when that is neither true nor false. */
  readonly constant: () => boolean | undefined;
}
/** Compiles an expression. @throws FactoryError when it is not one */
export type ExpressionCompiler = (source: string, variables: readonly string[]) => LintedExpression;

/** Variables that every rule may read. */
const common = ["attestations", "chain", "layout", "now", "params", "request", "subject", "vars"] as const;
// Texts of CEL, which name nothing.
const literal = /"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
const named = /(?<![\w.])(params|vars|attestations)\s*\.\s*\??([A-Za-z_]\w*)/g;

interface Place {
  readonly source: string;
  readonly at: YamlPath;
  readonly more?: readonly string[];
  /** The only variables that it may read. */
  readonly only?: readonly string[];
  /** True for what decides: constant ones are noted. */
  readonly decides?: boolean;
}

/** Notes expressions that do not compile, decide nothing, or read what is not there. */
export function lintExpressions(
  found:
    | { readonly kind: "policy"; readonly document: Policy }
    | { readonly kind: "layout"; readonly document: Layout },
  compile: ExpressionCompiler,
  notes: LintNotes,
): void {
  const places = found.kind === "policy" ? ofPolicy(found.document) : ofLayout(found.document);
  for (const place of places) lintExpression(place, compile, notes);
  if (found.kind === "policy") lintNames(found.document, places, notes);
}

function lintExpression(
  { source, at, more = [], only, decides }: Place,
  compile: ExpressionCompiler,
  notes: LintNotes,
): void {
  try {
    const expression = compile(source, only ?? [...common, ...more]);
    if (decides !== true || expression.variables.length > 0) return;
    const value = expression.constant();
    if (value === true) notes.add("always-true", at, `${source.slice(0, 80)} reads no evidence and is true`);
    if (value === false) notes.add("never-true", at, `${source.slice(0, 80)} reads no evidence and is false`);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    notes.add("expression", at, error.message.split("\n", 1)[0] ?? error.code);
  }
}

function ofPolicy(policy: Policy): readonly Place[] {
  return [
    ...(policy.match?.expression === undefined
      ? []
      : [
          {
            source: policy.match.expression,
            at: ["match", "expression"],
            only: ["now", "params", "request", "subject"],
          },
        ]),
    ...(policy.variables ?? []).map(({ expression }, i) => ({
      source: expression,
      at: ["variables", i, "expression"],
    })),
    ...ofRules(policy.rules, ["rules"], []),
  ];
}

function ofLayout(layout: Layout): readonly Place[] {
  const attested = ["step", "predicateType", "predicate", "statementSubject", "signer"];
  return [
    ...layout.steps.flatMap((step, i) =>
      (step.attestations ?? []).flatMap((each, j) =>
        ofRules(each.rules, ["steps", i, "attestations", j, "rules"], attested),
      ),
    ),
    ...(layout.inspections ?? []).flatMap((each, i) =>
      ofRules(each.rules, ["inspections", i, "rules"], ["inspection"]),
    ),
    ...layout.subjects.flatMap((each, i): Place[] => [
      ...ofRules(each.rules, ["subjects", i, "rules"], ["product"]),
      ...(each.expression === undefined
        ? []
        : [{ source: each.expression, at: ["subjects", i, "expression"], more: ["product"], decides: true }]),
    ]),
  ];
}

function ofRules(rules: readonly PolicyRule[] | undefined, at: YamlPath, more: readonly string[]): readonly Place[] {
  return (rules ?? []).flatMap((rule, i): Place[] => [
    ...(rule.expression === undefined
      ? []
      : [{ source: rule.expression, at: [...at, i, "expression"], more, decides: true }]),
    ...(rule.messageExpression === undefined
      ? []
      : [{ source: rule.messageExpression, at: [...at, i, "messageExpression"], more }]),
  ]);
}

/** Names behind `params.`, `vars.` and `attestations.` are declared, in time, and each is read somewhere. */
function lintNames(policy: Policy, places: readonly Place[], notes: LintNotes): void {
  const variables = (policy.variables ?? []).map(({ name }) => name);
  const declared: Readonly<Record<string, readonly string[]>> = {
    params: Object.keys(policy.parameters ?? {}),
    vars: variables,
    attestations: Object.keys(policy.attestations ?? {}),
  };
  const read = new Set<string>();
  // A module of Rego can read anything.
  let isWhole = (policy.rules ?? []).some((rule) => rule.rego !== undefined);
  for (const { source, at } of places) {
    const code = source.replaceAll(literal, (text) => " ".repeat(text.length));
    // `params[x]` or `vars` as a whole can read anything.
    if (/(?<![\w.])(?:params|vars|attestations)\s*(?:\[|[^\s.\w[]|$)/.test(code)) isWhole = true;
    for (const [, kind = "", name = ""] of code.matchAll(named)) {
      read.add(`${kind}.${name}`);
      const valid = declared[kind] ?? [];
      if (!valid.includes(name)) {
        const near = nearestName(name, valid);
        notes.add(
          "unknown-name",
          at,
          `${kind}.${name} is not declared${near === undefined ? "" : `; did you mean ${near}?`}`,
        );
      } else if (kind === "vars" && at[0] === "variables" && variables.indexOf(name) >= Number(at[1])) {
        notes.add("variable-order", at, `vars.${name} has no value yet`);
      }
    }
  }
  if (isWhole || policy.collections !== undefined) return;
  const unused = (kind: string, name: string, at: YamlPath, side: "key" | "value") => {
    if (!read.has(`${kind}.${name}`)) notes.add("unused", at, `nothing reads ${kind}.${name}`, side);
  };
  for (const name of declared["params"] ?? []) unused("params", name, ["parameters", name], "key");
  for (const [i, name] of variables.entries()) unused("vars", name, ["variables", i, "name"], "value");
  for (const [name, { required }] of Object.entries(policy.attestations ?? {})) {
    // One that must be there says something by itself.
    if (required === false) unused("attestations", name, ["attestations", name], "key");
  }
}
