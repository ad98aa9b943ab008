import { type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { type Clock, sha256Bytes } from "@touchmark/core";
import { ecdsaWithSha256, oids } from "@touchmark/formats/certificate-writer";
import {
  certificateTime,
  context,
  element,
  generalizedTime,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utf8String,
} from "@touchmark/formats/der-writer";
import type { TimestampWitness } from "@touchmark/sign";
import {
  failureBits,
  parseTimestampRequest,
  type RequestFailure,
  type TimestampRequest,
  TimestampRequestError,
} from "./timestamp-request.ts";

/** Time-stamp authority (RFC 3161, RFC 5816): CMS SignedData over TSTInfo, P-256 with SHA-256. */
export interface TimestampAuthority extends TimestampWitness {
  /** Stamps SHA-256 of the message; the certificate is in the token. */
  stamp(message: Uint8Array): Promise<Uint8Array>;
  /**
   * Answers a DER TimeStampReq with a DER TimeStampResp. A request that cannot be served is answered with status
   * `rejection` and its failure bit, as RFC 3161 section 2.4.2 demands; nothing is thrown.
   */
  respond(request: Uint8Array): Uint8Array;
}

const sha256Algorithm = sequence(objectIdentifier(oids.sha256));
const policy = objectIdentifier(oids.timestampPolicy);
const accuracy = sequence(integer(1));
const granted = sequence(integer(0));
const contentTypeAttribute = sequence(objectIdentifier(oids.contentType), setOf(objectIdentifier(oids.timestampInfo)));

/** Opens a time-stamp authority. `issuerName` is the DER Name of the root that issued the certificate. */
export function timestampAuthority(options: {
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
  readonly issuerName: Uint8Array;
  readonly clock: Clock;
}): TimestampAuthority {
  const { certificate, key, issuerName, clock } = options;
  const serial = Buffer.from(new X509Certificate(certificate).serialNumber, "hex");
  const issuerAndSerial = sequence(issuerName, integer(serial));
  // ESSCertIDv2 (RFC 5035): the default hash, SHA-256, is left out as DER demands.
  const signingCertificate = sequence(
    objectIdentifier(oids.signingCertificateV2),
    setOf(
      sequence(
        sequence(
          sequence(octetString(sha256Bytes(certificate)), sequence(sequence(context(4, issuerName)), integer(serial))),
        ),
      ),
    ),
  );

  const token = (request: TimestampRequest): Uint8Array => {
    const now = clock.now();
    const tokenSerial = randomBytes(16);
    tokenSerial[0] = ((tokenSerial[0] as number) & 0x3f) | 0x40;
    const info = sequence(
      integer(1),
      policy,
      request.imprint,
      integer(tokenSerial),
      generalizedTime(now),
      accuracy,
      ...(request.nonce === undefined ? [] : [element(0x02, request.nonce)]),
    );
    const attributes = [
      contentTypeAttribute,
      sequence(objectIdentifier(oids.signingTime), setOf(certificateTime(now))),
      sequence(objectIdentifier(oids.messageDigest), setOf(octetString(sha256Bytes(info)))),
      signingCertificate,
    ];
    // The signature covers the attributes as SET OF; the token carries the same bytes under [0] (RFC 5652 section 5.4).
    const signedAttributes = setOf(...attributes);
    const signature = sign("sha256", signedAttributes, key);
    const embeddedAttributes = Buffer.from(signedAttributes);
    embeddedAttributes[0] = 0xa0;
    const signer = sequence(
      integer(1),
      issuerAndSerial,
      sha256Algorithm,
      embeddedAttributes,
      ecdsaWithSha256,
      octetString(signature),
    );
    const signedData = sequence(
      integer(3),
      setOf(sha256Algorithm),
      sequence(objectIdentifier(oids.timestampInfo), context(0, octetString(info))),
      ...(request.includeCertificate ? [context(0, certificate)] : []),
      setOf(signer),
    );
    return sequence(granted, sequence(objectIdentifier(oids.signedData), context(0, signedData)));
  };

  return {
    stamp: async (message) =>
      token({ imprint: sequence(sha256Algorithm, octetString(sha256Bytes(message))), includeCertificate: true }),
    respond(request) {
      try {
        return token(parseTimestampRequest(request, policy));
      } catch (failure) {
        if (failure instanceof TimestampRequestError) return rejection(failure.failure, failure.message);
        throw failure;
      }
    },
  };
}

function rejection(failure: RequestFailure, reason: string): Uint8Array {
  return sequence(sequence(integer(2), sequence(utf8String(reason)), namedBits(failureBits[failure])));
}
