import { canonicalJson, type FactoryError, sha256 } from "@touchmark/core";
import type { AdmissionVerdict } from "../gate/types.ts";

/** A change of an object (RFC 6902). */
export interface PatchOperation {
  readonly op: "add" | "replace";
  readonly path: string;
  readonly value: unknown;
}

/** What is answered to a review, before it is bytes. */
export interface ReviewAnswer {
  readonly allowed: boolean;
  /** Why it is denied; empty when it is allowed. */
  readonly message: string;
  /** Codes of what denied it: of this service, of the gate, of policies. */
  readonly codes: readonly string[];
  readonly warnings: readonly string[];
  /** Names become part of the cluster's audit log, below the name of the webhook. */
  readonly audit: Readonly<Record<string, string>>;
  readonly patch: readonly PatchOperation[];
}

const longestMessage = 16_000;
/** The API server cuts warnings at 256 characters, and all together at 4096. */
const longestWarning = 250;
const mostWarnings = 16;
const longestAudit = 2000;

/** An answer that lets an object pass for which nothing had to be asked. */
export function passed(why: string): ReviewAnswer {
  return { allowed: true, message: "", codes: [], warnings: [], audit: { verdict: "allow", why }, patch: [] };
}

/** An answer that denies for a reason of this service's own. */
export function refused(error: FactoryError): ReviewAnswer {
  const hint = error.hint === undefined ? "" : ` ${error.hint}`;
  const message = `${error.code}: ${error.message}.${hint}`;
  const audit = { verdict: "deny", codes: error.code };
  return { allowed: false, message, codes: [error.code], warnings: [], audit, patch: [] };
}

/** The answer that verdicts give: allowed when each of them allows. */
export function judged(verdicts: readonly AdmissionVerdict[], patch: readonly PatchOperation[]): ReviewAnswer {
  const denials = verdicts.filter(({ result }) => result !== "allow");
  const codes = [...new Set(denials.flatMap(codesOf))].sort();
  const allowed = denials.length === 0;
  const breakGlass = verdicts.flatMap((verdict) => (verdict.breakGlass === undefined ? [] : [verdict.breakGlass.id]));
  return {
    allowed,
    message: allowed ? "" : denialText(denials),
    codes,
    warnings: allowed ? verdicts.flatMap(warningsOf) : [],
    audit: {
      verdict: allowed ? "allow" : "deny",
      images: verdicts.map(({ reference, digest }) => `${reference}=${digest ?? "unknown"}`).join(" "),
      decisions: verdicts.flatMap(({ decisions }) => decisions.map((one) => sha256(canonicalJson(one)))).join(" "),
      ...(codes.length === 0 ? {} : { codes: codes.join(" ") }),
      ...(breakGlass.length === 0 ? {} : { "break-glass": breakGlass.join(" ") }),
    },
    patch: allowed ? patch : [],
  };
}

/** Codes of a denial: of the gate, and of the policies that denied. */
export function codesOf({ failure, decisions }: AdmissionVerdict): readonly string[] {
  const denials = decisions.flatMap((decision) => [
    ...decision.denials,
    ...decision.verdicts
      .filter(({ policy, verdict }) => verdict === "deny" && policy.mode === "enforce")
      .flatMap((verdict) => verdict.denials),
  ]);
  return [...(failure === undefined ? [] : [failure.code]), ...denials.map(({ code }) => code)];
}

/** A line for each denied image first, because events show no more; then the explanations, as far as there is room. */
function denialText(denials: readonly AdmissionVerdict[]): string {
  const lines = denials.map(({ reference, message }) =>
    message.startsWith(reference) ? message : `${reference}: ${message}`,
  );
  const explanations = denials
    .filter(({ explanation, message }) => explanation !== "" && explanation !== message)
    .map(({ explanation }) => explanation);
  return [...lines, "", ...new Set(explanations)].join("\n").trim();
}

const warningsOf = ({ reference, warnings }: AdmissionVerdict): readonly string[] =>
  warnings.map((text) => (text.includes(reference) ? text : `${text} (${reference})`));

/** The bytes of the AdmissionReview that answers. */
export function reviewBytes(uid: string, answer: ReviewAnswer): Buffer {
  const { allowed, patch } = answer;
  const audit = Object.entries(answer.audit).map(([name, text]) => [name, clean(text, longestAudit)]);
  const warnings = [...new Set(answer.warnings.map((text) => clean(text, longestWarning)))].slice(0, mostWarnings);
  return Buffer.from(
    JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: {
        ...{ uid, allowed },
        ...(allowed
          ? {}
          : { status: { code: 403, reason: "Forbidden", message: cut(answer.message, longestMessage) } }),
        ...(warnings.length === 0 ? {} : { warnings }),
        auditAnnotations: Object.fromEntries(audit),
        ...(patch.length === 0
          ? {}
          : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") }),
      },
    }),
  );
}

/** One line of what came from outside. */
function clean(text: string, most: number): string {
  return cut(text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim(), most);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
