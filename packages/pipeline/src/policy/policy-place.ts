import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex } from "@touchmark/core";
import { readYaml } from "@touchmark/formats/pipeline";
import type { CelInput } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { homePolicyErrors } from "./errors.ts";

/** Where a home keeps what is about policy. */
export const policyPlaces = (factory: Factory) => {
  const { policy } = factory.home.paths;
  return {
    /** The installed set, as signed; one bundle for each signature. */
    set: join(policy, "set"),
    /** Policies and layouts by digest. */
    documents: join(policy, "documents"),
    exceptions: join(policy, "exceptions"),
    decisions: join(policy, "decisions"),
    environments: join(policy, "environments.yaml"),
    parameters: join(policy, "parameters.yaml"),
  };
};

/** File of a document of a set. */
export const documentPath = (factory: Factory, digest: Digest): string =>
  join(policyPlaces(factory).documents, digestHex(digest));

/** Names in a directory that may be absent, sorted. */
export function namesIn(directory: string, suffix: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(suffix) && !name.startsWith("."))
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}

/** Parameters of policies, as the user set them. @throws POLICY_PARAMETERS_MALFORMED */
export function readParameters(factory: Factory): { readonly [name: string]: CelInput } {
  const path = policyPlaces(factory).parameters;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw cause;
  }
  const value = readYaml(text, path).value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw homePolicyErrors.make("POLICY_PARAMETERS_MALFORMED", `expected a mapping of names to values in ${path}`);
  }
  return value;
}
