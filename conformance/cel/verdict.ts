import { compileExpression } from "@touchmark/policy/cel";
import { bindingsOf, isSame, valueOf } from "./spelled.ts";
import type { Vector } from "./vector.ts";

/** What became of a vector. The last three are vectors that were not run, each for its reason. */
export type Verdict = "passed" | "failed" | "messages" | "types" | "blocks";

/** Names of protobuf messages, enumerations, wrappers and their extensions. */
const messages =
  /[A-Z]\w*\{|TestAllTypes|NestedEnum|GlobalEnum|\bproto\.(?:has|get)Ext|messageType":"(?!google\.protobuf\.(?:Timestamp|Duration))|"wrapper|google\.protobuf\.(?!Timestamp|Duration)|enumValue/;

/** Runs a vector. */
export function judge(vector: Vector): Verdict {
  if (messages.test(JSON.stringify(vector))) return "messages";
  if (vector.checkOnly === true) return "types";
  if (/cel\.(?:block|index|iterVar)\(/.test(vector.expr)) return "blocks";
  const variables = bindingsOf(vector.bindings ?? {});
  const spelled = vector.value ?? vector.typedResult?.result;
  const expected = spelled === undefined ? undefined : valueOf(spelled);
  if (variables === undefined || (spelled !== undefined && expected === undefined)) return "messages";
  const found = resultOf(vector, variables);
  // A vector that names no result expects `true`.
  if (vector.evalError !== undefined) return found === undefined ? "passed" : "failed";
  return found !== undefined && isSame(found, expected === undefined ? true : expected) ? "passed" : "failed";
}

type Variables = NonNullable<ReturnType<typeof bindingsOf>>;

function resultOf(vector: Vector, variables: Variables): ReturnType<typeof valueOf> {
  const declared = (vector.typeEnv ?? []).flatMap(({ name, ident }) =>
    ident === undefined || name === undefined ? [] : [name],
  );
  const names = [...new Set([...declared, ...Object.keys(vector.bindings ?? {})])];
  try {
    const options = { variables: names, container: vector.container ?? "", unchecked: vector.disableCheck === true };
    const { outcome } = compileExpression(vector.expr, options).evaluate(variables);
    return outcome.kind === "value" ? outcome.value : undefined;
  } catch {
    return undefined;
  }
}
