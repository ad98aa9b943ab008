import { isFactoryError } from "@touchmark/core";
import {
  gpgvAccepts,
  hasGnupg,
  mintPgpKey,
  type PgpCertificateRecipe,
  type PgpSignatureRecipe,
  pgpArmor,
  pgpCertificate,
  pgpClearsign,
  pgpPacket,
  pgpSign,
  pgpSignatureBody,
  pgpSubpacket,
} from "@touchmark/test-kit/mint";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readKeyring, readSignature, verifyCleartext, verifyDetached } from "./index.ts";

const now = new Date("2026-06-01T00:00:00Z");
const content = Buffer.from("what is signed\n");
const DAY = 86_400;
const key = mintPgpKey("eddsa");
const other = mintPgpKey("eddsa");
const rsa = mintPgpKey("rsa");
const sub = mintPgpKey("eddsa");
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

/** Verdict on a signature by `signer` with a key made as the recipe says; GnuPG must not be the stricter one. */
function verdict(recipe: PgpCertificateRecipe, signature: Uint8Array): string {
  const bytes = pgpCertificate(recipe);
  const code = codeOf(() => verifyDetached(readKeyring(bytes), readSignature(signature), content, now));
  if (code === "accepted" && hasGnupg()) expect(gpgvAccepts(bytes, signature, content)).toBe(true);
  return code;
}

describe("O3: what a signature is made of", () => {
  const over = (recipe: PgpSignatureRecipe): string => verdict({ primary: key }, pgpSign(key, content, recipe));

  test.each<[string, PgpSignatureRecipe, string]>([
    ["SHA-1", { hash: "sha1" }, "OPENPGP_HASH_REFUSED"],
    ["MD5", { hash: "md5" }, "OPENPGP_HASH_REFUSED"],
    ["SHA-512", { hash: "sha512" }, "accepted"],
    ["a critical unknown subpacket", { hashed: [pgpSubpacket(99, Buffer.alloc(1), true)] }, "OPENPGP_CRITICAL_UNKNOWN"],
    [
      "a critical unknown subpacket beside the signed part",
      { unhashed: [pgpSubpacket(17, Buffer.alloc(8), true)] },
      "OPENPGP_CRITICAL_UNKNOWN",
    ],
    ["a critical notation", { hashed: [pgpSubpacket(20, Buffer.alloc(8), true)] }, "OPENPGP_CRITICAL_UNKNOWN"],
    ["an unknown subpacket", { hashed: [pgpSubpacket(99, Buffer.alloc(1))] }, "accepted"],
    ["another type", { type: 1 }, "OPENPGP_SIGNATURE_KIND"],
    ["a certification", { type: 0x13 }, "OPENPGP_SIGNATURE_KIND"],
    ["an end that is over", { lifetime: DAY }, "OPENPGP_SIGNATURE_EXPIRED"],
    ["a time before its key", { created: new Date("2023-01-01") }, "OPENPGP_SIGNATURE_TIME"],
    ["a time to come", { created: new Date("2026-06-02") }, "OPENPGP_SIGNATURE_TIME"],
    ["no issuer", { issuer: null }, "OPENPGP_KEY_UNKNOWN"],
    ["another issuer", { issuer: other }, "OPENPGP_KEY_UNKNOWN"],
    ["two issuers", { unhashed: [pgpSubpacket(16, Buffer.alloc(8))] }, "OPENPGP_PACKET_MALFORMED"],
    ["two ends", { lifetime: 0, hashed: [pgpSubpacket(3, Buffer.alloc(4))] }, "OPENPGP_PACKET_MALFORMED"],
  ])("O3: with %s", (_, recipe, expected) => {
    expect(over(recipe)).toBe(expected);
  });

  test("O3: of another version, with octets after it, or of something else", () => {
    const body = pgpSignatureBody(key, [content]);
    const third = Buffer.from(body);
    third[0] = 3;
    expect(codeOf(() => readSignature(pgpPacket(2, third)))).toBe("OPENPGP_VERSION_UNSUPPORTED");
    expect(codeOf(() => readSignature(pgpPacket(11, body)))).toBe("OPENPGP_PACKET_MALFORMED");
    expect(codeOf(() => readSignature(Buffer.alloc(0)))).toBe("OPENPGP_PACKET_MALFORMED");
    const longer = readSignature(pgpPacket(2, Buffer.concat([body, Buffer.alloc(1)])));
    expect(codeOf(() => verifyDetached(keyring, longer, content, now))).toBe("OPENPGP_PACKET_MALFORMED");
    expect(codeOf(() => readSignature(Buffer.alloc(70_000, 0x88)))).toBe("OPENPGP_TOO_LARGE");
    expect(codeOf(() => readSignature(Buffer.concat(Array.from({ length: 17 }, () => pgpPacket(2, body)))))).toBe(
      "OPENPGP_TOO_LARGE",
    );
  });

  test("O3: by a weak key, and by another algorithm than its key is for", () => {
    const weak = mintPgpKey("rsa1024");
    expect(verdict({ primary: weak }, pgpSign(weak, content))).toBe("OPENPGP_KEY_WEAK");
    const wide = mintPgpKey("p384");
    expect(verdict({ primary: wide }, pgpSign(wide, content, { hash: "sha256" }))).toBe("OPENPGP_HASH_REFUSED");
    const crossed = pgpSign(rsa, content, { issuer: key });
    expect(verdict({ primary: key }, crossed)).toBe("OPENPGP_SIGNATURE_INVALID");
  });

  test("O3: several: one by a known key is enough, unless one does not fit", () => {
    const both = pgpSign(other, content);
    const good = pgpSign(key, content);
    const verified = verifyDetached(keyring, readSignature(Buffer.concat([both, good])), content, now);
    expect(verified.notCounted).toEqual([expect.objectContaining({ code: "OPENPGP_KEY_UNKNOWN" })]);
    const forged = pgpSign(other, content, { issuer: key });
    expect(codeOf(() => verifyDetached(keyring, readSignature(Buffer.concat([good, forged])), content, now))).toBe(
      "OPENPGP_SIGNATURE_INVALID",
    );
    const weak = pgpSign(key, content, { hash: "sha1" });
    const beside = verifyDetached(keyring, readSignature(Buffer.concat([weak, good])), content, now);
    expect(beside.notCounted[0]?.code).toBe("OPENPGP_HASH_REFUSED");
  });
});

describe("O4: what a key is made of", () => {
  const good = pgpSign(key, content);
  const bySubkey = pgpSign(sub, content);

  test.each<[string, Partial<PgpCertificateRecipe>, string]>([
    ["a self-signature over SHA-1 alone", { self: { hash: "sha1" } }, "OPENPGP_HASH_REFUSED"],
    ["a self-signature by another", { certifier: other }, "OPENPGP_KEY_UNBOUND"],
    ["flags that do not allow signing", { flags: 0x01 }, "OPENPGP_KEY_NOT_FOR_SIGNING"],
    ["no flags", { flags: null }, "accepted"],
    ["an age that is over", { lifetime: DAY }, "OPENPGP_KEY_EXPIRED"],
    ["an age to come", { lifetime: 10 * 366 * DAY }, "accepted"],
    ["a self-signature to come", { self: { created: new Date("2027-01-01") } }, "OPENPGP_KEY_UNBOUND"],
    ["an expired self-signature", { self: { lifetime: DAY } }, "OPENPGP_KEY_UNBOUND"],
    [
      "a critical self-signature",
      { self: { hashed: [pgpSubpacket(99, Buffer.alloc(1), true)] } },
      "OPENPGP_HASH_REFUSED",
    ],
  ])("O4: a key with %s", (_, recipe, expected) => {
    expect(verdict({ primary: key, ...recipe }, good)).toBe(expected);
  });

  test.each<[string, NonNullable<PgpCertificateRecipe["subkeys"]>[number], string]>([
    ["its binding", { key: sub }, "accepted"],
    ["no binding back", { key: sub, back: null }, "OPENPGP_KEY_UNBOUND"],
    ["a binding back by another", { key: sub, back: other }, "OPENPGP_KEY_UNBOUND"],
    ["a binding over SHA-1", { key: sub, binding: { hash: "sha1" } }, "OPENPGP_HASH_REFUSED"],
    ["flags for encryption", { key: sub, flags: 0x0c }, "OPENPGP_KEY_NOT_FOR_SIGNING"],
    ["an age that is over", { key: sub, lifetime: DAY }, "OPENPGP_KEY_EXPIRED"],
    ["a revocation", { key: sub, revoked: true }, "OPENPGP_KEY_REVOKED"],
  ])("O4: a subkey with %s", (_, subkey, expected) => {
    expect(verdict({ primary: key, subkeys: [subkey] }, bySubkey)).toBe(expected);
  });

  test("O4: a pinned key counts with a weak self-signature, which still takes away; its subkeys do not", () => {
    const pinnedCode = (recipe: Partial<PgpCertificateRecipe>, signature: Uint8Array, hash = "sha1"): string => {
      const ring = readKeyring(pgpCertificate({ primary: key, self: { hash }, ...recipe }));
      const pins = [key.fingerprint, sub.fingerprint];
      return codeOf(() => verifyDetached(ring, readSignature(signature), content, now, pins));
    };
    expect(pinnedCode({}, good)).toBe("accepted");
    expect(pinnedCode({ lifetime: DAY }, good)).toBe("OPENPGP_KEY_EXPIRED");
    expect(pinnedCode({ flags: 0x01 }, good)).toBe("OPENPGP_KEY_NOT_FOR_SIGNING");
    expect(pinnedCode({ revoked: {} }, good)).toBe("OPENPGP_KEY_REVOKED");
    expect(pinnedCode({ certifier: other }, good)).toBe("OPENPGP_KEY_UNBOUND");
    expect(pinnedCode({}, pgpSign(key, content, { hash: "sha1" }))).toBe("OPENPGP_HASH_REFUSED");
    const bound = { key: sub, binding: { hash: "sha1" } };
    expect(pinnedCode({ subkeys: [bound] }, bySubkey, "sha256")).toBe("OPENPGP_HASH_REFUSED");
    expect(pinnedCode({ subkeys: [{ key: sub }] }, bySubkey)).toBe("OPENPGP_HASH_REFUSED");
  });

  test("O4: a subkey that another key adopted does not speak for it", () => {
    expect(verdict({ primary: other, subkeys: [{ key: sub, back: other }] }, bySubkey)).toBe("OPENPGP_KEY_UNBOUND");
  });

  test("O5: a revocation counts whatever its hash, by the key or by whom it named; another's does not", () => {
    expect(verdict({ primary: key, revoked: {} }, good)).toBe("OPENPGP_KEY_REVOKED");
    expect(verdict({ primary: key, revoked: { hash: "sha1" } }, good)).toBe("OPENPGP_KEY_REVOKED");
    expect(verdict({ primary: key, revoked: { by: other } }, good)).toBe("accepted");
    const named = [pgpSubpacket(12, Buffer.from(`8016${other.fingerprint}`, "hex"))];
    expect(verdict({ primary: key, self: { hashed: named }, revoked: { by: other } }, good)).toBe(
      "OPENPGP_KEY_REVOKED",
    );
  });
});

describe("O8: armour and keyrings", () => {
  const bytes = pgpSign(key, content);
  const armor = pgpArmor("SIGNATURE", bytes);
  const block = pgpArmor("PUBLIC KEY BLOCK", pgpCertificate({ primary: key }));

  test.each<[string, string, string]>([
    ["as it is", armor, "accepted"],
    ["with a comment", armor.replace("\n\n", "\nComment: by us\n\n"), "accepted"],
    ["without checksum", armor.replace(/\n=.{4}\n/, "\n"), "accepted"],
    ["with another checksum", armor.replace(/\n=.{4}\n/, "\n=AAAA\n"), "OPENPGP_ARMOR_CHECKSUM"],
    ["with a checksum that is none", armor.replace(/\n=.{4}\n/, "\n=AA\n"), "OPENPGP_ARMOR_MALFORMED"],
    ["twice", armor + armor, "OPENPGP_ARMOR_MALFORMED"],
    ["with text before it", `text\n${armor}`, "OPENPGP_ARMOR_MALFORMED"],
    ["with text after it", `${armor}text\n`, "OPENPGP_ARMOR_MALFORMED"],
    ["with an unknown header", armor.replace("\n\n", "\nHidden: yes\n\n"), "OPENPGP_ARMOR_MALFORMED"],
    ["without an end", armor.replace(/-----END.*/, ""), "OPENPGP_ARMOR_MALFORMED"],
    ["with another end", armor.replace("END PGP SIGNATURE", "END PGP MESSAGE"), "OPENPGP_ARMOR_MALFORMED"],
    ["with an empty line within", armor.replace(/(\n.{64}\n)/, "$1\n"), "OPENPGP_ARMOR_MALFORMED"],
    ["with foreign characters", armor.replace(/\n(.{64})\n/, "\n*$1\n"), "OPENPGP_ARMOR_MALFORMED"],
    ["as a key block", block, "OPENPGP_ARMOR_MALFORMED"],
  ])("O8: a signature in armour %s", (_, text, expected) => {
    expect(codeOf(() => verifyDetached(keyring, readSignature(Buffer.from(text)), content, now))).toBe(expected);
  });

  test("O6: a self-signature that does not state the id of its key is not the key's own, as GnuPG sees it", () => {
    const bytes = pgpCertificate({ primary: key });
    const stated = Buffer.from([9, 16, ...Buffer.from(key.fingerprint.slice(-16), "hex")]);
    const at = bytes.indexOf(stated);
    expect(at).toBeGreaterThan(0);
    const changed = Buffer.from(bytes);
    changed[at + 1] = 20;
    const signature = pgpSign(key, content);
    expect(codeOf(() => verifyDetached(readKeyring(changed), readSignature(signature), content, now))).not.toBe(
      "accepted",
    );
    if (hasGnupg()) expect(gpgvAccepts(changed, signature, content)).toBe(false);
  });

  test("O8: a key file may explain its blocks, and holds at least one key that can be read", () => {
    const file = `Keys of the project\n\n${block}\nand\n${pgpArmor("PUBLIC KEY BLOCK", pgpCertificate({ primary: rsa }))}`;
    expect(readKeyring(Buffer.from(file)).certificates.map((each) => each.key.fingerprint)).toEqual([
      key.fingerprint,
      rsa.fingerprint,
    ]);
    expect(codeOf(() => readKeyring(Buffer.from(file.replace("and\n", "-----BEGIN\n"))))).toBe(
      "OPENPGP_ARMOR_MALFORMED",
    );
    expect(codeOf(() => readKeyring(Buffer.alloc(0)))).toBe("OPENPGP_KEY_UNKNOWN");
    expect(codeOf(() => readKeyring(bytes))).toBe("OPENPGP_PACKET_MALFORMED");
    const third = Buffer.concat([Buffer.from([3]), key.body.subarray(1)]);
    const mixed = readKeyring(Buffer.concat([pgpPacket(6, third), pgpCertificate({ primary: key })]));
    expect([mixed.certificates.length, mixed.skipped]).toEqual([1, ["expected a key of version 4, found 3"]]);
  });

  test("O8: no bytes make the reader do anything but answer or refuse", () => {
    const certificate = pgpCertificate({ primary: key, subkeys: [{ key: sub }] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (noise, at) => {
        const spliced = Buffer.from(certificate);
        spliced.set(noise.subarray(0, spliced.length - (at % spliced.length)), at % spliced.length);
        codeOf(() => readSignature(noise));
        codeOf(() => readKeyring(noise));
        codeOf(() => verifyDetached(readKeyring(spliced), readSignature(bytes), content, now));
      }),
    );
  });
});

describe("O2: what a cleartext-signed document may not be", () => {
  const document = pgpClearsign([key], "first\n- second\nthird");

  test.each<[string, string, string]>([
    ["as it is", document, "accepted"],
    ["text before it", `Origin: evil\n${document}`, "OPENPGP_CLEARTEXT_MALFORMED"],
    ["an empty line before it", `\n${document}`, "OPENPGP_CLEARTEXT_MALFORMED"],
    ["text after it", `${document}Origin: evil\n`, "OPENPGP_ARMOR_MALFORMED"],
    ["another document after it", document + document, "OPENPGP_ARMOR_MALFORMED"],
    ["a header of its own", document.replace("\n\n", "\nOrigin: evil\n\n"), "OPENPGP_CLEARTEXT_MALFORMED"],
    [
      "text in the place of headers",
      document.replace("\n\n", "\nNotDashEscaped: You\n\n"),
      "OPENPGP_CLEARTEXT_MALFORMED",
    ],
    ["no Hash header", document.replace(/Hash: .*\n/, ""), "OPENPGP_CLEARTEXT_MALFORMED"],
    ["another Hash header", document.replace(/Hash: .*\n/, "Hash: SHA512\n"), "OPENPGP_CLEARTEXT_MALFORMED"],
    ["a dash that is not escaped", document.replace("- - second", "-second"), "OPENPGP_CLEARTEXT_MALFORMED"],
    ["a lone carriage return", document.replace("first", "fi\rrst"), "OPENPGP_CLEARTEXT_MALFORMED"],
    ["a line more", document.replace("third", "third\nfourth"), "OPENPGP_SIGNATURE_INVALID"],
    ["a line less", document.replace("\nthird", ""), "OPENPGP_SIGNATURE_INVALID"],
    ["white space at the start of a line", document.replace("first", " first"), "OPENPGP_SIGNATURE_INVALID"],
    ["white space at the end of a line", document.replace("first", "first \t"), "accepted"],
    ["no signature", document.slice(0, document.indexOf("-----BEGIN PGP SIG")), "OPENPGP_CLEARTEXT_MALFORMED"],
    ["nothing", "", "OPENPGP_CLEARTEXT_MALFORMED"],
    ["a signature over a file", pgpClearsign([key], "first", { type: 0 }), "OPENPGP_SIGNATURE_KIND"],
  ])("O2: %s", (_, text, expected) => {
    expect(codeOf(() => verifyCleartext(keyring, Buffer.from(text), now))).toBe(expected);
    if (expected === "accepted" && hasGnupg()) {
      expect(gpgvAccepts(pgpCertificate({ primary: key }), Buffer.from(text))).toBe(true);
    }
  });

  test("O2: a document over the limit is refused before it is read", () => {
    const huge = Buffer.alloc(33 * 1024 * 1024);
    expect(codeOf(() => verifyCleartext(keyring, huge, now))).toBe("OPENPGP_TOO_LARGE");
  });
});
