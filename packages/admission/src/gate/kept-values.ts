/** How much is kept. */
export interface KeptLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** Values by key, bounded in number and in the bytes that they were made from: what was longest unused goes first. */
export class KeptValues<Key, Value> {
  readonly #limits: KeptLimits;
  readonly #values = new Map<Key, { readonly value: Value; readonly bytes: number }>();
  #bytes = 0;

  constructor(limits: KeptLimits) {
    this.#limits = limits;
  }

  get(key: Key): Value | undefined {
    const found = this.#values.get(key);
    if (found === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, found);
    return found.value;
  }

  /** Keeps a value, unless it alone is more than all may be. */
  put(key: Key, value: Value, bytes: number): void {
    this.#drop(key);
    if (bytes > this.#limits.bytes) return;
    this.#values.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: Key): void {
    this.#bytes -= this.#values.get(key)?.bytes ?? 0;
    this.#values.delete(key);
  }
}
