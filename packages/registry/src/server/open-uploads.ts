import { registryServerErrors } from "./errors.ts";

/** Counts the uploads that each caller began and did not end, so that nobody opens them without bound. */
export class OpenUploads {
  readonly #begun = new Map<string, { readonly caller: string; readonly at: number }>();
  readonly #counts = new Map<string, number>();
  readonly #perCaller: number;
  readonly #lifeMs: number;

  constructor(perCaller: number, lifeMs: number) {
    this.#perCaller = perCaller;
    this.#lifeMs = lifeMs;
  }

  /** @throws REGISTRY_UPLOADS_TOO_MANY */
  check(caller: string, now: number): void {
    this.#expire(now);
    if ((this.#counts.get(caller) ?? 0) >= this.#perCaller) {
      throw registryServerErrors.make(
        "REGISTRY_UPLOADS_TOO_MANY",
        `expected at most ${this.#perCaller} open uploads of ${caller}`,
      );
    }
  }

  begin(id: string, caller: string, now: number): void {
    this.#begun.set(id, { caller, at: now });
    this.#counts.set(caller, (this.#counts.get(caller) ?? 0) + 1);
  }

  end(id: string): void {
    const found = this.#begun.get(id);
    if (found === undefined) return;
    this.#begun.delete(id);
    const left = (this.#counts.get(found.caller) ?? 1) - 1;
    if (left <= 0) this.#counts.delete(found.caller);
    else this.#counts.set(found.caller, left);
  }

  /** They stand in the order in which they were begun. */
  #expire(now: number): void {
    for (const [id, { at }] of this.#begun) {
      if (now - at < this.#lifeMs) return;
      this.end(id);
    }
  }
}
