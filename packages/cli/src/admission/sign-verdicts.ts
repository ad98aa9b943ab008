import { signAdmission } from "@touchmark/pipeline/admission";
import type { ItemVerdict } from "./ask-gate.ts";
import type { OpenAdmission } from "./open-admission.ts";

/** A decision that was signed, for machines: with the bundle itself. */
export interface SignedVerdict {
  /** Digest of the bundle. */
  readonly bundle: string;
  readonly identity: string;
  readonly logIndex: number;
  readonly content: unknown;
}

/**
 * Signs the decisions of verdicts, allowed and denied: one for each reference in a namespace, however often it is used.
 * Answers what was signed about each; nothing where nothing was decided.
 */
export async function signVerdicts(
  { factory, kept }: OpenAdmission,
  verdicts: readonly ItemVerdict[],
  { namespace, environment }: { readonly namespace: string | undefined; readonly environment: string | undefined },
): Promise<(each: ItemVerdict) => readonly SignedVerdict[]> {
  const nameOf = ({ item }: ItemVerdict): string => JSON.stringify([item.namespace ?? namespace, item.reference]);
  const signed = new Map<string, readonly SignedVerdict[]>();
  for (const each of verdicts) {
    if (signed.has(nameOf(each))) continue;
    const own: SignedVerdict[] = [];
    for (const decision of each.verdict.decisions) {
      const decided = kept(decision);
      if (decided === undefined) throw new TypeError("a decision that nobody recorded was to be signed");
      const { bytes, ...report } = await signAdmission(factory, decided, environment);
      own.push({ ...report, content: JSON.parse(Buffer.from(bytes).toString("utf8")) });
    }
    signed.set(nameOf(each), own);
  }
  return (each) => signed.get(nameOf(each)) ?? [];
}
