import { openpgpErrors } from "./errors.ts";
import { Octets } from "./octets.ts";

/** Packet types that matter here (RFC 9580 §5). */
export const packetTag = {
  signature: 2,
  publicKey: 6,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
} as const;

/** One packet, undecoded. */
export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
}

/**
 * Splits bytes into packets, of the old and the new format. Lengths that end anywhere (old format, type 3) and partial
 * lengths belong to data of unknown size, which neither keys nor signatures are, and are refused.
 * @throws OPENPGP_PACKET_MALFORMED | OPENPGP_TOO_LARGE
 */
export function readPackets(bytes: Uint8Array, maxPackets: number): Packet[] {
  const reader = new Octets(bytes);
  const packets: Packet[] = [];
  while (reader.left > 0) {
    if (packets.length === maxPackets) {
      throw openpgpErrors.make("OPENPGP_TOO_LARGE", `expected at most ${maxPackets} packets`);
    }
    const first = reader.octet();
    if ((first & 0x80) === 0) throw malformed(`an octet ${first} where a packet begins`);
    const isNew = (first & 0x40) !== 0;
    const tag = isNew ? first & 0x3f : (first >> 2) & 0x0f;
    if (tag === 0) throw malformed("a packet of type 0");
    packets.push({ tag, body: reader.take(isNew ? newLength(reader) : oldLength(reader, first & 3)) });
  }
  return packets;
}

function newLength(reader: Octets): number {
  const first = reader.octet();
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + reader.octet() + 192;
  if (first === 255) return reader.number(4);
  throw malformed("a partial length");
}

function oldLength(reader: Octets, type: number): number {
  if (type === 0) return reader.octet();
  if (type === 1) return reader.number(2);
  if (type === 2) return reader.number(4);
  throw malformed("a packet without a length");
}

function malformed(found: string): Error {
  return openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected OpenPGP packets, found ${found}`);
}
