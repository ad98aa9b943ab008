/** Gives every component a ref of its own: `REF`, then `REF#2`, `REF#3`, ... */
export class FreeRefs {
  readonly #taken = new Set<string>();
  readonly #copies = new Map<string, number>();

  take(wanted: string): string {
    let ref = wanted;
    let copy = this.#copies.get(wanted) ?? 1;
    while (this.#taken.has(ref)) ref = `${wanted}#${++copy}`;
    this.#copies.set(wanted, copy);
    this.#taken.add(ref);
    return ref;
  }
}
