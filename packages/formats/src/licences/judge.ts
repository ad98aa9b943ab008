import type { LicenceClass } from "../findings/index.ts";
import { currentLicence } from "./current.ts";
import { type LicenceExpression, type LicenceTerm, licenceText } from "./expression.ts";
import type { LicencePolicy } from "./policy.ts";
import { choicesOf } from "./versions.ts";

/** What a policy says of an expression. */
export interface LicenceJudgement {
  readonly class: LicenceClass;
  /** Where there was a choice: the licences that were taken, as an expression. */
  readonly chosen?: string;
  /** Why, in words, of the licence that decided. */
  readonly reason: string;
}

/** From best to worst. Unknown is worse than warned: nobody has looked at it yet. */
const order: readonly LicenceClass[] = ["allowed", "warned", "unknown", "denied"];

interface Verdict {
  readonly class: LicenceClass;
  readonly reason: string;
  /** The expression that is left when every choice is made. */
  readonly taken: string;
  readonly chose: boolean;
}

/**
 * Judges an expression by a policy. Of `OR` and of "or any later version" the best side is taken, of `AND` the worst
 * decides. An entry that names the licence with its exception comes before one that names the licence alone; an
 * exception that no entry names neither helps nor harms. `undefined`: no licence is known.
 */
export function judgeLicence(expression: LicenceExpression | undefined, policy: LicencePolicy): LicenceJudgement {
  if (expression === undefined) return { class: policy.missing, reason: "no licence is known" };
  const verdict = judge(currentLicence(expression), policy);
  return { class: verdict.class, reason: verdict.reason, ...(verdict.chose ? { chosen: verdict.taken } : {}) };
}

/** True when `a` is worse than `b`. */
export function isWorse(a: LicenceClass, b: LicenceClass): boolean {
  return order.indexOf(a) > order.indexOf(b);
}

function judge(expression: LicenceExpression, policy: LicencePolicy): Verdict {
  if (expression.kind === "licence") return judgeTerm(expression, policy);
  const verdicts = expression.parts.map((part) => ({ part, verdict: judge(part, policy) }));
  const first = verdicts[0]?.verdict;
  if (first === undefined) throw new TypeError("expected parts");
  if (expression.kind === "or") {
    const best = verdicts.reduce((a, { verdict: b }) => (isWorse(a.class, b.class) ? b : a), first);
    return { ...best, chose: true };
  }
  const worst = verdicts.reduce((a, { verdict: b }) => (isWorse(b.class, a.class) ? b : a), first);
  const taken = [...new Set(verdicts.map(({ verdict }) => verdict.taken))].join(" AND ");
  return { ...worst, taken, chose: verdicts.some(({ verdict }) => verdict.chose) };
}

function judgeTerm(term: LicenceTerm, policy: LicencePolicy): Verdict {
  const own = listed(term, policy);
  if (own !== undefined) return { ...own, taken: licenceText(term), chose: false };
  // "Or any later version" is a choice: the best version of it counts.
  const reason = `${licenceText(term)} is in no list of the policy`;
  const unlisted: Verdict = { class: policy.unlisted, reason, taken: licenceText(term), chose: false };
  return choicesOf(term)
    .map((choice): Verdict => {
      const said = listed(choice, policy);
      return said === undefined ? unlisted : { ...said, taken: licenceText(choice), chose: true };
    })
    .reduce((a, b) => (isWorse(a.class, b.class) ? b : a));
}

/** What the lists say of one licence, the entry with its exception first; denied comes before warned before allowed. */
function listed(term: LicenceTerm, policy: LicencePolicy): { class: LicenceClass; reason: string } | undefined {
  const { exception, ...bare } = term;
  const names = exception === undefined ? [licenceText(term)] : [licenceText(term), licenceText(bare)];
  for (const name of names) {
    for (const [list, className] of lists) {
      const entry = policy[list].find((each) => covers(each, name));
      if (entry === undefined) continue;
      const by = entry === name ? "" : ` by ${entry}`;
      return { class: className, reason: `${licenceText(term)} is ${className}${by}` };
    }
  }
  return undefined;
}

const lists = [
  ["deny", "denied"],
  ["warn", "warned"],
  ["allow", "allowed"],
] as const;

/** An entry that ends in `*` covers every name with that beginning, which is not one with an exception. */
function covers(entry: string, name: string): boolean {
  if (!entry.endsWith("*")) return entry === name;
  return name.startsWith(entry.slice(0, -1)) && (entry.includes(" WITH ") || !name.includes(" WITH "));
}
