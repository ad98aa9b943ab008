/** Payload type of in-toto statements (in-toto attestation framework, "Envelope"). */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** One signature of an envelope. The key id is an unauthenticated hint (DSSE protocol). */
export interface EnvelopeSignature {
  readonly sig: Uint8Array;
  readonly keyid?: string;
}

/** A DSSE envelope, decoded. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

/** What stands before the payload in the pre-authentication encoding: `DSSEv1 LEN(type) type LEN(payload) `. */
export function preAuthPrefix(payloadType: string, payloadLength: number): Uint8Array {
  return Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payloadLength} `);
}

/** Pre-authentication encoding: the bytes that a DSSE signature covers (DSSE protocol, "PAE"). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  return Buffer.concat([preAuthPrefix(payloadType, payload.length), payload]);
}
