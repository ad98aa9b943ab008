import { createHash } from "node:crypto";

const password = "changeit";
const alias = "touchmark";

/**
 * A Java key store (JKS, version 2) with one trusted certificate and the password `changeit`: what `keytool -importcert`
 * writes, and every Java reads. The password keeps nothing secret; it is the key of the format's own checksum.
 * @param certificate DER
 * @param created for the entry; the same for the same certificate, so that the file is as well
 */
export function javaKeyStore(certificate: Uint8Array, created: Date = new Date(0)): Uint8Array {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(created.getTime()));
  const content = Buffer.concat([
    words(0xfeedfeed, 2, 1),
    // One entry of tag 2, a trusted certificate.
    words(2),
    shortText(alias),
    time,
    shortText("X.509"),
    words(certificate.length),
    certificate,
  ]);
  const checksum = createHash("sha1")
    .update(Buffer.from(password, "utf16le").swap16())
    .update("Mighty Aphrodite")
    .update(content)
    .digest();
  return Buffer.concat([content, checksum]);
}

/** Unsigned 32-bit numbers, big-endian. */
function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
}

/** `DataOutput.writeUTF` of ASCII. */
function shortText(text: string): Buffer {
  const bytes = Buffer.alloc(2 + text.length);
  bytes.writeUInt16BE(text.length, 0);
  bytes.write(text, 2, "ascii");
  return bytes;
}
