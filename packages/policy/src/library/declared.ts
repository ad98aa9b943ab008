import type { Policy, PolicyParameter } from "@touchmark/formats/policy";
import type { LibraryParameter, LibraryRule } from "./library-rule.ts";

/** Declarations of the parameters that rules read, with the defaults of the library; without one where a user must say. */
export function declaredParameters(rules: readonly LibraryRule[]): NonNullable<Policy["parameters"]> {
  const parameters = new Map(rules.flatMap((rule) => rule.parameters ?? []).map((each) => [each.name, each]));
  return Object.fromEntries([...parameters].map(([name, parameter]) => [name, declared(parameter)]));
}

function declared({ type, description, otherwise }: LibraryParameter): PolicyParameter {
  return { type, description, ...(otherwise === undefined ? {} : { default: JSON.parse(otherwise) }) };
}

/** Predicate types of the attestations that rules read, by the name that they read. */
export function readAttestations(rules: readonly LibraryRule[]): { readonly [name: string]: string } {
  return Object.assign({}, ...rules.map((rule) => rule.attestations ?? {}));
}
