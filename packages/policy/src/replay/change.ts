/**
 * A difference between two versions of a document. `tighter`: what passed may be refused now. `looser`: what was
 * refused may pass now. `other`: it can be either, and somebody has to look.
 */
export interface Change {
  readonly effect: "tighter" | "looser" | "other";
  /** Where in the document: `rules.chain.whole`, `trust.builder`. */
  readonly where: string;
  readonly what: string;
}

/** What was added and what was taken away of two lists, compared as texts. */
export function compareLists(
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  const [old, now] = [new Set(before ?? []), new Set(after ?? [])];
  return { added: [...now].filter((each) => !old.has(each)), removed: [...old].filter((each) => !now.has(each)) };
}

/** Changes of named members: what to say of each that came, went or is there in both. */
export function compareRecords<Value>(
  before: { readonly [name: string]: Value } | undefined,
  after: { readonly [name: string]: Value } | undefined,
  say: {
    readonly added: (name: string, value: Value) => Change;
    readonly removed: (name: string, value: Value) => Change;
    readonly both: (name: string, before: Value, after: Value) => readonly Change[];
  },
): readonly Change[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before?.[name], after?.[name]];
    if (old === undefined) return now === undefined ? [] : [say.added(name, now)];
    return now === undefined ? [say.removed(name, old)] : say.both(name, old, now);
  });
}

/** A number that demands more the greater it is. */
export function compareDemand(where: string, what: string, before: number, after: number): readonly Change[] {
  if (before === after) return [];
  return [{ effect: after > before ? "tighter" : "looser", where, what: `${what}: ${before} before, ${after} now` }];
}
