import type { AdmissionFacts, AdmissionGate, AdmissionVerdict, InventoryItem } from "@touchmark/admission";
import { oneLine, printable, type Terminal } from "../terminal.ts";

/** A verdict about one use of an artifact. */
export interface ItemVerdict {
  readonly item: InventoryItem;
  readonly verdict: AdmissionVerdict;
}

/** What is asked beside the items. */
export interface GateQuestion {
  /** For items that name none. */
  readonly namespace?: string;
  readonly facts: AdmissionFacts;
  readonly withinMs: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** References in one question: enough to share lookups, few enough to hold little. */
const AT_ONCE = 500;

/** Verdicts of the gate in the order of the items; each namespace is a question of its own. */
export async function askGate(
  gate: AdmissionGate,
  items: readonly InventoryItem[],
  { namespace, ...context }: GateQuestion,
): Promise<readonly ItemVerdict[]> {
  const byNamespace = Map.groupBy(items, (item) => item.namespace ?? namespace);
  const verdicts = new Map<InventoryItem, AdmissionVerdict>();
  for (const [where, own] of byNamespace) {
    for (let from = 0; from < own.length; from += AT_ONCE) {
      const some = own.slice(from, from + AT_ONCE);
      const said = await gate.admit(
        some.map(({ reference }) => reference),
        { ...context, ...(where === undefined ? {} : { namespace: where }) },
      );
      for (const [i, item] of some.entries()) verdicts.set(item, said[i] as AdmissionVerdict);
    }
  }
  return items.map((item) => ({ item, verdict: verdicts.get(item) as AdmissionVerdict }));
}

/** One verdict as people read it. */
export function showVerdict({ item, verdict }: ItemVerdict, terminal: Terminal): void {
  const { style } = terminal;
  const word = verdict.result === "allow" ? style.good("admitted") : style.bad("denied");
  const used = item.where === item.reference ? "" : style.dim(` (${oneLine(item.where)})`);
  terminal.print(`${word} ${oneLine(item.reference)}${used}`);
  if (verdict.digest !== undefined && !item.reference.includes(verdict.digest))
    terminal.print(`  is ${verdict.digest}`);
  for (const line of verdict.warnings) terminal.print(`  ${style.warn(oneLine(line))}`);
  if (verdict.result === "deny" || verdict.breakGlass !== undefined) {
    for (const line of printable(verdict.explanation).trimEnd().split("\n")) terminal.print(`  ${line}`);
  }
}

/** The same as machines read it. */
export function verdictJson({ item, verdict }: ItemVerdict): object {
  const { reference, explanation: _, ...rest } = verdict;
  return { reference, where: item.where, namespace: item.namespace ?? null, ...rest };
}
