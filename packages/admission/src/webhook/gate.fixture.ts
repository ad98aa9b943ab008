import { type Digest, sha256 } from "@touchmark/core";
import type { Decision } from "@touchmark/policy";
import type { AdmissionContext, AdmissionGate, AdmissionVerdict } from "../gate/types.ts";
import { pinnedDigest } from "./ask.ts";

const none = sha256("");

/** A decision as policies would make it. */
export function decisionAbout(digest: Digest, result: "allow" | "deny"): Decision {
  const denials = [{ code: "POLICY_RULE_FAILED", message: "not built here", rule: "built-here" } as const];
  return {
    ...{ touchmark: "decision/v1", point: "deploy", subject: { name: "image", digest }, result },
    ...{ at: "2026-11-21T12:00:00Z", denials: result === "allow" ? [] : denials, verdicts: [], cost: 1 },
    inputs: {
      ...{ policies: [sha256("policy")], layouts: [], evidence: [sha256("statement")], refused: [] },
      ...{ request: none, parameters: none, trustRoots: [] },
    },
  };
}

/** A verdict as a gate gives it: names with `bad` in them are denied. */
export function verdictAbout(reference: string): AdmissionVerdict {
  const digest = pinnedDigest(reference) ?? sha256(reference);
  const result = reference.includes("bad") ? "deny" : "allow";
  return {
    ...{ reference, digest, result, decisions: [decisionAbout(digest, result)] },
    message: result === "allow" ? "" : "POLICY_RULE_FAILED: not built here",
    warnings: reference.includes("warn") ? ["tomorrow this will be denied"] : [],
    explanation: result === "allow" ? "all is well" : "deny\n  built-here failed",
  };
}

/** A gate that keeps what it was asked. */
export interface ScriptedGate extends AdmissionGate {
  readonly asked: { readonly references: readonly string[]; readonly context: AdmissionContext }[];
}

/** A gate that answers by names, or as the test says. */
export function scriptedGate(
  admit: AdmissionGate["admit"] = async (references) => references.map(verdictAbout),
): ScriptedGate {
  const asked: ScriptedGate["asked"] = [];
  return {
    asked,
    admit(references, context) {
      asked.push({ references, context });
      return admit(references, context);
    },
  };
}
