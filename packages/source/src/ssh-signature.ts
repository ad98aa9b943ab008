import { createHash, verify } from "node:crypto";
import { type AllowedSigner, principalFor } from "./allowed-signers.ts";
import type { SignatureFacts } from "./signature-facts.ts";
import { parseSshPublicKey, type SshPublicKey, SshReader, sshFingerprint } from "./ssh-key.ts";

const begin = "-----BEGIN SSH SIGNATURE-----";
const end = "-----END SSH SIGNATURE-----";

/** Checks an SSH signature (OpenSSH PROTOCOL.sshsig) over a commit, in the namespace `git`. */
export function verifySshSignature(
  block: string,
  payload: Buffer,
  at: Date,
  allowed: readonly AllowedSigner[] | undefined,
): SignatureFacts {
  const invalid = (reason: string, more: Partial<SignatureFacts> = {}): SignatureFacts => ({
    kind: "ssh",
    verification: "invalid",
    reason,
    ...more,
  });
  const inner = block.trimEnd();
  if (!inner.endsWith(end)) return invalid("the signature block has no end");
  const base64 = inner.slice(begin.length, -end.length).replace(/\s+/g, "");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== base64.replace(/=+$/, ""))
    return invalid("the signature is not base64");
  try {
    const reader = new SshReader(bytes);
    if (reader.take(6).toString("latin1") !== "SSHSIG" || reader.uint32() !== 1)
      return invalid("it is no SSHSIG of version 1");
    const blob = reader.string();
    const namespace = reader.text();
    const reserved = reader.string();
    const digest = reader.text();
    const signature = reader.string();
    const keyFingerprint = sshFingerprint(blob);
    if (!reader.atEnd) return invalid("bytes follow the signature", { keyFingerprint });
    const key = parseSshPublicKey(blob);
    if (key === undefined) {
      return {
        kind: "ssh",
        verification: "unverified",
        reason: "the key has a type that is not read here",
        keyFingerprint,
      };
    }
    const more = { keyFingerprint, algorithm: `${key.type} ${digest}` };
    if (namespace !== "git")
      return invalid(`it was made for ${JSON.stringify(namespace.slice(0, 40))}, not for git`, more);
    if (digest !== "sha256" && digest !== "sha512") return invalid("it uses an unknown digest", more);
    const signed = Buffer.concat([
      Buffer.from("SSHSIG"),
      field(Buffer.from(namespace)),
      field(reserved),
      field(Buffer.from(digest)),
      field(createHash(digest).update(payload).digest()),
    ]);
    if (!checkSignature(key, signature, signed)) return invalid("it does not sign this commit", more);
    if (allowed === undefined) {
      return {
        kind: "ssh",
        verification: "unlisted-key",
        reason: "good, but no list of allowed signers was given",
        ...more,
      };
    }
    const principal = principalFor(allowed, blob, at);
    if (principal === undefined) {
      return {
        kind: "ssh",
        verification: "unlisted-key",
        reason: "good, but its key is not allowed to sign at that time",
        ...more,
      };
    }
    return { kind: "ssh", verification: "verified", reason: "good, by an allowed signer", ...more, principal };
  } catch (error) {
    return invalid(`the signature is malformed: ${error instanceof Error ? error.message : "unreadable"}`);
  }
}

function checkSignature(key: SshPublicKey, signature: Buffer, signed: Buffer): boolean {
  const reader = new SshReader(signature);
  const algorithm = reader.text();
  const value = reader.string();
  let message = signed;
  if (key.application !== undefined) {
    const flags = reader.take(1);
    const counter = reader.take(4);
    // Bit 0: the person touched the token.
    if (((flags[0] ?? 0) & 1) === 0) return false;
    const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest();
    message = Buffer.concat([sha256(key.application), flags, counter, sha256(signed)]);
  }
  if (!reader.atEnd) return false;
  if (key.type === "ssh-rsa") {
    if (algorithm !== "rsa-sha2-256" && algorithm !== "rsa-sha2-512") return false;
    return verify(algorithm === "rsa-sha2-256" ? "sha256" : "sha512", message, key.key, value);
  }
  if (algorithm !== key.type) return false;
  if (key.curveBytes === undefined) return verify(null, message, key.key, value);
  const numbers = new SshReader(value);
  const [r, s] = [numbers.string(), numbers.string()].map((n) => fixed(n, key.curveBytes ?? 0));
  if (r === undefined || s === undefined || !numbers.atEnd) return false;
  const digest = { 32: "sha256", 48: "sha384", 66: "sha512" }[key.curveBytes] ?? "sha512";
  return verify(digest, message, { key: key.key, dsaEncoding: "ieee-p1363" }, Buffer.concat([r, s]));
}

function fixed(integer: Buffer, length: number): Buffer {
  const digits = integer[0] === 0 ? integer.subarray(1) : integer;
  if (digits.length > length) throw new RangeError("a number of the signature is too long");
  return Buffer.concat([Buffer.alloc(length - digits.length), digits]);
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
