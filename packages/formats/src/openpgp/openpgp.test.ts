import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import {
  GnupgHome,
  gpgvAccepts,
  hasGnupg,
  mintPgpKey,
  type PgpKeyKind,
  pgpArmor,
  pgpCertificate,
  pgpClearsign,
  pgpSign,
} from "@touchmark/test-kit/mint";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { beginDetached, readKeyring, readSignature, verifyCleartext, verifyDetached } from "./index.ts";

const now = new Date("2026-06-01T00:00:00Z");
const content = Buffer.from("line one\nline two\n");

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  }
}

describe("signatures of every accepted kind", () => {
  const kinds: readonly PgpKeyKind[] = ["rsa", "p256", "p384", "p521", "ed25519", "eddsa"];

  test.each(kinds)("O1: a detached signature by a %s key verifies, by bytes and by stream", (kind) => {
    const key = mintPgpKey(kind);
    const keyring = readKeyring(pgpCertificate({ primary: key }));
    const signature = readSignature(pgpSign(key, content));
    expect(verifyDetached(keyring, signature, content, now).signers).toEqual([
      expect.objectContaining({ primaryFingerprint: key.fingerprint, userId: "Mint <mint@example.org>" }),
    ]);
    const streamed = beginDetached(keyring, signature, now);
    for (const octet of content) streamed.update(Uint8Array.of(octet));
    expect(streamed.finish().notCounted).toEqual([]);
    expect(codeOf(() => verifyDetached(keyring, signature, Buffer.from("other"), now))).toBe(
      "OPENPGP_SIGNATURE_INVALID",
    );
  });

  test.each(kinds)("O2: a cleartext-signed document by a %s key verifies, and gives what was signed", (kind) => {
    const key = mintPgpKey(kind);
    const keyring = readKeyring(Buffer.from(pgpArmor("PUBLIC KEY BLOCK", pgpCertificate({ primary: key }))));
    const document = pgpClearsign([key], "first \t\n-----BEGIN\n- second\n\nümlaut");
    const verified = verifyCleartext(keyring, Buffer.from(document), now);
    expect(verified.text).toBe("first\n-----BEGIN\n- second\n\nümlaut");
    const crossed = Buffer.from(document.replaceAll("\n", "\r\n"));
    expect(verifyCleartext(keyring, crossed, now).text).toBe(verified.text);
    const altered = Buffer.from(document.replace("second", "sECOND"));
    expect(codeOf(() => verifyCleartext(keyring, altered, now))).toBe("OPENPGP_SIGNATURE_INVALID");
  });
});

describe.skipIf(!hasGnupg())("agreement with GnuPG", () => {
  let home: GnupgHome;
  beforeAll(() => {
    home = new GnupgHome();
  });
  afterAll(() => home.close());

  // Keys are made while the test runs; a minute later they all exist.
  const today = new Date(Date.now() + 60_000);

  test.each([
    ["rsa2048", "accepted"],
    ["nistp256", "accepted"],
    ["nistp384", "accepted"],
    ["nistp521", "accepted"],
    ["ed25519", "accepted"],
    ["dsa2048", "OPENPGP_ALGORITHM_REFUSED"],
    ["brainpoolP256r1", "OPENPGP_ALGORITHM_REFUSED"],
    ["secp256k1", "OPENPGP_ALGORITHM_REFUSED"],
  ])("O1: a key and signatures that GnuPG makes with %s: %s", (algorithm, expected) => {
    const name = `Key ${algorithm} <${algorithm}@example.org>`;
    home.generate(name, algorithm, "sign");
    const bytes = home.export(name);
    const signature = home.detached(name, content);
    expect(gpgvAccepts(bytes, signature, content)).toBe(true);
    expect(codeOf(() => verifyDetached(readKeyring(bytes), readSignature(signature), content, today))).toBe(expected);
    const document = home.clearsign(name, "- dash\ntrailing  \n\nFrom here\n");
    expect(codeOf(() => verifyCleartext(readKeyring(bytes), document, today))).toBe(expected);
    if (expected === "accepted") {
      expect(verifyCleartext(readKeyring(bytes), document, today).text).toBe("- dash\ntrailing\n\nFrom here");
    }
  });

  test("O4: a signing subkey that GnuPG makes counts, under its primary key's fingerprint", () => {
    const name = "Offline <offline@example.org>";
    const primary = home.generate(name, "ed25519", "cert");
    home.run(["--quick-add-key", primary, "rsa2048", "sign", "2y"]);
    const bytes = home.export(name);
    const signature = home.detached(name, content);
    expect(gpgvAccepts(bytes, signature, content)).toBe(true);
    const [signer] = verifyDetached(readKeyring(bytes), readSignature(signature), content, today).signers;
    expect(signer?.primaryFingerprint).toBe(primary.toLowerCase());
    expect(signer?.fingerprint).not.toBe(signer?.primaryFingerprint);
    const late = new Date(today.getTime() + 3 * 366 * 86_400_000);
    expect(codeOf(() => verifyDetached(readKeyring(bytes), readSignature(signature), content, late))).toBe(
      "OPENPGP_KEY_EXPIRED",
    );
  });

  test("O5: an expired key is refused as GnuPG refuses it, and an extended one counts again", () => {
    const name = "Expired <expired@example.org>";
    const fingerprint = home.generate(name, "ed25519", "sign", "2d", "20240101T000000");
    const signature = home.detached(name, content, ["--faked-system-time", "20240102T000000!"]);
    const expired = home.export(name);
    expect(gpgvAccepts(expired, signature, content)).toBe(false);
    expect(codeOf(() => verifyDetached(readKeyring(expired), readSignature(signature), content, today))).toBe(
      "OPENPGP_KEY_EXPIRED",
    );
    home.run(["--quick-set-expire", fingerprint, "0"]);
    const extended = home.export(name);
    expect(gpgvAccepts(extended, signature, content)).toBe(true);
    expect(codeOf(() => verifyDetached(readKeyring(extended), readSignature(signature), content, today))).toBe(
      "accepted",
    );
  });

  test("O5: a revoked key is refused as GnuPG refuses it, also when another copy lacks the revocation", () => {
    const name = "Revoked <revoked@example.org>";
    const fingerprint = home.generate(name, "rsa2048", "sign");
    const signature = home.detached(name, content);
    const before = home.export(name);
    home.run(["--import"], home.revocation(fingerprint));
    const after = home.export(name);
    expect(gpgvAccepts(after, signature, content)).toBe(false);
    for (const keyring of [readKeyring(after), readKeyring(before, after)]) {
      expect(codeOf(() => verifyDetached(keyring, readSignature(signature), content, today))).toBe(
        "OPENPGP_KEY_REVOKED",
      );
    }
  });

  test.each(["MD5", "SHA1", "SHA224"])("O3: a signature over %s is refused by name", (hash) => {
    const name = `Weak ${hash} <weak-${hash.toLowerCase()}@example.org>`;
    home.generate(name, "rsa2048", "sign");
    const words = ["--allow-weak-digest-algos", "--digest-algo", hash];
    const signature = home.detached(name, content, words);
    const keyring = readKeyring(home.export(name));
    expect(codeOf(() => verifyDetached(keyring, readSignature(signature), content, today))).toBe(
      "OPENPGP_HASH_REFUSED",
    );
  });

  test("O6: no mutation of a signature, key or document is accepted that GnuPG refuses", () => {
    const name = "Mutated <mutated@example.org>";
    home.generate(name, "ed25519", "sign");
    const bytes = home.export(name);
    const signature = home.detached(name, content);
    const document = home.clearsign(name, "a\n- b\nc\n");
    const accepts = (run: () => unknown): boolean => codeOf(run) === "accepted";
    let compared = 0;
    const mutation = fc.record({ at: fc.nat(), xor: fc.integer({ min: 1, max: 255 }), cut: fc.boolean() });
    const mutate = (given: Uint8Array, { at, xor, cut }: { at: number; xor: number; cut: boolean }): Uint8Array => {
      const copy = Buffer.from(given);
      const place = at % copy.length;
      if (cut) return Buffer.concat([copy.subarray(0, place), copy.subarray(place + 1)]);
      copy[place] = (copy[place] as number) ^ xor;
      return copy;
    };
    fc.assert(
      fc.property(fc.constantFrom("signature", "key", "document"), mutation, (what, how) => {
        const key = what === "key" ? mutate(bytes, how) : bytes;
        const signed = what === "signature" ? mutate(signature, how) : signature;
        const text = what === "document" ? mutate(document, how) : document;
        const detachedHolds = accepts(() => verifyDetached(readKeyring(key), readSignature(signed), content, today));
        const documentHolds = accepts(() => verifyCleartext(readKeyring(key), text, today));
        // What GnuPG takes and this reader does not is allowed; the other way about is not.
        if (detachedHolds) expect(gpgvAccepts(key, signed, content)).toBe(true);
        if (documentHolds && what !== "signature") expect(gpgvAccepts(key, text)).toBe(true);
        if (detachedHolds || documentHolds) compared++;
      }),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(0);
  });
});

const keyrings = "/usr/share/keyrings";
const debian = ((): string[] => {
  try {
    return readdirSync(keyrings).filter((name) => /^debian-archive-.*\.gpg$/.test(name));
  } catch {
    return [];
  }
})();

test.skipIf(debian.length === 0)("O7: the keyrings of a Debian system are read whole", () => {
  for (const name of debian) {
    const keyring = readKeyring(readFileSync(join(keyrings, name)));
    expect({ name, skipped: keyring.skipped }).toEqual({ name, skipped: [] });
    expect(keyring.certificates.length).toBeGreaterThan(0);
  }
});
