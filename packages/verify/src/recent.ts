/**
 * Remembers the last few results of a pure computation, per owner. For facts about unchanging bytes and keys alone:
 * what a time or an expectation decides is never remembered.
 */
export class Recent<Owner extends object, Value> {
  readonly #byOwner = new WeakMap<Owner, Map<string, Value>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value for a key that spells the whole input; computed where it is not known. A failure is not remembered. */
  get(owner: Owner, key: string, compute: () => Value): Value {
    let known = this.#byOwner.get(owner);
    if (known === undefined) {
      known = new Map();
      this.#byOwner.set(owner, known);
    }
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute();
    if (known.size >= this.#limit) known.delete(known.keys().next().value as string);
    known.set(key, value);
    return value;
  }
}
