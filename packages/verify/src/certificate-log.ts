import { verify } from "node:crypto";
import { equalBytes, sha256Bytes } from "@touchmark/core";
import { type Certificate, DerReader, derTag, extensionOid } from "@touchmark/formats/evidence";
import { type CertificatePath, within } from "./certificate-path.ts";
import { verifyErrors } from "./errors.ts";
import type { LogAuthority } from "./trust-root.ts";

/** A signed certificate timestamp (RFC 6962 §3.2). */
interface CertificateTimestamp {
  readonly logId: Uint8Array;
  readonly time: number;
  readonly extensions: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Checks that a certificate log of the trusted root vouches for the leaf, by a timestamp within the certificate
 * (RFC 6962 §3.3). Does nothing where the trusted root lists no certificate log.
 * @throws CERTIFICATE_TIMESTAMP_MISSING | CERTIFICATE_TIMESTAMP_INVALID
 */
export function checkCertificateTimestamps(
  { leaf, authorities }: CertificatePath,
  logs: readonly LogAuthority[],
): void {
  if (logs.length === 0) return;
  const issuer = authorities[0]?.certificate as Certificate;
  const stamps = readTimestamps(leaf);
  let vouched = 0;
  for (const stamp of stamps) {
    const known = logs.filter((log) => equalBytes(log.logId, stamp.logId));
    if (known.length === 0) continue;
    const message = signedMessage(leaf, issuer, stamp);
    const holds = known.some(
      (log) => within(log.window, stamp.time) && verify(log.key.hash ?? null, message, log.key.key, stamp.signature),
    );
    if (!holds) {
      throw verifyErrors.make(
        "CERTIFICATE_TIMESTAMP_INVALID",
        "a timestamp of a known certificate log does not verify",
      );
    }
    vouched++;
  }
  if (vouched === 0) {
    throw verifyErrors.make("CERTIFICATE_TIMESTAMP_MISSING", "expected a timestamp of a certificate log, found none");
  }
}

function readTimestamps(leaf: Certificate): CertificateTimestamp[] {
  const extension = leaf.extensions.find((each) => each.oid === extensionOid.signedCertificateTimestamps);
  if (extension === undefined) return [];
  const outer = new DerReader(extension.value);
  const list = new Vectors(outer.contents(derTag.octetString));
  outer.end();
  const stamps: CertificateTimestamp[] = [];
  const entries = new Vectors(list.vector());
  list.end();
  while (!entries.done) stamps.push(readTimestamp(new Vectors(entries.vector())));
  return stamps;
}

function readTimestamp(stamp: Vectors): CertificateTimestamp {
  if (stamp.bytes(1)[0] !== 0) throw malformed("of another version");
  const logId = stamp.bytes(32);
  const time = Number(Buffer.from(stamp.bytes(8)).readBigUInt64BE(0));
  const extensions = stamp.vector();
  const [hash] = stamp.bytes(2);
  if (hash !== 4 && hash !== 8) throw malformed("of another hash than SHA-256");
  const signature = stamp.vector();
  stamp.end();
  return { logId, time, extensions, signature };
}

function malformed(what: string): Error {
  return verifyErrors.make("CERTIFICATE_TIMESTAMP_INVALID", `the certificate holds a timestamp ${what}`);
}

/** Reads the presentation language of TLS (RFC 8446 §3.4): bytes, and vectors with a length of two octets. */
class Vectors {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  bytes(length: number): Uint8Array {
    if (this.#offset + length > this.#bytes.length) throw malformed("that is cut short");
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  vector(): Uint8Array {
    const [high = 0, low = 0] = this.bytes(2);
    return this.bytes(high * 256 + low);
  }

  end(): void {
    if (!this.done) throw malformed("with trailing bytes");
  }
}

/** What the log signed: the certificate as it was before the log's own extension (RFC 6962 §3.2). */
function signedMessage(leaf: Certificate, issuer: Certificate, stamp: CertificateTimestamp): Buffer {
  const tbs = withoutTimestamps(leaf);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0, 0);
  head.writeBigUInt64BE(BigInt(stamp.time), 2);
  head.writeUInt16BE(1, 10);
  const length = Buffer.alloc(3);
  length.writeUIntBE(tbs.length, 0, 3);
  const tail = Buffer.alloc(2);
  tail.writeUInt16BE(stamp.extensions.length, 0);
  return Buffer.concat([head, sha256Bytes(issuer.publicKey), length, tbs, tail, stamp.extensions]);
}

function withoutTimestamps(leaf: Certificate): Uint8Array {
  const tbs = new DerReader(leaf.toBeSigned).sequence();
  const kept: Uint8Array[] = [];
  while (tbs.peek() !== derTag.constructed(3)) kept.push(tbs.raw());
  const list = tbs.open(derTag.constructed(3)).sequence();
  const extensions: Uint8Array[] = [];
  while (list.peek() !== undefined) {
    const raw = list.raw(derTag.sequence);
    if (new DerReader(raw).sequence().oid() !== extensionOid.signedCertificateTimestamps) extensions.push(raw);
  }
  const wrapped = wrap(derTag.constructed(3), wrap(derTag.sequence, Buffer.concat(extensions)));
  return wrap(derTag.sequence, Buffer.concat([...kept, wrapped]));
}

function wrap(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw malformed("and is too large");
  return Buffer.concat([new Uint8Array([tag, ...octets]), content]);
}
