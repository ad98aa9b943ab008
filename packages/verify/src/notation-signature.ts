import { constants, type KeyObject, verify, X509Certificate } from "node:crypto";
import { type Digest, decodeBase64, type Json, sha256 } from "@touchmark/core";
import { imageSignatureErrors } from "./image-signature-errors.ts";
import { type ImageSigner, readObject } from "./simple-signature.ts";

/**
 * Verifies a Notation signature (notaryproject specifications v1.0, "signature-envelope-jws", scheme `notary.x509`) of an
 * image by a chain that ends at, or is vouched for by, one of the given certificates (PEM). Without a trusted time-stamp the
 * certificates count as long as they are valid now.
 * @throws IMAGE_SIGNATURE_*
 */
export function verifyNotationSignature(
  envelope: Uint8Array,
  image: Digest,
  anchors: readonly string[],
  now: Date,
): ImageSigner {
  const document = readObject(envelope, "JWS envelope");
  const payloadText = textOf(document["payload"], "payload");
  const protectedText = textOf(document["protected"], "protected");
  const header = readObject(fromBase64Url(protectedText), "protected header");
  const algorithm = checkHeader(header, now);
  const payload = readObject(fromBase64Url(payloadText), "payload");
  const target = payload["targetArtifact"];
  const digest = isObject(target) ? target["digest"] : undefined;
  if (digest !== image) {
    throw imageSignatureErrors.make(
      "IMAGE_SIGNATURE_OTHER_IMAGE",
      `expected a signature of ${image}, found one of ${JSON.stringify(digest)?.slice(0, 80)}`,
    );
  }
  const leaf = trustedLeaf(chainOf(document["header"]), anchors, now);
  const content = Buffer.from(`${protectedText}.${payloadText}`, "ascii");
  const signature = fromBase64Url(textOf(document["signature"], "signature"));
  if (!holds(algorithm, leaf.publicKey, content, signature)) {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_INVALID", `the key of ${leaf.subject} did not make the signature`);
  }
  return { identity: sha256(leaf.raw) };
}

const scheme = "io.cncf.notary.signingScheme";
const expiry = "io.cncf.notary.expiry";

/** Everything critical is understood, and nothing has expired. */
function checkHeader(header: { readonly [name: string]: Json }, now: Date): string {
  if (header["cty"] !== "application/vnd.cncf.notary.payload.v1+json") {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected the content type of a Notation payload");
  }
  const critical = header["crit"];
  const names = Array.isArray(critical) ? critical : [];
  const stray = names.find((name) => name !== scheme && name !== expiry);
  if (!names.includes(scheme) || stray !== undefined || header[scheme] !== "notary.x509") {
    throw imageSignatureErrors.make(
      "IMAGE_SIGNATURE_CRITICAL",
      `expected the scheme notary.x509 alone, found ${JSON.stringify(stray ?? header[scheme])?.slice(0, 80)}`,
    );
  }
  const until = header[expiry];
  const ends = typeof until === "string" ? Date.parse(until) : Number.NaN;
  if (until !== undefined && !(ends > now.getTime())) {
    throw imageSignatureErrors.make(
      "IMAGE_SIGNATURE_EXPIRED",
      `expected a signature that holds, found one until ${JSON.stringify(until).slice(0, 40)}`,
    );
  }
  return textOf(header["alg"], "alg");
}

/** Algorithms of the specification ("Algorithm selection"): the hash follows the key. */
function holds(algorithm: string, key: KeyObject, content: Uint8Array, signature: Uint8Array): boolean {
  const [, family, bits] = /^(PS|ES)(256|384|512)$/.exec(algorithm) ?? [];
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (family === "PS" && type === "rsa" && (details?.modulusLength ?? 0) >= 2048) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return verify(`sha${bits}`, content, { key, padding, saltLength: Number(bits) / 8 }, signature);
  }
  const curve = { "256": "prime256v1", "384": "secp384r1", "512": "secp521r1" }[bits ?? ""];
  if (family === "ES" && type === "ec" && details?.namedCurve === curve) {
    return verify(`sha${bits}`, content, { key, dsaEncoding: "ieee-p1363" }, signature);
  }
  throw imageSignatureErrors.make(
    "IMAGE_SIGNATURE_MALFORMED",
    `expected an algorithm that goes with the key, found ${algorithm.slice(0, 20)}`,
  );
}

const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

/** The leaf of a chain in which each is issued by the next, all valid now, and one of which is an anchor or issued by one. */
function trustedLeaf(chain: readonly X509Certificate[], anchors: readonly string[], now: Date): X509Certificate {
  const trusted = anchors.map((pem) => {
    try {
      return new X509Certificate(pem);
    } catch (cause) {
      throw imageSignatureErrors.make("IMAGE_SIGNATURE_KEY", "expected a certificate in PEM", { cause });
    }
  });
  const [leaf] = chain;
  if (leaf === undefined) throw broken("there is none");
  if (leaf.ca || leaf.keyUsage?.includes(CODE_SIGNING) !== true)
    throw broken(`${leaf.subject} is not for signing code`);
  for (const [i, certificate] of chain.entries()) {
    checkValid(certificate, now);
    const anchor = trusted.find((one) => one.fingerprint256 === certificate.fingerprint256);
    if (anchor !== undefined) return leaf;
    const above = trusted.find((one) => issued(one, certificate));
    if (above !== undefined) {
      checkValid(above, now);
      return leaf;
    }
    const next = chain[i + 1];
    if (next === undefined) throw broken(`nobody trusted issued ${certificate.subject}`);
    if (!issued(next, certificate)) throw broken(`${certificate.subject} is not issued by the next of the chain`);
  }
  throw broken("it ends nowhere");
}

function issued(authority: X509Certificate, certificate: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function checkValid(certificate: X509Certificate, now: Date): void {
  const isValid = certificate.validFromDate <= now && now <= certificate.validToDate;
  if (!isValid) throw broken(`${certificate.subject} is valid from ${certificate.validFrom} to ${certificate.validTo}`);
}

function broken(why: string): Error {
  return imageSignatureErrors.make("IMAGE_SIGNATURE_CHAIN", `expected certificates that lead to a trusted one: ${why}`);
}

function chainOf(header: Json | undefined): X509Certificate[] {
  const chain = isObject(header) ? header["x5c"] : undefined;
  if (!Array.isArray(chain) || chain.length === 0 || chain.length > 8) {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected one to eight certificates in x5c");
  }
  return chain.map((text) => {
    try {
      return new X509Certificate(decodeBase64(textOf(text, "x5c")));
    } catch (cause) {
      throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected certificates in x5c", { cause });
    }
  });
}

function textOf(value: Json | undefined, name: string): string {
  if (typeof value === "string") return value;
  throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", `expected text at ${name}`);
}

function fromBase64Url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected base64url without padding");
  }
  return Buffer.from(text, "base64url");
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
