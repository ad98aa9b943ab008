/**
 * A set of paths that keeps 53 bits of hash of each, and not the paths: 16 bytes for one, whatever its length. It may
 * say `has` of a path that was never added once in about 10^9 questions of a tree of millions; nothing that matters for
 * safety asks it.
 */
export class PathSet {
  #slots = new Float64Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(path: string): void {
    this.addHash(pathHash(path));
  }

  has(path: string): boolean {
    return this.#size > 0 && this.hasHash(pathHash(path));
  }

  addHash(hash: number): void {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    if (insert(this.#slots, hash)) this.#size++;
  }

  hasHash(hash: number): boolean {
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = this.#slots[at];
      if (found === hash) return true;
      if (found === 0) return false;
    }
  }

  #grow(): void {
    const larger = new Float64Array(this.#slots.length * 2);
    for (const hash of this.#slots) if (hash !== 0) insert(larger, hash);
    this.#slots = larger;
  }
}

function insert(slots: Float64Array, hash: number): boolean {
  const mask = slots.length - 1;
  for (let at = hash & mask; ; at = (at + 1) & mask) {
    const found = slots[at];
    if (found === hash) return false;
    if (found === 0) {
      slots[at] = hash;
      return true;
    }
  }
}

/** 53 bits of a path, never 0. */
export function pathHash(path: string): number {
  let low = 0x2545f491;
  let high = 0x9e3779b9;
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high + unit, 0x85ebca6b);
    high = (high << 13) | (high >>> 19);
  }
  low = Math.imul(low ^ (low >>> 16), 0x7feb352d) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 15), 0x846ca68b) ^ Math.imul(low ^ (low >>> 14), 0x27d4eb2f);
  const hash = (high >>> 11) * 2 ** 32 + (low >>> 0);
  return hash === 0 ? 1 : hash;
}
