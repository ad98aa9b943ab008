import type { Certificate } from "@touchmark/formats/evidence";
import { verifyErrors } from "./errors.ts";
import type { PreparedExpectations } from "./expectation.ts";

/** Who holds a certificate, and who says so. */
export interface CertificateIdentity {
  readonly identity: string;
  readonly issuer: string;
}

/**
 * The one name that identifies a certificate's holder: URI, e-mail address or Fulcio user name.
 * @throws IDENTITY_MISSING | IDENTITY_AMBIGUOUS | ISSUER_MISSING
 */
export function readIdentity(certificate: Certificate): CertificateIdentity {
  const names = certificate.subjectAltNames.filter(
    ({ kind }) => kind === "uri" || kind === "email" || kind === "userName",
  );
  const [name, ...more] = names;
  if (name === undefined || name.text === "") {
    throw verifyErrors.make("IDENTITY_MISSING", "expected one URI or e-mail name in the certificate, found none");
  }
  if (more.length > 0) {
    const found = names.map(({ text }) => JSON.stringify(text.slice(0, 200))).join(" and ");
    throw verifyErrors.make("IDENTITY_AMBIGUOUS", `expected one name in the certificate, found ${found}`);
  }
  if (certificate.identityIssuer === undefined || certificate.identityIssuer === "") {
    throw verifyErrors.make("ISSUER_MISSING", "expected the certificate to say who vouched for its holder");
  }
  return { identity: name.text, issuer: certificate.identityIssuer };
}

/** @throws IDENTITY_MISMATCH | ISSUER_MISMATCH */
export function checkIdentity(
  found: CertificateIdentity,
  expected: Extract<PreparedExpectations["signer"], { kind: "identity" }>,
): void {
  if (!expected.matches(found.identity)) {
    throw verifyErrors.make(
      "IDENTITY_MISMATCH",
      `expected ${JSON.stringify(expected.shown)}, found ${JSON.stringify(found.identity.slice(0, 300))}`,
    );
  }
  if (found.issuer !== expected.issuer) {
    throw verifyErrors.make(
      "ISSUER_MISMATCH",
      `expected the issuer ${JSON.stringify(expected.issuer)}, found ${JSON.stringify(found.issuer.slice(0, 300))}`,
    );
  }
}
