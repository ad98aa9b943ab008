import { generateKeyPairSync } from "node:crypto";
import { sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { demoLayout, demoLinks, keyKinds, signers } from "./demo.fixture.ts";
import {
  type ClassicLayout,
  type ClassicLink,
  classicLinkFileName,
  classicSigner,
  classicSigners,
  isClassic,
  olpcCanonicalJson,
  readClassicLayout,
  readClassicLink,
  verifyClassicSignatures,
  writeClassicLayout,
  writeClassicLink,
} from "./index.ts";

const { rsa, ed25519, ecdsa } = signers;
const forms = ["metablock", "dsse"] as const;
const json = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());

test.each(forms)("ITO1: a layout and links as %s are read as they were written", (form) => {
  const layout = demoLayout([rsa, ed25519, ecdsa], {
    inspections: [
      {
        name: "untar",
        run: ["tar", "xf", "foo.tar"],
        materials: [{ rule: "MATCH", pattern: "foo.tar", with: "products", from: "package" }],
        products: [],
      },
    ],
  });
  const bytes = writeClassicLayout(layout, [rsa], form);
  expect(isClassic(bytes)).toBe(true);
  const read = readClassicLayout(bytes);
  expect(read.layout).toEqual(layout);
  expect(read.envelope.form).toBe(form);
  for (const link of demoLinks()) {
    const written = writeClassicLink(link, [ecdsa], form);
    expect(readClassicLink(written).link).toEqual(link);
  }
  expect(classicLinkFileName("build", rsa.key.keyid)).toBe(`build.${rsa.key.keyid.slice(0, 8)}.link`);
  expect(isClassic(Buffer.from("touchmark: layout/v1\n"))).toBe(false);
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const word = fc.string({ maxLength: 20 }).filter((text) => text !== "" && text.isWellFormed() && !text.includes("\0"));
const pattern = word;
const simple = fc.record({
  rule: fc.constantFrom("ALLOW", "DISALLOW", "REQUIRE", "CREATE", "DELETE", "MODIFY"),
  pattern,
});
const digests = fc.dictionary(
  word.filter((text) => text !== "__proto__"),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => ({ sha256: Buffer.from(bytes).toString("hex") })),
);
const objectOf = fc.dictionary(
  word.filter((text) => text !== "__proto__"),
  fc.oneof(fc.integer(), word, fc.boolean(), fc.array(fc.integer())),
);
const link: fc.Arbitrary<ClassicLink> = fc.record({
  name,
  command: fc.array(word),
  materials: digests,
  products: digests,
  byproducts: objectOf,
  environment: objectOf,
});
const layoutOf = (names: readonly string[]): fc.Arbitrary<ClassicLayout> => {
  const match = fc.record(
    {
      rule: fc.constant("MATCH" as const),
      pattern,
      in: word,
      with: fc.constantFrom("materials", "products"),
      to: word,
      from: fc.constantFrom(...names),
    },
    { requiredKeys: ["rule", "pattern", "with", "from"] },
  );
  const rules = fc.array(fc.oneof(simple, match), { maxLength: 5 }) as fc.Arbitrary<
    ClassicLayout["steps"][number]["materials"]
  >;
  const parts = { materials: rules, products: rules };
  return fc.record({
    expires: fc.constant("2030-02-28T23:59:59Z"),
    readme: fc.string().filter((text) => text.isWellFormed()),
    keys: fc.constant({ [ed25519.key.keyid]: ed25519.key }),
    steps: fc.tuple(
      ...names.slice(1).map((each) =>
        fc.record({
          name: fc.constant(each),
          command: fc.array(word),
          ...parts,
          threshold: fc.integer({ min: 1, max: 9 }),
          pubkeys: fc.constantFrom([], [ed25519.key.keyid]),
        }),
      ),
    ),
    inspections: fc.tuple(fc.record({ name: fc.constant(names[0] ?? ""), run: fc.array(word), ...parts })),
  });
};

test("ITO1: reading and writing are inverse, and the signature holds, for any layout and link", () => {
  const any = fc.uniqueArray(name, { minLength: 2, maxLength: 4 }).chain(layoutOf);
  fc.assert(
    fc.property(any, link, fc.constantFrom(...forms), (layout, made, form) => {
      const first = readClassicLayout(writeClassicLayout(layout, [ed25519], form));
      expect(first.layout).toEqual(layout);
      expect(verifyClassicSignatures(first.envelope, [ed25519.key])).toEqual([ed25519.key]);
      const second = readClassicLink(writeClassicLink(made, [ed25519], form));
      expect(second.link).toEqual(made);
      expect(classicSigners(second.envelope, [ecdsa.key, ed25519.key])).toEqual([ed25519.key]);
    }),
    { numRuns: 60 },
  );
});

test("ITO2: canonical JSON has one text for one value, sorted by code point", () => {
  expect(olpcCanonicalJson({ "\u{1f600}": 1, "\uff5e": 2, a: [null, true, 'q"\\\n'], b: undefined })).toBe(
    '{"a":[null,true,"q\\"\\\\\n"],"\uff5e":2,"\u{1f600}":1}',
  );
  for (const value of [0.5, 2 ** 60, "\ud800", () => 1]) {
    expect(() => olpcCanonicalJson({ value })).toThrow(expect.objectContaining({ code: "INTOTO_NOT_CANONICAL" }));
  }
});

test.each(keyKinds)("ITO5: a signature by %s holds for its bytes and its key alone", (kind) => {
  const other = signers[kind === "rsa" ? "ecdsa" : "rsa"];
  for (const form of forms) {
    const { envelope } = readClassicLayout(writeClassicLayout(demoLayout([ed25519]), [signers[kind]], form));
    expect(verifyClassicSignatures(envelope, [signers[kind].key])).toEqual([signers[kind].key]);
    expect(() => verifyClassicSignatures(envelope, [signers[kind].key, other.key])).toThrow(
      expect.objectContaining({ code: "INTOTO_SIGNATURE_MISSING" }),
    );
    const covered = Uint8Array.from(envelope.covered);
    covered[covered.length - 2] = (covered.at(-2) ?? 0) ^ 1;
    expect(() => verifyClassicSignatures({ ...envelope, covered }, [signers[kind].key])).toThrow(
      expect.objectContaining({ code: "INTOTO_SIGNATURE_INVALID" }),
    );
    const stolen = envelope.signatures.map((signature) => ({ ...signature, keyid: other.key.keyid }));
    expect(() => verifyClassicSignatures({ ...envelope, signatures: stolen }, [other.key])).toThrow(
      expect.objectContaining({ code: "INTOTO_SIGNATURE_INVALID" }),
    );
  }
});

test("ITO5: no key verifies nothing, and one key under two ids is one signer", () => {
  const { envelope } = readClassicLayout(writeClassicLayout(demoLayout([ed25519]), [ed25519]));
  expect(() => verifyClassicSignatures(envelope, [])).toThrow(
    expect.objectContaining({ code: "INTOTO_SIGNATURE_MISSING" }),
  );
  const twin = { ...ed25519.key, keyid: "0".repeat(64) };
  const [signature] = envelope.signatures;
  const twice = {
    ...envelope,
    signatures: [...envelope.signatures, { sig: signature?.sig ?? new Uint8Array(), keyid: twin.keyid }],
  };
  expect(verifyClassicSignatures(twice, [ed25519.key, twin])).toEqual([ed25519.key]);
  expect(classicSigners(twice, [ed25519.key, twin])).toHaveLength(1);
});

test("ITO5: a signature of one wrapping says nothing in the other", () => {
  const layout = demoLayout([ed25519]);
  const metablock = json(writeClassicLayout(layout, [ed25519]));
  const dsse = json(writeClassicLayout(layout, [ed25519], "dsse"));
  const moved = {
    ...dsse,
    signatures: metablock.signatures.map((each: { sig: string }) => ({
      ...each,
      sig: Buffer.from(each.sig, "hex").toString("base64"),
    })),
  };
  const { envelope } = readClassicLayout(Buffer.from(JSON.stringify(moved)));
  expect(() => verifyClassicSignatures(envelope, [ed25519.key])).toThrow(
    expect.objectContaining({ code: "INTOTO_SIGNATURE_INVALID" }),
  );
});

test("ITO4: keys of P-384 sign too; weak, unknown and private ones are refused", () => {
  const p384 = classicSigner(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey);
  const { envelope } = readClassicLayout(writeClassicLayout(demoLayout([p384]), [p384]));
  expect(verifyClassicSignatures(envelope, [p384.key])).toHaveLength(1);
  const refuses = (code: string, key: object) => {
    const written = json(writeClassicLayout(demoLayout([ed25519]), []));
    const id = ed25519.key.keyid;
    written.signed.keys[id] = { ...written.signed.keys[id], ...key };
    expect(() => readClassicLayout(Buffer.from(JSON.stringify(written)))).toThrow(expect.objectContaining({ code }));
  };
  const pem = (key: { export(options: object): string | Buffer }) =>
    key.export({ format: "pem", type: "spki" }).toString();
  const weak = pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey);
  refuses("INTOTO_KEY_UNSUPPORTED", { keytype: "rsa", scheme: "rsassa-pss-sha256", keyval: { public: weak } });
  refuses("INTOTO_KEY_UNSUPPORTED", { keytype: "rsa", scheme: "pgp+rsa-pkcsv1.5" });
  refuses("INTOTO_KEY_UNSUPPORTED", { scheme: "toString" });
  refuses("INTOTO_KEY_MALFORMED", { keyval: { public: ed25519.key.public, private: "00" } });
  refuses("INTOTO_KEY_MALFORMED", { keyval: { public: "abc" } });
  refuses("INTOTO_KEY_MALFORMED", { keyval: { public: ecdsa.key.public } });
  refuses("INTOTO_KEY_MALFORMED", {
    keytype: "ecdsa",
    scheme: "ecdsa-sha2-nistp384",
    keyval: { public: ecdsa.key.public },
  });
  refuses("INTOTO_KEY_MALFORMED", {
    keytype: "rsa",
    scheme: "rsassa-pss-sha256",
    keyval: { public: ecdsa.key.public },
  });
  refuses("INTOTO_KEY_MALFORMED", { keyid: "f".repeat(64) });
  expect(() => classicSigner(generateKeyPairSync("ed448").privateKey)).toThrow(
    expect.objectContaining({ code: "INTOTO_KEY_UNSUPPORTED" }),
  );
});

test("ITO4: the digest says which key it is, whatever its id and spelling", () => {
  const layout = demoLayout([rsa]);
  const written = json(writeClassicLayout(layout, []));
  const key = written.signed.keys[rsa.key.keyid];
  const renamed = { keytype: key.keytype, scheme: key.scheme, keyval: { public: `${rsa.key.public}\n`, private: "" } };
  written.signed.keys = { ...written.signed.keys, gone: renamed };
  const read = readClassicLayout(Buffer.from(JSON.stringify(written))).layout;
  expect(read.keys["gone"]?.digest).toBe(rsa.key.digest);
  expect(read.keys["gone"]?.keyid).toBe("gone");
  expect(rsa.key.digest).toMatch(/^sha256:/);
  expect(rsa.key.digest).not.toBe(sha256(rsa.key.public));
});
