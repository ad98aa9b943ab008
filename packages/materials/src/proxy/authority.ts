import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Clock } from "@touchmark/core";
import {
  authorityConstraints,
  authorityKeyIdentifier,
  distinguishedName,
  extendedKeyUsage,
  hostSubject,
  keyIdentifier,
  keyUsage,
  oids,
  randomSerial,
  subjectKeyIdentifier,
  writeCertificate,
} from "@touchmark/formats/certificate-writer";

/** How long an authority and its leaves are valid, seconds. */
export const AUTHORITY_SECONDS = 12 * 3600;
const BACKDATE_SECONDS = 300;

/**
 * The certificate authority of one fetch step. Its key exists in memory only. It can sign for servers only (extended
 * key usage) and for no further authority (path length 0). It is not name-constrained: which file hosts an index
 * announces is not known when it is made; whom it lets through is the door's decision, request by request.
 */
export interface StepAuthority {
  readonly pem: string;
  readonly der: Uint8Array;
  /** DER leaf certificate whose only name is the host, a DNS name or an address without brackets. */
  leaf(host: string): Uint8Array;
  /** PEM certificate and key of a host's leaf, for a TLS server. */
  credentials(host: string): { readonly cert: string; readonly key: string };
}

/** Makes the authority of a step. SPEC P2. */
export function createStepAuthority(clock: Clock): StepAuthority {
  const { key, publicKey } = newKey();
  const leafKey = newKey();
  const leafPem = leafKey.key.export({ format: "pem", type: "pkcs8" }) as string;
  const started = Math.floor(clock.now().getTime() / 1000);
  const validity = {
    notBefore: new Date((started - BACKDATE_SECONDS) * 1000),
    notAfter: new Date((started + AUTHORITY_SECONDS) * 1000),
  };
  const serial = randomSerial();
  // The name is unique to the step, so that a client that remembers two never confuses their keys.
  const name = distinguishedName("Touchmark", `Authority of one fetch step ${serial.toString("hex").slice(0, 16)}`);
  const identifier = keyIdentifier(publicKey);
  const der = writeCertificate(
    {
      serial,
      issuer: name,
      subject: name,
      ...validity,
      publicKey,
      extensions: [
        keyUsage.certificateSigning,
        authorityConstraints(0),
        extendedKeyUsage(false, oids.serverAuth),
        subjectKeyIdentifier(identifier),
      ],
    },
    key,
  );
  const leafOf = (host: string): Uint8Array =>
    writeCertificate(
      {
        serial: randomSerial(),
        issuer: name,
        subject: distinguishedName(),
        ...validity,
        publicKey: leafKey.publicKey,
        extensions: [
          keyUsage.digitalSignature,
          extendedKeyUsage(false, oids.serverAuth),
          subjectKeyIdentifier(keyIdentifier(leafKey.publicKey)),
          authorityKeyIdentifier(identifier),
          hostSubject(host),
        ],
      },
      key,
    );
  return {
    pem: pemOf(der),
    der,
    leaf: leafOf,
    credentials: (host) => ({ cert: pemOf(leafOf(host)), key: leafPem }),
  };
}

function newKey(): { readonly key: KeyObject; readonly publicKey: Uint8Array } {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { key: pair.privateKey, publicKey: pair.publicKey.export({ format: "der", type: "spki" }) };
}

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  ).join("\n")}\n-----END CERTIFICATE-----\n`;
