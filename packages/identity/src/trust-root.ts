import { createPublicKey, X509Certificate } from "node:crypto";
import { decodeBase64 } from "@touchmark/core";
import {
  noteVerifier,
  serializeTrustedRoot,
  type TrustedAuthority,
  type TrustedLog,
} from "@touchmark/formats/evidence";
import type { LogKeyRecord } from "./identity-state.ts";

/** Public halves of the keys that a trusted root names. */
export interface TrustedRootParts {
  readonly trustDomain: string;
  readonly root: Uint8Array;
  readonly intermediates: readonly { readonly certificate: Uint8Array; readonly validUntil?: string }[];
  readonly timestampAuthorities: readonly { readonly certificate: Uint8Array; readonly validUntil?: string }[];
  readonly logs: readonly TrustedLog[];
}

/**
 * The factory's `trusted_root.json`. Each intermediate and time-stamp authority is an entry of its own, whose validity
 * ends with its retirement, so that a key stolen later vouches for nothing new.
 */
export function factoryTrustedRoot(parts: TrustedRootParts): Uint8Array {
  const authority = (each: { readonly certificate: Uint8Array; readonly validUntil?: string }): TrustedAuthority => {
    const parsed = new X509Certificate(each.certificate);
    const start = Date.parse(parsed.validFrom);
    const commonName = /^CN=(.*)$/m.exec(parsed.subject)?.[1] ?? "";
    const retired = each.validUntil === undefined ? Number.POSITIVE_INFINITY : Date.parse(each.validUntil);
    return {
      subject: { organization: parts.trustDomain, commonName },
      uri: `https://${parts.trustDomain}`,
      certificates: [each.certificate, parts.root],
      validFor: {
        start: new Date(start),
        // A rotation under a clock that was set back must not make a root that nobody can read.
        end: new Date(Math.max(start, Math.min(Date.parse(parsed.validTo), retired))),
      },
    };
  };
  return serializeTrustedRoot({
    logs: parts.logs,
    certificateAuthorities: parts.intermediates.map(authority),
    certificateLogs: [],
    timestampAuthorities: parts.timestampAuthorities.map(authority),
  });
}

/** How a trusted root names a log: Ed25519 under its note key's hash, P-256 (profile v1) under its SPKI's hash. */
export function trustedLogs(log: LogKeyRecord, since: Date): readonly TrustedLog[] {
  const entry = (kind: "ed25519" | "ecdsa-p256", keyDetails: string, text: string): TrustedLog => {
    const der = decodeBase64(text);
    const key = createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
    return {
      // Clients take the checkpoint's origin from the host of this address; nothing is ever fetched from it.
      baseUrl: `https://${log.origin}`,
      publicKey: { der, keyDetails, validFor: { start: since } },
      logId: noteVerifier(log.origin, kind, key).keyHash,
    };
  };
  return [
    entry("ed25519", "PKIX_ED25519", log.publicKey),
    ...(log.compatiblePublicKey === undefined
      ? []
      : [entry("ecdsa-p256", "PKIX_ECDSA_P256_SHA_256", log.compatiblePublicKey)]),
  ];
}
