import { type KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { equalBytes, rfc3339, sha256 } from "@touchmark/core";
import {
  authorityKeyIdentifier,
  distinguishedName,
  extendedKeyUsage,
  issuerUrl,
  keyIdentifier,
  keyUsage,
  oids,
  randomSerial,
  subjectKeyIdentifier,
  uriSubject,
  writeCertificate,
} from "@touchmark/formats/certificate-writer";
import { identityErrors } from "./errors.ts";
import type { CredentialIssuance, LeafProfile, LeafRequest } from "./factory-identity.ts";

/** Longest life of a leaf certificate, seconds. */
export const MAX_LEAF_SECONDS = 600;
/** Leaves are valid from this much before their issue, because clocks differ. Counts towards the life. */
export const BACKDATE_SECONDS = 10;

/**
 * Usages of each profile. A signing leaf lists code signing, which cosign demands, and server authentication, without
 * which in-toto-golang finds no path (it asks Go's default usage). An authentication leaf never lists code signing,
 * and whoever accepts one for authentication refuses a leaf that does.
 */
const usages: Readonly<Record<LeafProfile, Uint8Array>> = {
  signing: extendedKeyUsage(false, oids.codeSigning, oids.serverAuth),
  authentication: extendedKeyUsage(false, oids.serverAuth, oids.clientAuth),
};

const p256Prefix = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");
const emptyName = distinguishedName();

/** An intermediate certificate and its key, in memory. */
export interface IssuingAuthority {
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

/** Issues leaf certificates from precomputed parts. */
export interface LeafIssuer {
  issue(request: LeafRequest, now: Date): { readonly certificate: Uint8Array; readonly issuance: CredentialIssuance };
}

/** Prepares what is the same in every leaf of an authority. */
export function leafIssuer(authority: IssuingAuthority, issuerName: Uint8Array, issuerText: string): LeafIssuer {
  const parsed = new X509Certificate(authority.certificate);
  const authorityKey = parsed.publicKey.export({ format: "der", type: "spki" });
  const authorityKeyId = authorityKeyIdentifier(keyIdentifier(authorityKey));
  const issuerExtension = issuerUrl(issuerText);
  const issuerDigest = sha256(authority.certificate);
  const from = Date.parse(parsed.validFrom);
  const until = Date.parse(parsed.validTo);
  return {
    issue(request, now) {
      const lifetime = request.lifetimeSeconds ?? MAX_LEAF_SECONDS;
      if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > MAX_LEAF_SECONDS) {
        throw identityErrors.make(
          "LEAF_LIFETIME_EXCEEDED",
          `expected a life of 1 to ${MAX_LEAF_SECONDS} seconds, found ${lifetime}`,
        );
      }
      const publicKey = checkedKey(request.publicKey);
      const notBefore = new Date((Math.floor(now.getTime() / 1000) - BACKDATE_SECONDS) * 1000);
      const notAfter = new Date(notBefore.getTime() + lifetime * 1000);
      if (now.getTime() < from || notAfter.getTime() > until) {
        throw identityErrors.make(
          "INTERMEDIATE_EXPIRED",
          `expected a time between ${rfc3339(new Date(from))} and ${rfc3339(new Date(until))}, found ${rfc3339(now)}`,
        );
      }
      const serial = randomSerial();
      const certificate = writeCertificate(
        {
          serial,
          issuer: issuerName,
          subject: emptyName,
          notBefore,
          notAfter,
          publicKey,
          extensions: [
            keyUsage.digitalSignature,
            usages[request.profile],
            subjectKeyIdentifier(keyIdentifier(publicKey)),
            authorityKeyId,
            uriSubject(request.spiffeId, checkedHosts(request)),
            issuerExtension,
          ],
        },
        authority.key,
      );
      const issuance: CredentialIssuance = {
        spiffeId: request.spiffeId,
        profile: request.profile,
        serial: serial.toString("hex"),
        notBefore: rfc3339(notBefore),
        notAfter: rfc3339(notAfter),
        certificate: sha256(certificate),
        publicKey: sha256(publicKey),
        issuer: issuerDigest,
      };
      return { certificate, issuance };
    },
  };
}

function checkedKey(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== 91 || !equalBytes(publicKey.subarray(0, p256Prefix.length), p256Prefix)) {
    throw identityErrors.make(
      "LEAF_KEY_UNSUPPORTED",
      "expected an uncompressed P-256 SubjectPublicKeyInfo of 91 bytes, found another key",
    );
  }
  return publicKey;
}

const MOST_HOSTS = 100;
const hostShape = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Hosts are for servers that authenticate: a signature is made by an identity, on whatever host. */
function checkedHosts({ hosts = [], profile }: LeafRequest): readonly string[] {
  // An address with a zone is one of this machine alone.
  const isAddress = (host: string) => isIP(host) !== 0 && !host.includes("%");
  const wrong = hosts.find((host) => !isAddress(host) && (!hostShape.test(host) || /(?:^|\.)[0-9]+$/.test(host)));
  if (wrong !== undefined || hosts.length > MOST_HOSTS || (hosts.length > 0 && profile !== "authentication")) {
    throw identityErrors.make(
      "LEAF_HOST_INVALID",
      `expected at most ${MOST_HOSTS} lower-case DNS names or addresses in an authentication leaf, found ${JSON.stringify((wrong ?? profile).slice(0, 80))}`,
    );
  }
  return hosts;
}
