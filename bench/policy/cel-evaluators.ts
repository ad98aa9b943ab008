import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { compileExpression, prepareVariables } from "@touchmark/policy/cel";

type Variables = Readonly<Record<string, object>>;

/** One that compiles and evaluates CEL in this process. */
export interface CelEvaluator {
  readonly name: string;
  /** Compiles, and gives what evaluates once over these variables. */
  readonly compile: (expression: string, variables: Variables) => () => unknown;
}

const peers = join(process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers"), "cel");

/** Evaluators of others, installed beside, and how each is used. */
export const peerPackages = [
  ["@bufbuild/cel", bufbuild],
  ["@marcbachmann/cel-js", marcbachmann],
] as const;

/** Ours twice, since a decision evaluates many rules over the same variables; then those that are installed. */
export function evaluators(): readonly CelEvaluator[] {
  const require = createRequire(join(peers, "package.json"));
  const installed = (name: string): boolean => existsSync(join(peers, "node_modules", name));
  return [
    { name: "touchmark", compile: ours },
    { name: "touchmark, converting each time", compile: oursConverting },
    ...peerPackages.flatMap(([name, evaluator]) =>
      installed(name) ? [{ name, compile: evaluator(require(name)) }] : [],
    ),
  ];
}

function ours(expression: string, variables: Variables): () => unknown {
  const compiled = compileExpression(expression, { variables: Object.keys(variables) });
  const prepared = prepareVariables(variables as Parameters<typeof prepareVariables>[0]);
  return () => {
    const { outcome } = compiled.evaluate(prepared);
    return outcome.kind === "value" ? outcome.value : outcome.code;
  };
}

function oursConverting(expression: string, variables: Variables): () => unknown {
  const compiled = compileExpression(expression, { variables: Object.keys(variables) });
  return () => {
    const { outcome } = compiled.evaluate(variables as Parameters<typeof prepareVariables>[0]);
    return outcome.kind === "value" ? outcome.value : outcome.code;
  };
}

interface Bufbuild {
  readonly celEnv: (options: object) => object;
  readonly parse: (expression: string) => object;
  readonly plan: (environment: object, parsed: object) => (variables: Variables) => unknown;
}

function bufbuild(library: unknown): CelEvaluator["compile"] {
  const { celEnv, parse, plan } = library as Bufbuild;
  const environment = celEnv({});
  return (expression, variables) => {
    const planned = plan(environment, parse(expression));
    return () => planned(variables);
  };
}

interface Marcbachmann {
  readonly parse: (expression: string) => (variables: Variables) => unknown;
}

function marcbachmann(library: unknown): CelEvaluator["compile"] {
  const { parse } = library as Marcbachmann;
  return (expression, variables) => {
    const parsed = parse(expression);
    return () => parsed(variables);
  };
}
