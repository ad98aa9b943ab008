import { type Clock, type Digest, isDigest, isFactoryError } from "@touchmark/core";
import { parseImageReference } from "@touchmark/formats/pipeline";
import type { Decision } from "@touchmark/policy";
import type { HeldEvidence } from "../cache/evidence-cache.ts";
import type { Tenant, TenantTable } from "./tenant.ts";
import type { AdmissionContext, AdmissionFacts, AdmissionGate, AdmissionVerdict } from "./types.ts";
import { allowedBy, brokenGlass, decided, failed } from "./verdict.ts";

/** What a gate is made of. */
export interface AdmissionGateOptions {
  /** As they are at this moment; asked once a question. */
  readonly tenants: () => TenantTable | Promise<TenantTable>;
  readonly clock: Clock;
  /** The explanation of a decision for a person, without colours. */
  readonly explain: (decision: Decision) => string;
  /** Milliseconds: a denial never rests on older evidence; it is gathered anew first. Default 5,000. */
  readonly denialAgeMs?: number;
  /** References of one question that are looked at at once. Default 64. */
  readonly atOnce?: number;
  /** Told of every verdict that is no dry run, before anybody else; what it throws denies. */
  readonly onVerdict?: (verdict: AdmissionVerdict, context: AdmissionContext) => void;
}

/**
 * The gate: evidence from the tenant's cache, a decision made anew for each reference of each question, and a denial by
 * name for everything that goes wrong.
 */
export function admissionGate(options: AdmissionGateOptions): AdmissionGate {
  const { atOnce = 64, onVerdict } = options;
  return {
    async admit(references, context) {
      const different = [...new Set(references)];
      const verdicts = new Map<string, AdmissionVerdict>();
      const limit = deadline(context);
      try {
        const tenant = (await options.tenants()).of(context.namespace);
        let next = 0;
        const drive = async (): Promise<void> => {
          for (let index = next++; index < different.length; index = next++) {
            const reference = different[index] as string;
            const verdict = await admitOne(options, tenant, { reference, context, signal: limit.signal });
            verdicts.set(reference, context.dryRun ? verdict : told(verdict, () => onVerdict?.(verdict, context)));
          }
        };
        await Promise.all(Array.from({ length: Math.min(atOnce, different.length) }, drive));
      } finally {
        limit.clear();
      }
      return references.map(
        (each) => verdicts.get(each) ?? failed(each, undefined, "timeout", "no verdict was reached"),
      );
    },
  };
}

/** What cannot be written down is not admitted. */
function told(verdict: AdmissionVerdict, tell: () => void): AdmissionVerdict {
  try {
    tell();
    return verdict;
  } catch (error) {
    return verdict.result === "allow" ? failureOf(verdict.reference, verdict.digest, error) : verdict;
  }
}

class DeadlineError extends Error {}

/** Made once: an error costs more than a cached lookup. */
const answered = new DeadlineError("the question was answered");

/** Ends everything when the time is over, or when nobody waits any more. */
function deadline({ withinMs, signal }: AdmissionContext): { readonly signal: AbortSignal; clear(): void } {
  const own = new AbortController();
  const timer = setTimeout(
    () => own.abort(new DeadlineError(`expected a verdict within ${withinMs} ms`)),
    Math.max(0, withinMs),
  );
  const leave = (): void => own.abort(new DeadlineError("nobody waits for the verdict any more"));
  if (signal?.aborted === true) leave();
  signal?.addEventListener("abort", leave, { once: true });
  return {
    signal: own.signal,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
      // Whatever is under way for this question alone ends with it.
      own.abort(answered);
    },
  };
}

async function admitOne(
  options: AdmissionGateOptions,
  tenant: Tenant,
  { reference, context, signal }: Omit<Asked, "digest">,
): Promise<AdmissionVerdict> {
  let digest: Digest | undefined;
  let verdict: AdmissionVerdict;
  try {
    signal.throwIfAborted();
    digest = digestIn(reference) ?? (await tenant.evidence.resolve(reference, signal));
    verdict = await decideOne(options, tenant, { reference, digest, context, signal });
  } catch (error) {
    verdict = failureOf(reference, digest, error);
  }
  if (verdict.result === "allow" || digest === undefined) return withProblems(verdict, tenant);
  const permission = await tenant.breakGlass(digest, context.namespace, options.clock.now());
  return withProblems(permission === undefined ? verdict : brokenGlass(verdict, permission), tenant);
}

interface Asked {
  readonly reference: string;
  readonly digest: Digest;
  readonly context: AdmissionContext;
  readonly signal: AbortSignal;
}

async function decideOne(options: AdmissionGateOptions, tenant: Tenant, asked: Asked): Promise<AdmissionVerdict> {
  const { reference, digest, context, signal } = asked;
  const { clock, denialAgeMs = 5000, explain } = options;
  const look = (youngerThan?: Date): Promise<HeldEvidence> =>
    tenant.evidence.evidence(digest, isDigest(reference) ? undefined : reference, {
      signal,
      ...(youngerThan === undefined ? {} : { youngerThan }),
    });
  const decide = async ({ evidence }: HeldEvidence): Promise<Decision> => {
    const request = requestOf(context);
    const { dryRun } = context;
    const question = { subject: { name: reference, digest }, request, evidence, now: clock.now(), signal, dryRun };
    const decision = await tenant.decide(question);
    // An answer about something else is no answer.
    if (decision.subject.digest !== digest) throw new TypeError("the decision is about another digest");
    signal.throwIfAborted();
    return decision;
  };
  let held = await look();
  let decision = await decide(held);
  const newest = new Date(clock.now().getTime() - denialAgeMs);
  if (decision.result !== "allow" && !held.isNew && held.evidence.at < newest) {
    // What was attested meanwhile counts at once.
    held = await look(newest);
    if (held.isNew) decision = await decide(held);
  }
  const stale =
    held.staleBecause === undefined
      ? []
      : [`evidence of ${held.evidence.at.toISOString()} counts: its source cannot be asked (${held.staleBecause})`];
  return decision.result === "allow"
    ? allowedBy(reference, decision, explain, stale)
    : decided(reference, digest, decision, explain, stale);
}

class UnreadableError extends Error {}

/** Facts for the rules. What is not known is left out, so that a rule that needs it denies. */
function requestOf({ facts, namespace }: AdmissionContext): AdmissionFacts {
  const known = Object.entries(facts).filter(([name, value]) => value !== null && name !== "namespace");
  return { ...Object.fromEntries(known), ...(namespace === undefined ? {} : { namespace }) };
}

/** The digest that a reference names itself. */
function digestIn(reference: string): Digest | undefined {
  if (isDigest(reference)) return reference;
  try {
    return parseImageReference(reference).digest;
  } catch (cause) {
    throw new UnreadableError((cause as Error).message, { cause });
  }
}

function failureOf(reference: string, digest: Digest | undefined, error: unknown): AdmissionVerdict {
  if (error instanceof DeadlineError) return failed(reference, digest, "timeout", error.message);
  if (error instanceof UnreadableError) return failed(reference, digest, "reference", error.message);
  if (isFactoryError(error)) return failed(reference, digest, error.code, error.message);
  return failed(reference, digest, "internal", error instanceof Error ? error.message : String(error));
}

function withProblems(verdict: AdmissionVerdict, tenant: Tenant): AdmissionVerdict {
  const problems = tenant.problems();
  return problems.length === 0 ? verdict : { ...verdict, warnings: [...verdict.warnings, ...problems] };
}
