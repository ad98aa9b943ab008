import { isFactoryError } from "@touchmark/core";
import { parseCertificate } from "@touchmark/formats/evidence";
import { checkPathAt, findPaths } from "./certificate-path.ts";
import { caught, verifyErrors } from "./errors.ts";
import { type CertificateIdentity, readIdentity } from "./identity.ts";
import type { TrustRoot } from "./trust-root.ts";

/**
 * Verifies the certificate with which a workload or service authenticates itself now, and says whose it is. A signing
 * certificate is refused here, as one for authentication is refused where something is signed.
 * @throws CERTIFICATE_* | AUTHORITY_* | IDENTITY_* | ISSUER_MISSING, all refused
 */
export function verifyAuthenticationCertificate(der: Uint8Array, trustRoot: TrustRoot, now: Date): CertificateIdentity {
  const certificate = parseCertificate(der);
  let reason: Error | undefined;
  for (const path of findPaths(certificate, [], trustRoot.signingChains, "authentication")) {
    try {
      checkPathAt(path, now.getTime());
      return readIdentity(certificate);
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      reason ??= caught(error);
    }
  }
  throw reason ?? verifyErrors.make("CERTIFICATE_NO_PATH", "expected an issuer that the trusted root lists");
}
