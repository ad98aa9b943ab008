import { X509Certificate } from "node:crypto";
import type { SignatureFacts } from "./signature-facts.ts";

/** What an X.509 signature (gpgsm, smimesign) says about its certificate. It is not verified here. */
export function x509Facts(block: string): SignatureFacts {
  const facts = {
    kind: "x509",
    verification: "unverified",
    reason: "X.509 signatures of commits are recorded, not verified",
  } as const;
  const base64 = block.replace(/-----(?:BEGIN|END) SIGNED MESSAGE-----/g, "").replace(/\s+/g, "");
  const certificate = firstCertificate(Buffer.from(base64, "base64"));
  if (certificate === undefined) return facts;
  try {
    const parsed = new X509Certificate(certificate);
    const keyFingerprint = `sha256:${parsed.fingerprint256.replaceAll(":", "").toLowerCase()}`;
    return { ...facts, keyFingerprint, keyId: parsed.serialNumber };
  } catch {
    return facts;
  }
}

interface Element {
  readonly tag: number;
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** ContentInfo { OID, [0] SignedData { version, digests, content, [0] certificates … } } (RFC 5652 §5.1). */
function firstCertificate(bytes: Buffer): Buffer | undefined {
  const contentInfo = elements(bytes)[0];
  const wrapped = elements(contentInfo?.content).find((element) => element.tag === 0xa0);
  const signedData = elements(wrapped?.content)[0];
  const certificates = elements(signedData?.content).find((element) => element.tag === 0xa0);
  return elements(certificates?.content).find((element) => element.tag === 0x30)?.whole;
}

/** The elements of DER or BER content; stops silently at what it cannot read. gpgsm writes indefinite lengths. */
function elements(bytes: Buffer | undefined, depth = 0): Element[] {
  const found: Element[] = [];
  if (bytes === undefined || depth > 12) return found;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    if (tag === 0 && first === 0) break;
    let start = at + 2;
    let length = first;
    if (first === 0x80) {
      const inner = elements(bytes.subarray(start), depth + 1);
      length = inner.reduce((sum, element) => sum + element.whole.length, 0);
      found.push({
        tag,
        whole: bytes.subarray(at, start + length + 2),
        content: bytes.subarray(start, start + length),
      });
      at = start + length + 2;
      continue;
    }
    if (first > 0x80) {
      const width = first & 0x7f;
      if (width > 4 || start + width > bytes.length) break;
      length = bytes.readUIntBE(start, width);
      start += width;
    }
    if (start + length > bytes.length) break;
    found.push({ tag, whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
