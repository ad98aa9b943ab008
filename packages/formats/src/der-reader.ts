import { formatsErrors } from "./errors.ts";

/** Tags of the ASN.1 types that certificates and time-stamps use (X.690 §8.1.2). */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific, primitive. */
  context: (number: number): number => 0x80 | number,
  /** Context-specific, constructed. */
  constructed: (number: number): number => 0xa0 | number,
} as const;

/**
 * Reads DER (X.690 §10) in order and without copying: definite lengths in the fewest octets, low tag numbers.
 * Every method throws DER_MALFORMED on anything else than what it names.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = end;
  }

  /** Tag of the next element, or undefined at the end. */
  peek(): number | undefined {
    return this.#offset < this.#end ? this.#bytes[this.#offset] : undefined;
  }

  /** Refuses bytes that nobody read. */
  end(): void {
    if (this.#offset !== this.#end) throw this.#malformed("the end");
  }

  /** A reader over the contents of the next element. */
  open(tag: number): DerReader {
    const start = this.#header(tag);
    const end = this.#offset;
    return new DerReader(this.#bytes, start, end);
  }

  /** The same, or undefined when the next element has another tag. */
  openOptional(tag: number): DerReader | undefined {
    return this.peek() === tag ? this.open(tag) : undefined;
  }

  sequence(): DerReader {
    return this.open(derTag.sequence);
  }

  /** Contents of the next element. */
  contents(tag: number): Uint8Array {
    const start = this.#header(tag);
    return this.#bytes.subarray(start, this.#offset);
  }

  /** The next element whole, tag and length with it. */
  raw(tag?: number): Uint8Array {
    const start = this.#offset;
    this.#header(tag ?? this.peek() ?? -1);
    return this.#bytes.subarray(start, this.#offset);
  }

  /** An INTEGER's contents, in the fewest octets. */
  integer(): Uint8Array {
    const bytes = this.contents(derTag.integer);
    const [first, second] = bytes;
    if (first === undefined) throw this.#malformed("an integer");
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      throw this.#malformed("an integer in the fewest octets");
    }
    return bytes;
  }

  /** An INTEGER from 0 to 2^31 - 1. */
  smallInteger(): number {
    const bytes = this.integer();
    if (bytes.length > 4 || (bytes[0] as number) >= 0x80) throw this.#malformed("a small integer");
    return bytes.reduce((value, byte) => value * 256 + byte, 0);
  }

  boolean(): boolean {
    const bytes = this.contents(derTag.boolean);
    if (bytes.length !== 1 || (bytes[0] !== 0 && bytes[0] !== 0xff)) throw this.#malformed("a boolean");
    return bytes[0] === 0xff;
  }

  /** A BOOLEAN with the default FALSE, which DER leaves out. */
  booleanDefaultFalse(): boolean {
    if (this.peek() !== derTag.boolean) return false;
    if (!this.boolean()) throw this.#malformed("a default value that is left out");
    return true;
  }

  /** An OBJECT IDENTIFIER in dotted decimal. */
  oid(): string {
    const bytes = this.contents(derTag.oid);
    const last = bytes[bytes.length - 1];
    if (last === undefined || last >= 0x80) throw this.#malformed("an object identifier");
    const parts: number[] = [];
    let value = 0;
    let fresh = true;
    for (const byte of bytes) {
      if (fresh && byte === 0x80) throw this.#malformed("an object identifier in the fewest octets");
      value = value * 128 + (byte & 0x7f);
      if (value > Number.MAX_SAFE_INTEGER / 256) throw this.#malformed("an object identifier of usual size");
      fresh = byte < 0x80;
      if (fresh) {
        if (parts.length === 0) {
          const root = value < 80 ? Math.floor(value / 40) : 2;
          parts.push(root, value - root * 40);
        } else parts.push(value);
        value = 0;
      }
    }
    return parts.join(".");
  }

  /** A BIT STRING of whole octets. */
  bitString(): Uint8Array {
    const bytes = this.contents(derTag.bitString);
    if (bytes[0] !== 0) throw this.#malformed("a bit string of whole octets");
    return bytes.subarray(1);
  }

  /** A BIT STRING with named bits: the numbers of those that are set. */
  namedBits(): Set<number> {
    const bytes = this.contents(derTag.bitString);
    const unused = bytes[0];
    const last = bytes[bytes.length - 1];
    if (unused === undefined || last === undefined || unused > 7 || (bytes.length === 1 && unused !== 0)) {
      throw this.#malformed("a bit string");
    }
    // DER drops trailing zero bits, so the last one kept is set and the unused ones are not (X.690 §11.2).
    if (bytes.length > 1 && ((last & ((1 << unused) - 1)) !== 0 || (last & (1 << unused)) === 0)) {
      throw this.#malformed("a bit string without trailing zeros");
    }
    const bits = new Set<number>();
    for (let i = 0; i < (bytes.length - 1) * 8; i++) {
      if (((bytes[1 + (i >> 3)] as number) & (0x80 >> (i & 7))) !== 0) bits.add(i);
    }
    return bits;
  }

  /** Text of the given string type; ASCII except for UTF8String, and without NUL. */
  text(tag: number): string {
    const bytes = Buffer.from(this.contents(tag));
    const text = bytes.toString("utf8");
    const foreign =
      tag === derTag.utf8String ? Buffer.compare(Buffer.from(text), bytes) !== 0 : bytes.some((b) => b >= 0x80);
    if (foreign || text.includes("\0")) throw this.#malformed("text of its type");
    return text;
  }

  /** UTCTime or GeneralizedTime in UTC with seconds (RFC 5280 §4.1.2.5); fractions only where allowed. In milliseconds. */
  time(options: { readonly fraction?: boolean } = {}): number {
    const tag = this.peek();
    if (tag !== derTag.utcTime && tag !== derTag.generalizedTime) throw this.#malformed("a time");
    const bytes = this.contents(tag);
    const digits = tag === derTag.utcTime ? 12 : 14;
    const rest = Buffer.from(bytes.subarray(digits)).toString("latin1");
    const fraction = rest === "Z" ? "" : options.fraction === true ? /^\.(\d{0,8}[1-9])Z$/.exec(rest)?.[1] : undefined;
    if (fraction === undefined) throw this.#malformed("a time in UTC");
    const pair = (at: number): number => {
      const high = (bytes[at] as number) - 0x30;
      const low = (bytes[at + 1] as number) - 0x30;
      if (!(high >= 0 && high <= 9 && low >= 0 && low <= 9)) throw this.#malformed("a time in digits");
      return high * 10 + low;
    };
    const first = pair(0);
    const year = tag === derTag.utcTime ? first + (first >= 50 ? 1900 : 2000) : first * 100 + pair(2);
    const [month, day, hour, minute, second] = [10, 8, 6, 4, 2].map((back) => pair(digits - back)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const at = Date.UTC(year, month - 1, day, hour, minute, second);
    // Date.UTC rolls over: the 31st of June, the hour 24; and takes years below 100 for others.
    const back = new Date(at);
    if (
      year < 1900 ||
      back.getUTCMonth() !== month - 1 ||
      back.getUTCDate() !== day ||
      hour > 23 ||
      minute > 59 ||
      second > 59
    ) {
      throw this.#malformed("a time that exists");
    }
    return fraction === "" ? at : at + Math.floor(Number(`0.${fraction}`) * 1000);
  }

  /** Moves past the next element and gives the start of its contents. */
  #header(tag: number): number {
    const bytes = this.#bytes;
    const found = this.peek();
    if (found !== tag) throw this.#malformed(`tag 0x${tag.toString(16)}`);
    if ((tag & 0x1f) === 0x1f) throw this.#malformed("a low tag number");
    let offset = this.#offset + 1;
    let length = offset < this.#end ? (bytes[offset++] as number) : -1;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 4 || offset + octets > this.#end) throw this.#malformed("a definite length");
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[offset++] as number);
      if (length < 0x80 || length < 256 ** (octets - 1)) throw this.#malformed("a length in the fewest octets");
    }
    if (length < 0 || offset + length > this.#end) throw this.#malformed("an element within its parent");
    this.#offset = offset + length;
    return offset;
  }

  #malformed(expected: string): Error {
    const found = this.peek();
    return formatsErrors.make(
      "DER_MALFORMED",
      `expected ${expected} at offset ${this.#offset}, found ${found === undefined ? "the end" : `tag 0x${found.toString(16)}`}`,
    );
  }
}
