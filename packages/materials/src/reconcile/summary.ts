import { reconcileErrors } from "./errors.ts";
import type { DifferenceName, Reconciliation, ReconciliationCounts } from "./reconciliation.ts";

/** `705 locked, 679 fetched, 26 for other platforms, 0 unknown`: one line, with what is not nothing. */
export function reconciliationSummary({ counts }: Pick<Reconciliation, "counts">): string {
  const always = new Set<keyof ReconciliationCounts>(["locked", "fetched", "unknown"]);
  return parts
    .filter(([name]) => always.has(name) || counts[name] > 0)
    .map(([name, words]) => `${counts[name]} ${words}`)
    .join(", ");
}

const parts: readonly (readonly [keyof ReconciliationCounts, string])[] = [
  ["locked", "locked"],
  ["fetched", "fetched"],
  ["otherPlatforms", "for other platforms"],
  ["optional", "optional left out"],
  ["notFetched", "not fetched"],
  ["unlocked", "without a lockfile"],
  ["unknown", "unknown"],
];

const codes = {
  "fetched-not-locked": "RECONCILE_NOT_LOCKED",
  "locked-digest-differs": "RECONCILE_DIGEST_DIFFERS",
  "locked-digest-unchecked": "RECONCILE_DIGEST_UNCHECKED",
  "same-name-other-bytes": "RECONCILE_BYTES_CHANGED",
  "lockfiles-disagree": "RECONCILE_LOCKFILES_DISAGREE",
} as const satisfies Partial<Record<DifferenceName, string>>;

/**
 * Refuses a step whose reconciliation holds a difference that refuses; the first decides on the code.
 * @throws RECONCILE_NOT_LOCKED | RECONCILE_DIGEST_DIFFERS | RECONCILE_DIGEST_UNCHECKED | RECONCILE_BYTES_CHANGED |
 *   RECONCILE_LOCKFILES_DISAGREE | RECONCILE_REFUSED
 */
export function assertReconciled(step: string, { differences }: Pick<Reconciliation, "differences">): void {
  const refusing = differences.filter((difference) => difference.effect === "refuse");
  const [first] = refusing;
  if (first === undefined) return;
  const known: Readonly<Partial<Record<DifferenceName, (typeof codes)[keyof typeof codes]>>> = codes;
  const lines = refusing.map(({ name, items }) => {
    const more = items.length > 3 ? ` and ${items.length - 3} more` : "";
    return `${name}: ${items.slice(0, 3).join("; ")}${more}`;
  });
  throw reconcileErrors.make(known[first.name] ?? "RECONCILE_REFUSED", `step ${step}: ${lines.join(". ")}`);
}
