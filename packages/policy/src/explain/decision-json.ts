import { canonicalJson } from "@touchmark/core";
import type { Decision } from "../decision.ts";

/** The bytes of a decision: canonical JSON, which is what is signed, recorded and compared with a replay. */
export function decisionJson(decision: Decision): string {
  return canonicalJson(decision);
}
