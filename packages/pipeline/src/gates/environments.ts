import { readFileSync } from "node:fs";
import { isFactoryError } from "@touchmark/core";
import { readYaml } from "@touchmark/formats/pipeline";
import { type EnvironmentOrder, environmentOrder } from "@touchmark/formats/policy";
import type { Factory } from "../factory.ts";
import { policyPlaces } from "../policy/index.ts";
import { gateErrors } from "./errors.ts";

/**
 * Environments in the order in which an artifact goes through them: the list `environments` in policy/environments.yaml
 * of the home; none where there is no such file.
 * @throws GATE_ENVIRONMENTS_MALFORMED
 */
export function environmentsOf(factory: Factory): readonly string[] {
  const path = policyPlaces(factory).environments;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
  const malformed = (why: string, cause?: unknown) =>
    gateErrors.make(
      "GATE_ENVIRONMENTS_MALFORMED",
      `expected a list of distinct names under \`environments\` in ${path}, found ${why}`,
      cause === undefined ? {} : { cause },
    );
  let value: unknown;
  try {
    value = readYaml(text, path).value;
  } catch (cause) {
    throw malformed("no YAML", cause);
  }
  try {
    environmentOrder.check(value, "environments.yaml");
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw malformed(cause.message, cause);
  }
  const names = (value as EnvironmentOrder).environments;
  if (new Set(names).size !== names.length) throw malformed("a name twice");
  return names;
}

/** The environments before one, in order. @throws GATE_ENVIRONMENT_UNKNOWN | GATE_ENVIRONMENTS_MALFORMED */
export function environmentsBefore(factory: Factory, environment: string): readonly string[] {
  const names = environmentsOf(factory);
  const at = names.indexOf(environment);
  if (at === -1) {
    throw gateErrors.make(
      "GATE_ENVIRONMENT_UNKNOWN",
      `expected ${names.join(", ") || "an environment, and none is named"}, found ${JSON.stringify(environment.slice(0, 80))}`,
      { hint: `name them in order in ${policyPlaces(factory).environments}: environments: [staging, production]` },
    );
  }
  return names.slice(0, at);
}
