import { equalBytes } from "@touchmark/core";
import { DerReader, derTag } from "@touchmark/formats/der-reader";

/** What a TimeStampReq (RFC 3161 section 2.4.1) asks for. */
export interface TimestampRequest {
  /** DER MessageImprint, repeated in the token as it came. */
  readonly imprint: Uint8Array;
  /** Contents of the nonce INTEGER. */
  readonly nonce?: Uint8Array;
  readonly includeCertificate: boolean;
}

/** Bits of PKIFailureInfo (RFC 3161 section 2.4.2) that this authority answers with. */
export const failureBits = {
  badAlg: 0,
  badRequest: 2,
  badDataFormat: 5,
  unacceptedPolicy: 15,
  unacceptedExtension: 16,
} as const;

/** Why a request is rejected. */
export type RequestFailure = keyof typeof failureBits;

/** A request that is answered with a rejection. Never leaves the authority. */
export class TimestampRequestError extends Error {
  readonly failure: RequestFailure;
  constructor(failure: RequestFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

const MAX_REQUEST_BYTES = 4096;
const MAX_NONCE_BYTES = 64;
const digestLengths: Readonly<Record<string, number>> = {
  "2.16.840.1.101.3.4.2.1": 32,
  "2.16.840.1.101.3.4.2.2": 48,
  "2.16.840.1.101.3.4.2.3": 64,
};

/**
 * Reads a TimeStampReq strictly: DER, version 1, SHA-2, no extension, the given policy or none.
 * @throws TimestampRequestError
 */
export function parseTimestampRequest(bytes: Uint8Array, policy: Uint8Array): TimestampRequest {
  if (bytes.length > MAX_REQUEST_BYTES) throw new TimestampRequestError("badRequest", "the request is too large");
  try {
    return readRequest(bytes, policy);
  } catch (cause) {
    if (cause instanceof TimestampRequestError) throw cause;
    throw new TimestampRequestError("badDataFormat", `no TimeStampReq in DER: ${(cause as Error).message}`);
  }
}

function readRequest(bytes: Uint8Array, policy: Uint8Array): TimestampRequest {
  const outer = new DerReader(bytes);
  const request = outer.sequence();
  outer.end();
  if (request.smallInteger() !== 1) throw new TimestampRequestError("badRequest", "expected version 1");
  const imprint = request.raw(derTag.sequence);
  checkImprint(imprint);
  if (request.peek() === derTag.oid && !equalBytes(request.raw(), policy)) {
    throw new TimestampRequestError("unacceptedPolicy", "this authority has one policy, and it is another");
  }
  const nonce = request.peek() === derTag.integer ? request.integer() : undefined;
  if (nonce !== undefined && nonce.length > MAX_NONCE_BYTES) {
    throw new TimestampRequestError("badRequest", `expected a nonce of at most ${MAX_NONCE_BYTES} bytes`);
  }
  const includeCertificate = request.booleanDefaultFalse();
  if (request.peek() === derTag.constructed(0)) {
    throw new TimestampRequestError("unacceptedExtension", "this authority knows no extension");
  }
  request.end();
  return { imprint, ...(nonce === undefined ? {} : { nonce }), includeCertificate };
}

function checkImprint(bytes: Uint8Array): void {
  const imprint = new DerReader(bytes).sequence();
  const algorithm = imprint.sequence();
  const oid = algorithm.oid();
  if (algorithm.peek() === derTag.null) algorithm.contents(derTag.null);
  algorithm.end();
  const digest = imprint.contents(derTag.octetString);
  imprint.end();
  const length = Object.hasOwn(digestLengths, oid) ? digestLengths[oid] : undefined;
  if (length === undefined) throw new TimestampRequestError("badAlg", "expected SHA-256, SHA-384 or SHA-512");
  if (digest.length !== length)
    throw new TimestampRequestError("badDataFormat", `expected a digest of ${length} bytes`);
}
