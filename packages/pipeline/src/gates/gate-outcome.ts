import { isFactoryError } from "@touchmark/core";
import type { StepError } from "../run-session.ts";
import type { PassedGate } from "./run-gates.ts";

/** What a gate of the whole run answered. */
export type GateOutcome =
  | { readonly passed: PassedGate; readonly refusal?: undefined }
  | { readonly passed?: undefined; readonly refusal: StepError };

/** Asks a gate; a refusal becomes the outcome of the run, anything else is thrown. */
export async function outcomeOf(ask: () => Promise<PassedGate>): Promise<GateOutcome> {
  try {
    return { passed: await ask() };
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    const { code, nature, message, hint } = error;
    return { refusal: { code, nature, message, ...(hint === undefined ? {} : { hint }) } };
  }
}
