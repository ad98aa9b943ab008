import { readFileSync } from "node:fs";
import { readYaml } from "@touchmark/formats/pipeline";
import type { Factory } from "../factory.ts";
import { policyPlaces } from "../policy/index.ts";
import { gateErrors } from "./errors.ts";

const nameShape = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const MAX_ENVIRONMENTS = 100;

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
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const [first, ...more] = members;
  const list: unknown = first?.[1];
  if (first?.[0] !== "environments" || more.length > 0 || !Array.isArray(list)) {
    throw malformed(members.map(([name]) => name).join(", ") || "nothing");
  }
  const names = list.filter((name): name is string => typeof name === "string" && nameShape.test(name));
  const isWhole = names.length === list.length && new Set(names).size === list.length;
  if (!isWhole || names.length === 0 || names.length > MAX_ENVIRONMENTS) throw malformed(`${names.length} names`);
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
