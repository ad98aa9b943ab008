import { openpgpErrors } from "./errors.ts";
import { Octets } from "./octets.ts";

/** Signature subpackets that are understood (RFC 9580 §5.2.3.7). */
export const subpacketType = {
  creationTime: 2,
  expiration: 3,
  keyExpiration: 9,
  revocationKey: 12,
  issuer: 16,
  keyFlags: 27,
  embeddedSignature: 32,
  issuerFingerprint: 33,
} as const;

/** One subpacket, undecoded. */
export interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Uint8Array;
}

/** What may be marked critical: the ones that are heeded, and preferences and remarks that change no verdict and that GnuPG takes. */
const harmless = [4, 7, 11, 21, 22, 25, 29, 30];
const understood: ReadonlySet<number> = new Set([...Object.values(subpacketType), ...harmless]);

/** Types of which a signature may have only one: two would let two readers see two things. */
const single: ReadonlySet<number> = new Set([2, 3, 9, 25, 27]);

const maxSubpackets = 200;

/** Reads an area of subpackets. @throws OPENPGP_PACKET_MALFORMED | OPENPGP_TOO_LARGE */
export function readSubpackets(area: Uint8Array): Subpacket[] {
  const reader = new Octets(area);
  const found: Subpacket[] = [];
  while (reader.left > 0) {
    if (found.length === maxSubpackets) {
      throw openpgpErrors.make("OPENPGP_TOO_LARGE", `expected at most ${maxSubpackets} subpackets of a signature`);
    }
    const first = reader.octet();
    const length = first < 192 ? first : first < 255 ? ((first - 192) << 8) + reader.octet() + 192 : reader.number(4);
    if (length === 0) throw malformed("a subpacket without a type");
    const type = reader.octet();
    found.push({ type: type & 0x7f, critical: (type & 0x80) !== 0, body: reader.take(length - 1) });
  }
  for (const type of single) {
    if (found.filter((each) => each.type === type).length > 1) throw malformed(`two subpackets of type ${type}`);
  }
  return found;
}

/** The first subpacket that is critical and not understood. */
export function unknownCritical(subpackets: readonly Subpacket[]): Subpacket | undefined {
  return subpackets.find(({ critical, type }) => critical && !understood.has(type));
}

/** Value of a subpacket that is one number of four octets. */
export function numberOf(subpackets: readonly Subpacket[], type: number): number | undefined {
  const body = subpackets.find((each) => each.type === type)?.body;
  if (body === undefined) return undefined;
  if (body.length !== 4) throw malformed(`a subpacket of type ${type} with ${body.length} octets`);
  return new Octets(body).number(4);
}

function malformed(found: string): Error {
  return openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected subpackets of a signature, found ${found}`);
}
