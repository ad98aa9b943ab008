import type { Factory } from "../factory.ts";
import type { PoliciesInForce, PolicyFile } from "../policy/policies-in-force.ts";
import type { runGates } from "./run-gates.ts";

/** The engine and the policies in force, before there is a run. */
export interface LoadedGates {
  readonly runGates: typeof runGates;
  readonly policies: PoliciesInForce;
}

/** Reads engine and policies; begun while the source is fetched. Files take the place of the home's policies. */
export async function loadGates(factory: Factory, files: readonly PolicyFile[] | undefined): Promise<LoadedGates> {
  const [gates, { policiesInForce }] = await Promise.all([import("./run-gates.ts"), import("../policy/index.ts")]);
  const policies = await policiesInForce(factory, files === undefined ? {} : { files });
  return { runGates: gates.runGates, policies };
}
