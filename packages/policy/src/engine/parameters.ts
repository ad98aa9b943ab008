import type { Policy, PolicyParameter } from "@touchmark/formats/policy";
import type { CelInput } from "../cel/value.ts";
import type { Denial } from "../decision.ts";

/** What came of a policy's parameters. */
export interface Parameters {
  /** The variable `params`. */
  readonly variable: { readonly [name: string]: CelInput };
  readonly denials: readonly Denial[];
}

/** Takes the parameters that the policy declares, by type. Others do not reach its rules. */
export function readParameters(
  declared: Policy["parameters"],
  given: { readonly [name: string]: CelInput },
): Parameters {
  const variable: [string, CelInput][] = [];
  const denials: Denial[] = [];
  for (const [name, parameter] of Object.entries(declared ?? {})) {
    const isGiven = Object.hasOwn(given, name) && given[name] !== undefined;
    const value = isGiven ? given[name] : (parameter.default as CelInput | undefined);
    if (value === undefined) {
      denials.push({
        code: "POLICY_PARAMETER_MISSING",
        message: `the parameter ${name} (${parameter.type}) has no value`,
        solution: `Give ${name} a value where the policy is in force, or a default in the policy.`,
      });
    } else if (!types[parameter.type](value)) {
      denials.push({
        code: "POLICY_PARAMETER_WRONG",
        message: `expected the parameter ${name} as ${parameter.type}, found ${kindOf(value)}`,
        solution: `Give ${name} a value of the type ${parameter.type}.`,
      });
    } else variable.push([name, value]);
  }
  return { variable: Object.fromEntries(variable), denials };
}

const types: Readonly<Record<PolicyParameter["type"], (value: CelInput) => boolean>> = {
  string: (value) => typeof value === "string",
  int: (value) => typeof value === "bigint" || Number.isSafeInteger(value),
  bool: (value) => typeof value === "boolean",
  // It stays text: rules say `duration(params.NAME)`.
  duration: (value) =>
    typeof value === "string" && value.length <= 64 && /^-?(\d+(\.\d+)?(h|m|s|ms|us|ns))+$/.test(value),
  list: (value) => Array.isArray(value),
  map: (value) => kindOf(value) === "a map",
};

function kindOf(value: CelInput): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a time";
  if (value instanceof Uint8Array) return "bytes";
  return typeof value === "object" ? "a map" : typeof value;
}
