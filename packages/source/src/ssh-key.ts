import { createHash, createPublicKey, type KeyObject } from "node:crypto";

/** Reads the length-prefixed strings of the SSH wire format (RFC 4251 §5). Throws RangeError when cut off. */
export class SshReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError("SSH data is cut off");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString("latin1");
  }
}

/** A public key in SSH form. */
export interface SshPublicKey {
  readonly type: string;
  readonly key: KeyObject;
  /** Curve size in bytes for ECDSA. */
  readonly curveBytes?: number;
  /** The application of a key on a hardware token. */
  readonly application?: string;
  /** `SHA256:…`, as ssh-keygen prints it. */
  readonly fingerprint: string;
}

const curves: Readonly<Record<string, { crv: string; bytes: number }>> = {
  nistp256: { crv: "P-256", bytes: 32 },
  nistp384: { crv: "P-384", bytes: 48 },
  nistp521: { crv: "P-521", bytes: 66 },
};

/** `SHA256:` and unpadded base64, as ssh-keygen prints a key's fingerprint. */
export function sshFingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Reads a public key blob; undefined for types that are not known. Throws when it is malformed. */
export function parseSshPublicKey(blob: Buffer): SshPublicKey | undefined {
  const reader = new SshReader(blob);
  const type = reader.text();
  const fingerprint = sshFingerprint(blob);
  const url = (bytes: Buffer) => bytes.toString("base64url");
  const hardware = type.startsWith("sk-");
  let key: KeyObject;
  let curveBytes: number | undefined;
  if (type === "ssh-ed25519" || type === "sk-ssh-ed25519@openssh.com") {
    key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: url(reader.string()) }, format: "jwk" });
  } else if (type === "ssh-rsa") {
    const e = reader.string();
    const n = reader.string();
    key = createPublicKey({ key: { kty: "RSA", e: url(trim(e)), n: url(trim(n)) }, format: "jwk" });
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
      throw new RangeError("the RSA key is shorter than 2048 bits");
  } else if (/^(?:ecdsa-sha2-nistp(?:256|384|521)|sk-ecdsa-sha2-nistp256@openssh\.com)$/.test(type)) {
    const curve = curves[reader.text()];
    const point = reader.string();
    if (!curve || !type.includes(`p${curve.crv.slice(2)}`) || point[0] !== 4 || point.length !== 1 + 2 * curve.bytes) {
      throw new RangeError("the ECDSA key is malformed");
    }
    const x = url(point.subarray(1, 1 + curve.bytes));
    const y = url(point.subarray(1 + curve.bytes));
    key = createPublicKey({ key: { kty: "EC", crv: curve.crv, x, y }, format: "jwk" });
    curveBytes = curve.bytes;
  } else return undefined;
  const application = hardware ? reader.text() : undefined;
  if (!reader.atEnd) throw new RangeError("bytes follow the key");
  return {
    type,
    key,
    fingerprint,
    ...(curveBytes === undefined ? {} : { curveBytes }),
    ...(application === undefined ? {} : { application }),
  };
}

function trim(integer: Buffer): Buffer {
  return integer[0] === 0 ? integer.subarray(1) : integer;
}
