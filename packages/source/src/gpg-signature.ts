import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SignatureFacts } from "./signature-facts.ts";

type GpgFacts = Pick<SignatureFacts, "kind" | "keyFingerprint" | "keyId" | "algorithm">;

const algorithms: Readonly<Record<number, string>> = {
  1: "RSA",
  17: "DSA",
  19: "ECDSA",
  22: "EdDSA",
  27: "Ed25519",
  28: "Ed448",
};
const digests: Readonly<Record<number, string>> = { 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224" };

/** What an OpenPGP signature says about its key (RFC 9580 §5.2). Claims only. */
export function gpgFacts(block: string): GpgFacts {
  const facts: { -readonly [Name in keyof GpgFacts]: GpgFacts[Name] } = { kind: "gpg" };
  const body = /\n\r?\n([A-Za-z0-9+/=\s]+?)(?:\n=[A-Za-z0-9+/]{4})?\s*\n-----END/.exec(block)?.[1];
  const bytes = Buffer.from((body ?? "").replace(/\s+/g, ""), "base64");
  const packet = firstPacket(bytes);
  if (packet?.[0] !== 4 && packet?.[0] !== 5 && packet?.[0] !== 6) return facts;
  facts.algorithm = `${algorithms[packet[2] ?? 0] ?? "unknown"} ${digests[packet[3] ?? 0] ?? "unknown"}`;
  const wide = packet[0] === 6;
  let at = 4;
  // Hashed subpackets, then unhashed ones.
  for (let part = 0; part < 2 && at + 2 <= packet.length; part++) {
    const length = wide ? packet.readUInt32BE(at) : packet.readUInt16BE(at);
    at += wide ? 4 : 2;
    readSubpackets(packet.subarray(at, at + length), facts);
    at += length;
  }
  return facts;
}

function readSubpackets(bytes: Buffer, facts: { keyFingerprint?: string; keyId?: string }): void {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    let length = first;
    if (first < 192) at += 1;
    else if (first < 255) {
      length = ((first - 192) << 8) + (bytes[at + 1] ?? 0) + 192;
      at += 2;
    } else {
      length = at + 5 <= bytes.length ? bytes.readUInt32BE(at + 1) : 0;
      at += 5;
    }
    if (length === 0) return;
    const type = (bytes[at] ?? 0) & 0x7f;
    const value = bytes.subarray(at + 1, at + length);
    if (type === 33 && value.length > 1) facts.keyFingerprint ??= value.subarray(1).toString("hex").toUpperCase();
    if (type === 16 && value.length === 8) facts.keyId ??= value.toString("hex").toUpperCase();
    at += length;
  }
}

function firstPacket(bytes: Buffer): Buffer | undefined {
  const tag = bytes[0];
  if (tag === undefined || (tag & 0x80) === 0 || bytes.length < 6) return undefined;
  if (tag & 0x40) {
    const first = bytes[1] ?? 0;
    if ((tag & 0x3f) !== 2) return undefined;
    if (first < 192) return bytes.subarray(2, 2 + first);
    if (first < 224) return bytes.subarray(3, 3 + ((first - 192) << 8) + (bytes[2] ?? 0) + 192);
    return first === 255 ? bytes.subarray(6, 6 + bytes.readUInt32BE(2)) : undefined;
  }
  if (((tag >> 2) & 0x0f) !== 2) return undefined;
  const width = tag & 3;
  if (width === 0) return bytes.subarray(2, 2 + (bytes[1] ?? 0));
  if (width === 1) return bytes.subarray(3, 3 + bytes.readUInt16BE(1));
  return width === 2 ? bytes.subarray(5, 5 + bytes.readUInt32BE(1)) : undefined;
}

/** Checks an OpenPGP signature with gpg in a home of its own that holds the given keys and nothing else. */
export async function verifyGpg(block: string, payload: Buffer, keyring: string): Promise<SignatureFacts> {
  const claimed = gpgFacts(block);
  const home = mkdtempSync(join(tmpdir(), "touchmark-gpg-"));
  try {
    writeFileSync(join(home, "signature"), block.endsWith("\n") ? block : `${block}\n`);
    writeFileSync(join(home, "payload"), payload);
    const options = [
      "--homedir",
      home,
      "--batch",
      "--no-tty",
      "--no-options",
      "--no-autostart",
      "--no-auto-key-retrieve",
    ];
    const imported = await gpg([...options, "--import", "--", keyring]);
    if (imported === undefined) return { ...claimed, verification: "unverified", reason: "gpg is not installed" };
    const trusting = [...options, "--trust-model", "always", "--status-fd", "1", "--verify"];
    const status = (await gpg([...trusting, join(home, "signature"), join(home, "payload")])) ?? "";
    const line = (name: string) => new RegExp(`^\\[GNUPG:\\] ${name} (.+)$`, "m").exec(status)?.[1];
    const valid = line("VALIDSIG")?.split(" ")[0];
    const good = line("GOODSIG");
    const several = (status.match(/^\[GNUPG:\] NEWSIG/gm) ?? []).length > 1;
    if (valid && good && !several && !/^\[GNUPG:\] (?:EXPKEYSIG|REVKEYSIG|EXPSIG|BADSIG|ERRSIG)/m.test(status)) {
      const principal = good.replace(/^\S+ /, "");
      return {
        ...claimed,
        keyFingerprint: valid,
        verification: "verified",
        reason: "good, by a key of the keyring",
        principal,
      };
    }
    if (/^\[GNUPG:\] NO_PUBKEY/m.test(status)) {
      return { ...claimed, verification: "unlisted-key", reason: "its key is not in the keyring" };
    }
    return { ...claimed, verification: "invalid", reason: "gpg does not accept it: bad, expired or revoked" };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function gpg(args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn("gpg", args, {
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 30_000,
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (text.length < 65_536) text += chunk.toString("utf8");
    });
    child.on("error", () => resolve(undefined));
    child.on("close", () => resolve(text));
  });
}
