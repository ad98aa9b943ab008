import type { KeyObject } from "node:crypto";
import {
  authorityConstraints,
  authorityKeyIdentifier,
  distinguishedName,
  extendedKeyUsage,
  keyIdentifier,
  keyUsage,
  oids,
  permittedUriHost,
  randomSerial,
  subjectKeyIdentifier,
  writeCertificate,
} from "@touchmark/formats/certificate-writer";
import { publicKeyDer } from "./authority-files.ts";

/** The certificates that the root key signs, itself included. */

const DAY_MS = 86_400_000;
/** Life of the root, days. */
export const ROOT_DAYS = 3653;
/** Life of an intermediate, days. */
export const INTERMEDIATE_DAYS = 397;
/** Life of a time-stamp authority's certificate, days: stamps stay verifiable as long as its chain is trusted. */
export const TIMESTAMP_DAYS = 1827;

/** The names in the certificates of a trust domain. */
export const names = {
  root: (trustDomain: string): Uint8Array => distinguishedName(trustDomain, "Touchmark root"),
  intermediate: (trustDomain: string, generation: number): Uint8Array =>
    distinguishedName(trustDomain, `Touchmark intermediate ${generation}`),
  timestamp: (trustDomain: string, generation: number): Uint8Array =>
    distinguishedName(trustDomain, `Touchmark time-stamp authority ${generation}`),
} as const;

/** What the root signs with and for whom. */
export interface RootSigning {
  readonly trustDomain: string;
  readonly rootKey: KeyObject;
  readonly now: Date;
  /** End of the root certificate: nothing below it lives longer. */
  readonly rootUntil: Date;
}

/** The self-signed root certificate; one intermediate may stand below it. */
export function rootCertificate(signing: Omit<RootSigning, "rootUntil">): Uint8Array {
  const publicKey = publicKeyDer(signing.rootKey);
  const name = names.root(signing.trustDomain);
  return writeCertificate(
    {
      serial: randomSerial(),
      issuer: name,
      subject: name,
      notBefore: minuteBefore(signing.now),
      notAfter: daysAfter(signing.now, ROOT_DAYS),
      publicKey,
      extensions: [
        keyUsage.certificateSigning,
        authorityConstraints(1),
        subjectKeyIdentifier(keyIdentifier(publicKey)),
      ],
    },
    signing.rootKey,
  );
}

/**
 * An intermediate certificate: no authority below it, URI names of the trust domain only, and no extended key usage,
 * because Go would take it for a limit on every leaf.
 */
export function intermediateCertificate(signing: RootSigning, generation: number, key: KeyObject): Uint8Array {
  return issued(signing, names.intermediate(signing.trustDomain, generation), key, INTERMEDIATE_DAYS, [
    keyUsage.certificateSigning,
    authorityConstraints(0),
    permittedUriHost(signing.trustDomain),
  ]);
}

/** A time-stamp authority's certificate: critical key usage for time-stamping alone (RFC 3161 section 2.3). */
export function timestampCertificate(signing: RootSigning, generation: number, key: KeyObject): Uint8Array {
  return issued(signing, names.timestamp(signing.trustDomain, generation), key, TIMESTAMP_DAYS, [
    keyUsage.digitalSignature,
    extendedKeyUsage(true, oids.timeStamping),
  ]);
}

function issued(
  signing: RootSigning,
  subject: Uint8Array,
  key: KeyObject,
  days: number,
  extensions: readonly Uint8Array[],
): Uint8Array {
  const publicKey = publicKeyDer(key);
  const wanted = daysAfter(signing.now, days);
  return writeCertificate(
    {
      serial: randomSerial(),
      issuer: names.root(signing.trustDomain),
      subject,
      notBefore: minuteBefore(signing.now),
      notAfter: wanted < signing.rootUntil ? wanted : signing.rootUntil,
      publicKey,
      extensions: [
        ...extensions,
        subjectKeyIdentifier(keyIdentifier(publicKey)),
        authorityKeyIdentifier(keyIdentifier(publicKeyDer(signing.rootKey))),
      ],
    },
    signing.rootKey,
  );
}

const minuteBefore = (now: Date): Date => new Date(now.getTime() - 60_000);
const daysAfter = (now: Date, days: number): Date => new Date(now.getTime() + days * DAY_MS);
