import type { Digest, FactoryError } from "@touchmark/core";
import type { AdmissionContext, AdmissionGate, AdmissionVerdict } from "../gate/types.ts";
import { questionErrors } from "./errors.ts";

const digestEnding = /(?:^|@)(sha256:[0-9a-f]{64})$/;

/** The digest that a reference names itself, or undefined for a tag. */
export function pinnedDigest(reference: string): Digest | undefined {
  return digestEnding.exec(reference)?.[1] as Digest | undefined;
}

/** Made once: an error costs more than a cached lookup. */
const answered = new Error("the question was answered");

/** Milliseconds that the gate has less than the answer, so that its own words about what is missing come through. */
const gateMarginMs = 50;

/**
 * Asks the gate, each reference once, and lets nothing pass that its verdicts do not carry: an answer that comes late,
 * is short, contradicts itself or is about other bytes is a denial with a code of its own. Never throws.
 */
export async function askGate(
  gate: AdmissionGate,
  references: readonly string[],
  context: AdmissionContext,
): Promise<ReadonlyMap<string, AdmissionVerdict>> {
  const asked = [...new Set(references)];
  if (asked.length === 0) return new Map();
  const leaving = new AbortController();
  const signal = context.signal === undefined ? leaving.signal : AbortSignal.any([leaving.signal, context.signal]);
  const withinMs = Math.max(1, context.withinMs - gateMarginMs);
  const late = new Lateness(context.withinMs);
  try {
    const verdicts = await Promise.race([gate.admit(asked, { ...context, withinMs, signal }), late.promise]);
    if (verdicts === undefined) {
      const message = `expected the gate's answer within ${Math.round(context.withinMs)} ms`;
      return deniedAll(asked, questionErrors.make("ADMISSION_TIMEOUT", message));
    }
    return new Map(asked.map((reference, i) => [reference, sound(reference, verdicts[i])]));
  } catch (cause) {
    return deniedAll(asked, questionErrors.make("ADMISSION_GATE_FAILED", messageOf(cause), { cause }));
  } finally {
    late.stop();
    leaving.abort(answered);
  }
}

/** Comes true when the time is over. */
class Lateness {
  readonly promise: Promise<undefined>;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.promise = new Promise((resolve) => {
      this.#timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function deniedAll(references: readonly string[], error: FactoryError): ReadonlyMap<string, AdmissionVerdict> {
  return new Map(references.map((reference) => [reference, denied(reference, error)]));
}

function denied(reference: string, { code, message }: FactoryError): AdmissionVerdict {
  const text = `${code}: ${message}`;
  return {
    ...{ reference, result: "deny", message: text, warnings: [], decisions: [] },
    ...{ failure: { code, message }, explanation: text },
  };
}

/** The verdict itself, or a denial where it does not carry what it says. */
function sound(reference: string, verdict: AdmissionVerdict | undefined): AdmissionVerdict {
  const fault = verdict === undefined ? "no verdict" : faultOf(reference, verdict);
  if (verdict !== undefined && fault === undefined) return verdict;
  return denied(reference, questionErrors.make("ADMISSION_GATE_FAILED", `found ${fault} about ${reference}`));
}

function faultOf(reference: string, verdict: AdmissionVerdict): string | undefined {
  if (verdict.reference !== reference) return `a verdict about ${verdict.reference}`;
  if (verdict.result !== "allow") return undefined;
  const pinned = pinnedDigest(reference);
  if (verdict.digest === undefined) return "an allowed image without digest";
  if (pinned !== undefined && verdict.digest !== pinned) return `an allowed image of digest ${verdict.digest}`;
  if (verdict.breakGlass !== undefined) return undefined;
  if (verdict.failure !== undefined || verdict.decisions.length === 0) return "an allowed image without decision";
  const foreign = verdict.decisions.find((decision) => decision.subject.digest !== verdict.digest);
  if (foreign !== undefined) return `a decision about ${foreign.subject.digest ?? foreign.subject.name}`;
  return verdict.decisions.every((decision) => decision.result === "allow") ? undefined : "a decision that denies";
}

function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 500);
}
