import { serverErrors } from "./errors.ts";

/** The API server takes 1 to 30 seconds for a webhook, and 10 unless told otherwise. */
const defaultTimeoutMs = 10_000;
const longestTimeoutMs = 30_000;
const shortestTimeoutMs = 100;

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const part = /([0-9]{1,9}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)/g;

/** Milliseconds of a duration as Go writes it, such as `10s` or `1m30s`. @throws ADMISSION_TIMEOUT_INVALID */
export function readDuration(text: string): number {
  const parts = text.length <= 64 ? [...text.matchAll(part)] : [];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text) {
    throw serverErrors.make(
      "ADMISSION_TIMEOUT_INVALID",
      `expected a duration such as 10s, found ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return parts.reduce((sum, [, digits = "", unit = ""]) => sum + Number(digits) * (unitMs[unit] ?? 0), 0);
}

/**
 * Milliseconds from a request's arrival within which its answer leaves: the caller's timeout less a tenth, at least
 * 200 ms of it, for the way there and back. The caller never gives up before it hears a denial.
 */
export function answerWithin(stated: string | null): number {
  const timeout = stated === null || stated === "" ? defaultTimeoutMs : readDuration(stated);
  const bounded = Math.min(longestTimeoutMs, Math.max(shortestTimeoutMs, timeout));
  return Math.max(bounded / 2, bounded - Math.max(200, bounded / 10));
}
