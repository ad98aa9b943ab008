import { openpgpErrors } from "./errors.ts";

/** Reads octets in order, never past the end. */
export class Octets {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** How many octets were read. */
  get position(): number {
    return this.#at;
  }

  octet(): number {
    return this.take(1)[0] as number;
  }

  /** Big-endian number of 2 or 4 octets. */
  number(width: 2 | 4): number {
    return this.take(width).reduce((value, octet) => value * 256 + octet, 0);
  }

  take(count: number): Uint8Array {
    if (count > this.left) {
      throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected ${count} more octets, found ${this.left}`);
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** Multiprecision integer (RFC 9580 §3.2): its octets, without leading zeros, as the bit count says. */
  integer(maxBits: number): Uint8Array {
    const bits = this.number(2);
    if (bits > maxBits) {
      throw openpgpErrors.make(
        "OPENPGP_PACKET_MALFORMED",
        `expected a number of at most ${maxBits} bits, found ${bits}`,
      );
    }
    const octets = this.take(Math.ceil(bits / 8));
    const found = octets.length === 0 ? 0 : (octets.length - 1) * 8 + (32 - Math.clz32(octets[0] as number));
    if (found !== bits) {
      throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected a number of ${bits} bits, found ${found}`);
    }
    return octets;
  }

  end(): void {
    if (this.left > 0) throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `found ${this.left} octets too many`);
  }
}
