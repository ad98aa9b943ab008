import { isFactoryError } from "@touchmark/core";
import { readKeyring, readSignature, verifyCleartext, verifyDetached } from "@touchmark/formats/openpgp";
import {
  mintPgpKey,
  type PgpCertificateRecipe,
  pgpArmor,
  pgpCertificate,
  pgpClearsign,
  pgpSign,
  pgpSubpacket,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";

const now = new Date("2026-06-01T00:00:00Z");
const content = Buffer.from("a jar that was released\n");
const key = mintPgpKey("eddsa");
const attacker = mintPgpKey("eddsa");
const DAY = 86_400;
const keyring = readKeyring(pgpCertificate({ primary: key }));

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  }
}

const detached = (
  signature: Uint8Array,
  recipe: Partial<PgpCertificateRecipe> = {},
  over: Uint8Array = content,
): string =>
  codeOf(() =>
    verifyDetached(readKeyring(pgpCertificate({ primary: key, ...recipe })), readSignature(signature), over, now),
  );

test("attack: a signature by another key that claims to be by the trusted one", () => {
  expect(detached(pgpSign(attacker, content))).toBe("OPENPGP_KEY_UNKNOWN");
  expect(detached(pgpSign(attacker, content, { issuer: key }))).toBe("OPENPGP_SIGNATURE_INVALID");
});

test("attack: a good signature over the version before", () => {
  expect(detached(pgpSign(key, "a jar that was released before\n"))).toBe("OPENPGP_SIGNATURE_INVALID");
});

test("attack: a forged signature beside a good one, for readers that look at another one", () => {
  const both = Buffer.concat([pgpSign(key, content), pgpSign(attacker, "other", { issuer: key })]);
  expect(detached(both)).toBe("OPENPGP_SIGNATURE_INVALID");
});

test("attack: a key that has expired, and one whose signing subkey has", () => {
  expect(detached(pgpSign(key, content), { lifetime: DAY })).toBe("OPENPGP_KEY_EXPIRED");
  const subkeys = [{ key: attacker, lifetime: DAY }];
  expect(detached(pgpSign(attacker, content), { subkeys })).toBe("OPENPGP_KEY_EXPIRED");
});

test("attack: a stolen key that was revoked signs with a date before its revocation", () => {
  const backdated = pgpSign(key, content, { created: new Date("2024-01-02T00:00:00Z") });
  expect(detached(backdated, { revoked: {} })).toBe("OPENPGP_KEY_REVOKED");
  expect(detached(backdated, { revoked: { hash: "sha1" } })).toBe("OPENPGP_KEY_REVOKED");
});

test("attack: a key server hands out a copy of the key without its revocation", () => {
  const ring = readKeyring(pgpCertificate({ primary: key }), pgpCertificate({ primary: key, revoked: {} }));
  expect(codeOf(() => verifyDetached(ring, readSignature(pgpSign(key, content)), content, now))).toBe(
    "OPENPGP_KEY_REVOKED",
  );
});

test("attack: another's key is adopted as a subkey without its consent, and a self-signature is forged", () => {
  const signature = pgpSign(attacker, content);
  const forged = pgpCertificate({ primary: { ...attacker, body: key.body, fingerprint: key.fingerprint } });
  expect(codeOf(() => verifyDetached(readKeyring(forged), readSignature(pgpSign(key, content)), content, now))).toBe(
    "OPENPGP_KEY_UNBOUND",
  );
  expect(detached(signature, { subkeys: [{ key: attacker, back: null }] })).toBe("OPENPGP_KEY_UNBOUND");
});

test("attack: an encryption key signs", () => {
  expect(detached(pgpSign(attacker, content), { subkeys: [{ key: attacker, flags: 0x0c }] })).toBe(
    "OPENPGP_KEY_NOT_FOR_SIGNING",
  );
});

test("attack: SHA-1, for which collisions are made to order, and MD5", () => {
  for (const hash of ["sha1", "md5"]) expect(detached(pgpSign(key, content, { hash }))).toBe("OPENPGP_HASH_REFUSED");
  expect(detached(pgpSign(key, content), { self: { hash: "sha1" } })).toBe("OPENPGP_HASH_REFUSED");
});

test("attack: a signature over a text or a key is served as one over a file", () => {
  for (const type of [0x01, 0x13, 0x18, 0x20]) {
    expect(detached(pgpSign(key, content, { type }))).toBe("OPENPGP_SIGNATURE_KIND");
  }
});

test("attack: a restriction in a critical subpacket that the reader does not know", () => {
  const hashed = [pgpSubpacket(100, Buffer.from("only for testing"), true)];
  expect(detached(pgpSign(key, content, { hashed }))).toBe("OPENPGP_CRITICAL_UNKNOWN");
});

test("attack: the expiry of a signature is overridden by a second one", () => {
  const hashed = [pgpSubpacket(3, Buffer.alloc(4))];
  expect(detached(pgpSign(key, content, { lifetime: DAY, hashed }))).toBe("OPENPGP_PACKET_MALFORMED");
});

const signed = pgpClearsign([key], "Suite: stable\nCodename: tester\n");

test("attack: text outside of the signed part, which careless readers take for signed", () => {
  const places: readonly [string, string][] = [
    [`SHA256: evil\n${signed}`, "OPENPGP_CLEARTEXT_MALFORMED"],
    [`\n\n${signed}`, "OPENPGP_CLEARTEXT_MALFORMED"],
    [`${signed}SHA256: evil\n`, "OPENPGP_ARMOR_MALFORMED"],
    [signed.replace("\n\n", "\nSHA256: evil\n\n"), "OPENPGP_CLEARTEXT_MALFORMED"],
    [signed.replace("\n\n", "\nHash: SHA512\nSHA256: evil\n\n"), "OPENPGP_CLEARTEXT_MALFORMED"],
    [signed.replace("-----BEGIN PGP SIGNATURE", "SHA256: evil\n-----BEGIN PGP SIGNATURE"), "OPENPGP_SIGNATURE_INVALID"],
    [signed.replace(/(-----BEGIN PGP SIGNATURE-----\n)/, "$1SHA256: evil\n"), "OPENPGP_ARMOR_MALFORMED"],
  ];
  for (const [document, code] of places) {
    // Naive: find the markers and read what stands anywhere around them.
    expect(document).toContain("-----BEGIN PGP SIGNED MESSAGE-----");
    expect(codeOf(() => verifyCleartext(keyring, Buffer.from(document), now))).toBe(code);
  }
});

test("attack: a second message, or a message within the message", () => {
  const evil = pgpClearsign([attacker], "Suite: evil\n");
  expect(codeOf(() => verifyCleartext(keyring, Buffer.from(evil + signed), now))).toBe("OPENPGP_ARMOR_MALFORMED");
  expect(codeOf(() => verifyCleartext(keyring, Buffer.from(signed + evil), now))).toBe("OPENPGP_ARMOR_MALFORMED");
  const within = signed.replace("Codename", "-----BEGIN PGP SIGNED MESSAGE-----\nCodename");
  expect(codeOf(() => verifyCleartext(keyring, Buffer.from(within), now))).toBe("OPENPGP_CLEARTEXT_MALFORMED");
});

test("attack: white space that is not signed, and lines that end in another way", () => {
  const spaced = verifyCleartext(keyring, Buffer.from(signed.replace("stable", "stable \t ")), now);
  expect(spaced.text).toBe("Suite: stable\nCodename: tester\n");
  const lone = signed.replace("Suite: stable", "Suite: evil\rSuite: stable");
  expect(codeOf(() => verifyCleartext(keyring, Buffer.from(lone), now))).toBe("OPENPGP_CLEARTEXT_MALFORMED");
  for (const separator of ["\u2028", "\u0085", "\v", "\f"]) {
    const other = signed.replace("Suite: stable", `Suite: evil${separator}Suite: stable`);
    expect(codeOf(() => verifyCleartext(keyring, Buffer.from(other), now))).toBe("OPENPGP_SIGNATURE_INVALID");
  }
});

test("attack: armour that two readers decode differently", () => {
  const armor = pgpArmor("SIGNATURE", pgpSign(key, content));
  const tricks: readonly [string, string][] = [
    [armor.replace(/\n=.{4}\n/, "\n=AAAA\n"), "OPENPGP_ARMOR_CHECKSUM"],
    [armor.replace(/(\n[A-Za-z0-9+/]{60})/, "$1=\n"), "OPENPGP_ARMOR_MALFORMED"],
    [armor.replace("\n\n", "\n\n-\n"), "OPENPGP_ARMOR_MALFORMED"],
    [`${armor}${pgpArmor("SIGNATURE", pgpSign(attacker, content))}`, "OPENPGP_ARMOR_MALFORMED"],
    [armor.replaceAll("SIGNATURE", "MESSAGE"), "OPENPGP_ARMOR_MALFORMED"],
    [armor.replace("\n\n", "\nX-Hidden: 1\n\n"), "OPENPGP_ARMOR_MALFORMED"],
    [armor.replace("\n\n", "\n"), "OPENPGP_ARMOR_MALFORMED"],
  ];
  for (const [text, code] of tricks) expect(detached(Buffer.from(text))).toBe(code);
});
