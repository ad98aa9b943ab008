import { createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { preAuthEncoding } from "@touchmark/formats/evidence";

/** What a careless reader of evidence concludes. */
export interface NaiveVerdict {
  readonly accepted: boolean;
  readonly predicateType?: string;
}

/**
 * A verifier that defends against nothing: it believes the document. With `signature` it checks that the signature
 * verifies with the very key that the bundle brings, as so much code in the field does, and looks no further.
 */
export function naiveVerify(
  bytes: Uint8Array,
  options: { readonly signature: boolean; readonly key?: string; readonly artifact: Uint8Array },
): NaiveVerdict {
  const bundle = JSON.parse(Buffer.from(bytes).toString());
  const material = bundle.verificationMaterial;
  const rawCertificate = material.certificate?.rawBytes ?? material.x509CertificateChain?.certificates?.[0]?.rawBytes;
  const key: KeyObject =
    rawCertificate === undefined
      ? createPublicKey(options.key ?? "")
      : new X509Certificate(Buffer.from(rawCertificate, "base64")).publicKey;
  const hash =
    key.asymmetricKeyType === "ed25519"
      ? null
      : key.asymmetricKeyDetails?.namedCurve === "secp384r1"
        ? "sha384"
        : "sha256";
  const envelope = bundle.dsseEnvelope;
  if (envelope === undefined) {
    const signature = Buffer.from(bundle.messageSignature.signature, "base64");
    return { accepted: !options.signature || verify(hash, options.artifact, key, signature) };
  }
  const payload = Buffer.from(envelope.payload, "base64");
  const { predicateType } = JSON.parse(payload.toString());
  if (!options.signature) return { accepted: true, predicateType };
  const signature = Buffer.from(envelope.signatures[0].sig, "base64");
  const signed = preAuthEncoding(envelope.payloadType, payload);
  return { accepted: verify(hash, signed, key, signature), predicateType };
}
