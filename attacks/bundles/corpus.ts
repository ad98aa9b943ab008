import { createHash } from "node:crypto";
import {
  ARTIFACT,
  asn1,
  type BundleJson,
  type BundleRecipe,
  distinguishedName,
  extension,
  integer,
  type MintedBundle,
  type MintWorld,
  mintAuthority,
  mintBundle,
  mintKey,
  mintLeaf,
  mintLog,
  mintStamper,
  mintWorld,
  noteKeyHash,
  oid,
  sequence,
  signatureLine,
  statementOf,
  type TrustedRootJson,
  usages,
  utf8,
  witnessKey,
} from "@touchmark/test-kit/mint";
import type { Expectations } from "@touchmark/verify";

/** An altered bundle, what it asks of the verifier, and the code that must meet it. */
export interface AlteredBundle {
  readonly name: string;
  /** Rule of packages/verify/SPEC.md. */
  readonly rule: string;
  readonly code: string;
  make(world: MintWorld): {
    readonly bundle: MintedBundle;
    readonly root?: (root: TrustedRootJson) => void;
    readonly expectations?: Partial<Expectations>;
    /** The PEM of a managed key, for the careless reader. */
    readonly key?: string;
  };
  /** What a careless reader accepts: the signature holds with the bundle's own key, or it never looks at it. */
  readonly careless: "signature" | "document";
}

type Made = ReturnType<AlteredBundle["make"]>;

/** The world of the corpus, with its time at rest. */
export const world: MintWorld = mintWorld();
export const other: MintWorld = mintWorld();

const DAY = 86_400_000;
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const later = (ms: number): Date => new Date(world.at.getTime() + ms);

function row(
  rule: string,
  code: string,
  name: string,
  make: (w: MintWorld) => BundleRecipe | Made,
  careless: AlteredBundle["careless"] = "signature",
): AlteredBundle {
  return {
    name,
    rule,
    code,
    careless,
    make(w) {
      const made = make(w);
      return "bundle" in made ? made : { bundle: mintBundle(w, made) };
    },
  };
}

/** A change of the finished document. */
const edited = (edit: (bundle: BundleJson) => void, recipe: BundleRecipe = {}): BundleRecipe => ({ ...recipe, edit });
const entryOf = (bundle: BundleJson): BundleJson => bundle.verificationMaterial.tlogEntries[0];
const leaf = (recipe: NonNullable<BundleRecipe["leaf"]>): BundleRecipe => ({ leaf: recipe });

/** A policy that asks for two of the world's three witnesses. */
function twoOfThree(w: MintWorld): string {
  const witnesses = w.witnesses.map((witness, i) => `witness w${i + 1} ${witnessKey(witness)}\n`);
  return `${witnesses.join("")}group two 2 w1 w2 w3\nquorum two\n`;
}

const documents: AlteredBundle[] = [
  row("V3", "JSON_MALFORMED", "bytes that are no UTF-8, which readers replace each in their own way", (w) => {
    const bundle = mintBundle(w);
    const bytes = Buffer.from(bundle.bytes);
    bytes[bytes.indexOf("mediaType") + 14] = 0xff;
    return { bundle: { ...bundle, bytes } };
  }),
  row("V3", "JSON_MALFORMED", "a member named __proto__", () => ({
    text: (text) => text.replace('"mediaType":', '"__proto__":{},"mediaType":'),
  })),
  row("V3", "JSON_TOO_DEEP", "nesting without end", () => ({
    text: (text) => text.replace('"mediaType":', `"deep":${"[".repeat(200)}${"]".repeat(200)},"mediaType":`),
  })),
  row("V3", "JSON_DUPLICATE_KEY", "a key stands twice, and readers differ in which one counts", () => ({
    text: (text) => text.replace('"payloadType":', '"payloadType":"text/plain","payloadType":'),
  })),
  row("V3", "JSON_DUPLICATE_KEY", "a key stands twice, once spelled with an escape", () => ({
    text: (text) => text.replace('"mediaType":', '"media\\u0054ype":"x","mediaType":'),
  })),
  row("V3", "BUNDLE_VERSION_UNKNOWN", "the bundle is of version 0.9", () =>
    edited((b) => (b.mediaType = "application/vnd.dev.sigstore.bundle.v0.9+json")),
  ),
  row("V3", "BUNDLE_VERSION_UNKNOWN", "the bundle's media type is that of a prototype member", () =>
    edited((b) => (b.mediaType = "constructor")),
  ),
  row("V3", "BUNDLE_UNKNOWN_FIELD", "an unknown member at the top", () => edited((b) => (b.extra = true))),
  row("V3", "BUNDLE_UNKNOWN_FIELD", "an unknown member in the log entry", () =>
    edited((b) => (entryOf(b).inclusionProof.note = "x")),
  ),
  row("V3", "BUNDLE_UNKNOWN_FIELD", "an unknown member in the signature", () =>
    edited((b) => (b.dsseEnvelope.signatures[0].extension = {})),
  ),
  row("V3", "BUNDLE_MALFORMED", "certificate and bare key at once", () =>
    edited((b) => (b.verificationMaterial.publicKey = { hint: "x" })),
  ),
  row("V3", "BUNDLE_MALFORMED", "envelope and message signature at once", () =>
    edited((b) => {
      b.messageSignature = {
        messageDigest: { algorithm: "SHA2_256", digest: b64(Buffer.alloc(32)) },
        signature: "AAAA",
      };
    }),
  ),
  row("V3", "BUNDLE_INTEGER_INVALID", "a tree size in hexadecimal", () =>
    edited(
      (b) => (entryOf(b).inclusionProof.treeSize = `0x${Number(entryOf(b).inclusionProof.treeSize).toString(16)}`),
    ),
  ),
  row("V3", "BUNDLE_INTEGER_INVALID", "a log index with a leading zero", () =>
    edited((b) => (entryOf(b).logIndex = `0${entryOf(b).logIndex}`)),
  ),
  row("V3", "BUNDLE_INTEGER_INVALID", "a negative log index", () => edited((b) => (entryOf(b).logIndex = "-1"))),
  row("V3", "BUNDLE_INTEGER_INVALID", "a log index beyond what numbers hold exactly", () =>
    edited((b) => (entryOf(b).logIndex = "9007199254740993")),
  ),
  row("V3", "BUNDLE_BASE64_INVALID", "white space within base64", () =>
    edited(
      (b) => (b.dsseEnvelope.payload = `${b.dsseEnvelope.payload.slice(0, 8)}\n${b.dsseEnvelope.payload.slice(8)}`),
    ),
  ),
  row("V3", "BUNDLE_BASE64_INVALID", "base64 without its padding", () =>
    edited((b) => (b.verificationMaterial.tlogEntries[0].logId.keyId = entryOf(b).logId.keyId.replace(/=+$/, ""))),
  ),
  row("V3", "BUNDLE_BASE64_INVALID", "base64 of the URL alphabet", () =>
    edited((b) => (entryOf(b).logId.keyId = "-_-_")),
  ),
];

const contents: AlteredBundle[] = [
  row(
    "V4",
    "SIGNATURE_INVALID",
    "the payload was changed after signing",
    () =>
      edited((b) => {
        b.dsseEnvelope.payload = b64(
          Buffer.from(JSON.stringify({ ...statementOf(ARTIFACT), predicate: { evil: true } })),
        );
      }),
    "document",
  ),
  row(
    "V4",
    "SIGNATURE_INVALID",
    "the signature is of another key",
    (w) => {
      const foreign = JSON.parse(Buffer.from(mintBundle(w).bytes).toString());
      return edited((b) => (b.dsseEnvelope.signatures[0].sig = foreign.dsseEnvelope.signatures[0].sig));
    },
    "document",
  ),
  row("V4", "SIGNATURE_COUNT", "a second signature, which nobody checks", () =>
    edited((b) => b.dsseEnvelope.signatures.push({ sig: b64(Buffer.from("anything")) })),
  ),
  row(
    "V4",
    "SIGNATURE_COUNT",
    "no signature at all",
    () => edited((b) => (b.dsseEnvelope.signatures = [])),
    "document",
  ),
  row("V4", "PAYLOAD_TYPE_UNEXPECTED", "the payload is signed as another type", () => ({
    payloadType: "application/vnd.example+json",
  })),
  row("V4", "STATEMENT_TYPE_UNKNOWN", "the payload is of another statement type", () => ({
    statement: { ...statementOf(ARTIFACT), _type: "https://in-toto.io/Statement/v99" },
  })),
  row("V4", "STATEMENT_UNKNOWN_FIELD", "the statement has an unknown member", () => ({
    statement: { ...statementOf(ARTIFACT), subjects: [] },
  })),
  row("V4", "STATEMENT_MALFORMED", "the statement has no subject", () => ({
    statement: { ...statementOf(ARTIFACT), subject: [] },
  })),
  row("V4", "STATEMENT_MALFORMED", "the subject's digest is upper case", () => ({
    statement: { ...statementOf(ARTIFACT), subject: [{ name: "a", digest: { sha256: "A".repeat(64) } }] },
  })),
  row("V4", "JSON_DUPLICATE_KEY", "the signed statement names its subject twice", () => {
    const text = JSON.stringify(statementOf(ARTIFACT));
    return { payload: Buffer.from(text.replace('"subject":', '"subject":[],"subject":')) };
  }),
  row("V4", "SUBJECT_MISMATCH", "a true statement about another artifact", (w) => ({
    bundle: mintBundle(w, { statement: statementOf(Buffer.from("another artifact")) }),
  })),
  row("V4", "SUBJECT_DIGEST_WEAK", "the artifact is named by SHA-1 alone", () => ({
    statement: {
      ...statementOf(ARTIFACT),
      subject: [{ name: "a", digest: { sha1: createHash("sha1").update(ARTIFACT).digest("hex") } }],
    },
  })),
  row("V4", "PREDICATE_TYPE_MISMATCH", "a statement of another predicate type", (w) => ({
    bundle: mintBundle(w, { predicateType: "https://example.com/anything/v1" }),
    expectations: { predicateType: "https://slsa.dev/provenance/v1" },
  })),
  row("V4", "CONTENT_NOT_A_STATEMENT", "a bare signature where a statement is asked for", (w) => ({
    bundle: mintBundle(w, { content: "message" }),
    expectations: { artifact: ARTIFACT, predicateType: "https://slsa.dev/provenance/v1" },
  })),
  row("V4", "MESSAGE_DIGEST_MISMATCH", "a signature over another artifact", (w) => ({
    bundle: mintBundle(w, { content: "message" }),
    expectations: { artifact: Buffer.from("another artifact") },
  })),
];

const paths: AlteredBundle[] = [
  row("V5", "CERTIFICATE_NO_PATH", "an authority outside the trusted root", (w) => ({
    authority: mintAuthority("stranger", w.root),
  })),
  row("V5", "CERTIFICATE_SIGNATURE_INVALID", "an authority that took the name of ours", (w) => ({
    authority: {
      ...mintAuthority("intermediate"),
      name: w.intermediate.name,
      key: { ...mintKey(), spki: w.intermediate.key.spki },
    },
  })),
  row("V5", "CERTIFICATE_ROOT_IN_BUNDLE", "the bundle brings its own root", () => {
    const stranger = mintAuthority("own root");
    return edited(
      (b) => {
        const { certificate } = b.verificationMaterial;
        delete b.verificationMaterial.certificate;
        b.verificationMaterial.x509CertificateChain = {
          certificates: [certificate, { rawBytes: b64(stranger.certificate) }],
        };
      },
      { authority: stranger },
    );
  }),
  row("V5", "AUTHORITY_NOT_CERTIFYING", "a leaf used as an authority", (w) => {
    const key = mintKey();
    const certificate = mintLeaf(w, key, { leaf: { subject: distinguishedName("Mint", "leaf authority") } });
    return edited(
      (b) => {
        const own = b.verificationMaterial.certificate;
        delete b.verificationMaterial.certificate;
        b.verificationMaterial.x509CertificateChain = { certificates: [own, { rawBytes: b64(certificate) }] };
      },
      { authority: { key, name: distinguishedName("Mint", "leaf authority"), certificate } },
    );
  }),
  row("V5", "CERTIFICATE_PATH_LENGTH", "an authority more than the path length permits", (w) => {
    const below = mintAuthority("below", w.intermediate);
    return edited(
      (b) => {
        const own = b.verificationMaterial.certificate;
        delete b.verificationMaterial.certificate;
        b.verificationMaterial.x509CertificateChain = { certificates: [own, { rawBytes: b64(below.certificate) }] };
      },
      { authority: below },
    );
  }),
  row("V5", "CERTIFICATE_CRITICAL_EXTENSION", "a critical extension that nobody knows", () =>
    leaf({ extensions: [extension("1.3.6.1.4.1.99999.7", utf8("only for tests"), true)] }),
  ),
  row("V5", "CERTIFICATE_NAME_CONSTRAINT", "a name outside the trust domain of the authority", (w) => ({
    bundle: mintBundle(w, leaf({ uris: ["spiffe://other.example/builder"] })),
    expectations: { identity: "spiffe://other.example/builder" },
  })),
  row("V5", "CERTIFICATE_NAME_CONSTRAINT", "a name whose host only ends in the trust domain", (w) => ({
    bundle: mintBundle(w, leaf({ uris: [`spiffe://evil-${w.trustDomain}/builder`] })),
    expectations: { identity: `spiffe://evil-${w.trustDomain}/builder` },
  })),
  row("V5", "CERTIFICATE_IS_AUTHORITY", "the statement is signed by an authority", () =>
    leaf({ authority: true, keyUsage: [0, 5] }),
  ),
  row("V5", "CERTIFICATE_KEY_USAGE", "the key is for key agreement", () => leaf({ keyUsage: [4] })),
  row("V5", "CERTIFICATE_USAGE_MISSING", "a leaf without extended key usage", () => leaf({ extendedKeyUsage: null })),
  row("V5", "CERTIFICATE_USAGE_AUTHENTICATION", "a leaf to authenticate, used for signing", () =>
    leaf({ extendedKeyUsage: [usages.serverAuth, usages.clientAuth] }),
  ),
  row("V5", "CERTIFICATE_USAGE_NOT_SIGNING", "a leaf for e-mail", () =>
    leaf({ extendedKeyUsage: [usages.emailProtection] }),
  ),
  row("V5", "CERTIFICATE_USAGE_NOT_SIGNING", "a leaf for any purpose is for none in particular", () =>
    leaf({ extendedKeyUsage: [usages.any] }),
  ),
  row("V5", "AUTHORITY_USAGE", "an authority for time-stamping issued the leaf", () => {
    const w = mintWorld({ intermediate: { extendedKeyUsage: [usages.timeStamping] } });
    return { bundle: mintBundle(w), root: (root) => Object.assign(root, w.trustedRoot) };
  }),
  row("V5", "CERTIFICATE_OUTSIDE_VALIDITY", "the leaf expired before the signature", () =>
    leaf({ notBefore: later(-DAY), notAfter: later(-1000) }),
  ),
  row("V5", "CERTIFICATE_OUTSIDE_VALIDITY", "the leaf was not valid yet", () =>
    leaf({ notBefore: later(1000), notAfter: later(DAY) }),
  ),
  row("V5", "AUTHORITY_OUTSIDE_VALIDITY", "the authority's window in the trusted root had ended", (w) => ({
    bundle: mintBundle(w),
    root: (root) => {
      for (const authority of root.certificateAuthorities) authority.validFor.end = later(-DAY).toISOString();
    },
  })),
  row("V5", "CERTIFICATE_MALFORMED", "an extension stands twice in the certificate", () =>
    leaf({ extensions: [extension("2.5.29.37", sequence(oid(usages.codeSigning)))] }),
  ),
  row(
    "V5",
    "CERTIFICATE_MALFORMED",
    "bytes follow the certificate",
    (w) =>
      edited((b) => {
        const { certificate } = b.verificationMaterial;
        certificate.rawBytes = b64(Buffer.concat([Buffer.from(certificate.rawBytes, "base64"), Buffer.from([5, 0])]));
        void w;
      }),
    "document",
  ),
  row("V5", "CERTIFICATE_TIMESTAMP_MISSING", "a certificate that no certificate log saw", (w) => ({
    bundle: mintBundle(w),
    root: (root) => {
      root.ctlogs = [root.tlogs[1] as (typeof root.tlogs)[number]];
    },
  })),
];

const identities: AlteredBundle[] = [
  row("V6", "IDENTITY_MISMATCH", "the name is only the beginning of the expected one", (w) =>
    leaf({ uris: [w.identity.slice(0, -1)] }),
  ),
  row("V6", "IDENTITY_MISMATCH", "the name only begins with the expected one", (w) =>
    leaf({ uris: [`${w.identity}-2`] }),
  ),
  row("V6", "IDENTITY_MISMATCH", "the name only contains what the pattern says", (w) => ({
    bundle: mintBundle(w, leaf({ uris: [`spiffe://${w.trustDomain}/x/builder/y`] })),
    expectations: { identity: undefined, identityPattern: "builder" },
  })),
  row("V6", "IDENTITY_MISMATCH", "another step of the same pipeline", (w) =>
    leaf({ uris: [w.identity.replace("/step/build", "/step/test")] }),
  ),
  row("V6", "IDENTITY_AMBIGUOUS", "two URIs, one of them the expected one", (w) =>
    leaf({ uris: [`spiffe://${w.trustDomain}/other`, w.identity] }),
  ),
  row("V6", "IDENTITY_AMBIGUOUS", "a URI and an e-mail address", (w) =>
    leaf({ uris: [w.identity], emails: ["someone@factory.example"] }),
  ),
  row("V6", "IDENTITY_MISSING", "a host name only", () => leaf({ uris: [], dnsNames: ["factory.example"] })),
  row("V6", "ISSUER_MISMATCH", "another issuer vouched for the name", () =>
    leaf({ identityIssuer: "https://factory.example.evil.example" }),
  ),
  row("V6", "ISSUER_MISSING", "nobody vouched for the name", () => leaf({ identityIssuer: null })),
  row("V6", "CERTIFICATE_MALFORMED", "two issuers that differ", (w) =>
    leaf({ identityIssuer: w.issuer, oldIdentityIssuer: "https://evil.example" }),
  ),
];

const keys: AlteredBundle[] = [
  row("V7", "KEY_UNEXPECTED", "a bare key where a certificate is expected", (w) => {
    const key = mintKey();
    return { bundle: mintBundle(w, { key, hint: "k" }), key: key.pem };
  }),
  row("V7", "CERTIFICATE_UNEXPECTED", "a certificate where the managed key is expected", (w) => {
    const key = mintKey();
    return { bundle: mintBundle(w, { key }), expectations: managed(key.pem) };
  }),
  row("V7", "SIGNATURE_INVALID", "another key under the hint of the managed one", (w) => {
    const key = mintKey();
    return { bundle: mintBundle(w, { key, hint: "k" }), expectations: managed(mintKey().pem), key: key.pem };
  }),
  row("V7", "KEY_HINT_MISMATCH", "the managed key under another hint", (w) => {
    const key = mintKey();
    return {
      bundle: mintBundle(w, { key, hint: "k" }),
      expectations: { ...managed(key.pem), keyHint: "production" },
      key: key.pem,
    };
  }),
  row("V7", "KEY_ID_MISMATCH", "hint and key id differ", (w) => {
    const key = mintKey();
    return {
      bundle: mintBundle(w, { key, hint: "k", keyid: "other" }),
      expectations: managed(key.pem),
      key: key.pem,
    };
  }),
  row("V7", "KEY_OUTSIDE_WINDOW", "a signature from before the managed key was valid", (w) => {
    const key = mintKey();
    const keyValidFrom = later(1000).toISOString();
    return {
      bundle: mintBundle(w, { key, hint: "k" }),
      expectations: { ...managed(key.pem), keyValidFrom },
      key: key.pem,
    };
  }),
  row("V7", "KEY_OUTSIDE_WINDOW", "a signature from after the managed key was retired", (w) => {
    const key = mintKey();
    const keyValidUntil = later(-1000).toISOString();
    return {
      bundle: mintBundle(w, { key, hint: "k" }),
      expectations: { ...managed(key.pem), keyValidUntil },
      key: key.pem,
    };
  }),
  row("V7", "ALGORITHM_REFUSED", "an RSA key of 1024 bits", () => ({ key: mintKey("rsa1024") })),
];

function managed(pem: string): Partial<Expectations> {
  return { identity: undefined, issuer: undefined, key: pem };
}

const logs: AlteredBundle[] = [
  row("V8", "LOG_ENTRY_MISSING", "no log entry", () => ({ entries: [] })),
  row("V8", "LOG_UNKNOWN", "an entry of a log that nobody trusts", () => ({ entries: [{ log: other.log }] })),
  row("V8", "LOG_PROOF_MISSING", "no inclusion proof", () => ({ entries: [{ noProof: true }] })),
  row("V8", "LOG_PROOF_INVALID", "a hash of the inclusion proof was changed", () =>
    edited((b) => {
      const { hashes } = entryOf(b).inclusionProof;
      hashes[0] = b64(Buffer.alloc(32, 1));
    }),
  ),
  row("V8", "LOG_PROOF_INVALID", "a proof for another index", () =>
    edited((b) => {
      const entry = entryOf(b);
      entry.logIndex = entry.inclusionProof.logIndex = String(Number(entry.logIndex) - 1);
    }),
  ),
  row("V8", "LOG_PROOF_INVALID", "a proof with a hash too many", () =>
    edited((b) => entryOf(b).inclusionProof.hashes.push(b64(Buffer.alloc(32)))),
  ),
  row("V8", "LOG_INDEX_MISMATCH", "an index that differs from the proof's", () => ({
    entries: [{ logIndex: (index) => String(index + 1) }],
  })),
  row("V8", "LOG_ENTRY_DUPLICATE", "one entry twice", () =>
    edited((b) => b.verificationMaterial.tlogEntries.push(structuredClone(entryOf(b)))),
  ),
  row("V8", "LOG_ENTRY_KEY_MISMATCH", "an entry that names another certificate", (w) => {
    const key = mintKey();
    const foreign = mintLeaf(w, key, leaf({ uris: [`spiffe://${w.trustDomain}/builder`] }));
    return {
      key,
      entries: [
        {
          body: (body) => {
            const json = JSON.parse(body.toString());
            json.spec.hashedRekordV002.signature.verifier.x509Certificate.rawBytes = b64(foreign);
            return Buffer.from(JSON.stringify(json));
          },
        },
      ],
    };
  }),
  row("V8", "LOG_ENTRY_SIGNATURE_MISMATCH", "an entry of another signature", () => ({
    entries: [
      {
        body: (body) =>
          Buffer.from(body.toString().replace(/"content":"[^"]+"/, `"content":"${b64(Buffer.from("sig"))}"`)),
      },
    ],
  })),
  row("V8", "LOG_ENTRY_DIGEST_MISMATCH", "an entry of another content", () => ({
    entries: [
      {
        body: (body) =>
          Buffer.from(body.toString().replace(/"digest":"[^"]+"/, `"digest":"${b64(Buffer.alloc(32, 7))}"`)),
      },
    ],
  })),
  row("V8", "LOG_ENTRY_NOT_CANONICAL", "the right entry, spelled with white space", () => ({
    entries: [{ body: (body) => Buffer.from(body.toString().replace("{", "{ ")) }],
  })),
  row("V8", "LOG_ENTRY_KIND_UNKNOWN", "an entry of an unknown kind", () => ({ entries: [{ kind: "alpine" }] })),
  row("V8", "LOG_ENTRY_MALFORMED", "an entry whose body is of another kind than it says", () => ({
    entries: [{ kind: "dsse", version: "0.0.1" }],
  })),
  row("V8", "LOG_ED25519_REFUSED", "a hashedrekord entry of an Ed25519 key", () => ({ key: mintKey("ed25519") })),
  row("V8", "LOG_ENTRY_KIND_MISMATCH", "an entry that claims another algorithm for the key", () => ({
    entries: [
      { body: (body) => Buffer.from(body.toString().replace("PKIX_ECDSA_P256_SHA_256", "PKIX_ECDSA_P384_SHA_384")) },
    ],
  })),
  row("V8", "LOG_KEY_OUTSIDE_WINDOW", "the log's key was retired before the signature", (w) => ({
    bundle: mintBundle(w),
    root: (root) => {
      for (const log of root.tlogs) log.publicKey.validFor.end = later(-DAY).toISOString();
    },
  })),
  row("V8", "LOG_PROMISE_INVALID", "a signed entry timestamp over another time", () =>
    edited((b) => (entryOf(b).integratedTime = String(Number(entryOf(b).integratedTime) - 3600)), { profile: "v1" }),
  ),
  row("V8", "LOG_TIME_UNSIGNED", "a log time that nobody signed", () => ({
    entries: [{ integratedTime: Math.floor(world.at.getTime() / 1000) }],
  })),
  row("V8", "LOG_TIME_OUTSIDE_VALIDITY", "the log recorded it when the certificate had expired", () => ({
    profile: "v1",
    entries: [{ integratedTime: Math.floor(world.at.getTime() / 1000) + 7200 }],
  })),
  row("V8", "LOG_THRESHOLD", "two entries of one log, where two operators are asked for", (w) => ({
    bundle: mintBundle(w, {
      entries: [{}, { after: 0, log: { ...w.log, leaves: [...w.log.leaves, ...w.log.leaves] } }],
    }),
    expectations: { logThreshold: 2 },
  })),
  row("V8", "LOG_THRESHOLD", "two logs of one operator", (w) => {
    const second = mintLog("log2.factory.example", mintKey("ed25519"));
    return {
      bundle: mintBundle(w, { entries: [{}, { log: second }] }),
      root: (root) => {
        root.mediaType = "application/vnd.dev.sigstore.trustedroot.v0.2+json";
        root.tlogs.push({
          ...(root.tlogs[0] as (typeof root.tlogs)[number]),
          baseUrl: second.baseUrl,
          publicKey: {
            rawBytes: b64(second.key.spki),
            keyDetails: "PKIX_ED25519",
            validFor: { start: "2020-01-01T00:00:00Z" },
          },
          logId: { keyId: b64(second.logId) },
        });
        for (const log of root.tlogs) log.operator = "factory.example";
      },
      expectations: { logThreshold: 2 },
    };
  }),
  row("V8", "LOG_THRESHOLD", "one key under two names and operators", (w) => {
    const second = mintLog("log.elsewhere.example", w.log.key);
    return {
      bundle: mintBundle(w, { entries: [{}, { log: second }] }),
      root: (root) => {
        const [first] = root.tlogs as [(typeof root.tlogs)[number]];
        root.tlogs.push({ ...first, baseUrl: second.baseUrl, logId: { keyId: b64(second.logId) } });
      },
      expectations: { logThreshold: 2 },
    };
  }),
];

const checkpoints: AlteredBundle[] = [
  row("V9", "CHECKPOINT_ORIGIN_MISMATCH", "a checkpoint of another origin, signed by the log's key", () => ({
    entries: [{ checkpoint: { origin: "other.example" } }],
  })),
  row("V9", "CHECKPOINT_SIZE_NOT_CANONICAL", "a tree size in hexadecimal", () => ({
    entries: [{ checkpoint: { size: "0x9" } }],
  })),
  row("V9", "CHECKPOINT_SIZE_NOT_CANONICAL", "a tree size with a leading zero", () => ({
    entries: [{ checkpoint: { size: "09" } }],
  })),
  row("V9", "CHECKPOINT_ROOT_MISMATCH", "a checkpoint of another root", () => ({
    entries: [{ checkpoint: { root: Buffer.alloc(32, 9) } }],
  })),
  row("V9", "CHECKPOINT_ROOT_MISMATCH", "a checkpoint of another size", () => ({
    entries: [{ checkpoint: { size: "99" } }],
  })),
  row("V9", "CHECKPOINT_MALFORMED", "a checkpoint without a root", () =>
    edited((b) => {
      const { checkpoint } = entryOf(b).inclusionProof;
      checkpoint.envelope = checkpoint.envelope.replace(/\n[A-Za-z0-9+/]{43}=\n/, "\n");
    }),
  ),
  row("V9", "NOTE_MALFORMED", "a checkpoint without signatures", () => ({
    entries: [{ checkpoint: { noLogSignature: true } }],
  })),
  row("V9", "NOTE_SIGNATURE_INVALID", "a checkpoint whose signature is wrong", () =>
    edited((b) => {
      const { checkpoint } = entryOf(b).inclusionProof;
      checkpoint.envelope = checkpoint.envelope.replace(/\n\n/, "\nextension\n\n");
    }),
  ),
  row("V9", "NOTE_SIGNATURE_INVALID", "a good and a bad signature of the log's key", (w) => ({
    entries: [
      {
        checkpoint: {
          lines: [signatureLine(w.log.origin, noteKeyHash(w.log.origin, w.log.key), Buffer.alloc(64, 3))],
        },
      },
    ],
  })),
  row("V9", "NOTE_UNTRUSTED", "a checkpoint signed by a key that nobody knows", () => ({
    entries: [{ checkpoint: { signingKey: mintKey("ed25519") } }],
  })),
  row("V9", "NOTE_SIGNATURE_INVALID", "a foreign key under the log's name and key id", (w) => {
    const foreign = mintKey("ed25519");
    return {
      entries: [
        {
          checkpoint: {
            noLogSignature: true,
            lines: [
              signatureLine(
                w.log.origin,
                noteKeyHash(w.log.origin, w.log.key),
                Buffer.from(foreign.spki.subarray(0, 44)),
              ),
            ],
          },
        },
      ],
    };
  }),
  row("V10", "WITNESS_QUORUM_MISSING", "no witness saw the checkpoint", (w) => ({
    bundle: mintBundle(w),
    expectations: { witnessPolicy: twoOfThree(w) },
  })),
  row("V10", "WITNESS_QUORUM_MISSING", "one witness cosigned twice, where two are asked for", (w) => {
    const cosigner = { ...(w.witnesses[0] as (typeof w.witnesses)[number]), seconds: w.at.getTime() / 1000 };
    return {
      bundle: mintBundle(w, { entries: [{ checkpoint: { cosigners: [cosigner, cosigner] } }] }),
      expectations: { witnessPolicy: twoOfThree(w) },
    };
  }),
  row("V10", "WITNESS_QUORUM_MISSING", "witnesses that state no time", (w) => ({
    bundle: mintBundle(w, {
      entries: [{ checkpoint: { cosigners: w.witnesses.map((each) => ({ ...each, seconds: 0 })) } }],
    }),
    expectations: { witnessPolicy: twoOfThree(w) },
  })),
  row("V10", "WITNESS_QUORUM_MISSING", "witnesses that state a time in the future", (w) => ({
    bundle: mintBundle(w, {
      entries: [
        {
          checkpoint: { cosigners: w.witnesses.map((each) => ({ ...each, seconds: w.at.getTime() / 1000 + 86_400 })) },
        },
      ],
    }),
    expectations: { witnessPolicy: twoOfThree(w) },
  })),
  row("V10", "NOTE_SIGNATURE_INVALID", "a bad line by a known witness beside good ones", (w) => {
    const [first] = w.witnesses as [(typeof w.witnesses)[number]];
    const bad = signatureLine(first.name, noteKeyHash(first.name, first.key, 4), Buffer.alloc(72, 1));
    return {
      bundle: mintBundle(w, {
        entries: [
          {
            checkpoint: {
              cosigners: w.witnesses.map((each) => ({ ...each, seconds: w.at.getTime() / 1000 })),
              lines: [bad],
            },
          },
        ],
      }),
      expectations: { witnessPolicy: twoOfThree(w) },
    };
  }),
  row("V10", "LOG_NOT_IN_POLICY", "a log that the witness policy does not list", (w) => ({
    bundle: mintBundle(w),
    expectations: {
      witnessPolicy: `log ${logKey(other)}\nquorum none\n`,
    },
  })),
];

function logKey(w: MintWorld): string {
  const id = w.log.logId.subarray(0, 4).toString("hex");
  return `${w.log.origin}+${id}+${b64(Buffer.concat([Buffer.from([1]), w.log.key.spki.subarray(-32)]))}`;
}

const times: AlteredBundle[] = [
  row("V11", "TIMESTAMP_MISSING", "no time-stamp", () => ({ timestamps: [] })),
  row("V11", "TIMESTAMP_MISSING", "the log's own time, which nobody allowed", () => ({
    profile: "v1",
    timestamps: [],
  })),
  row("V11", "TIMESTAMP_IMPRINT_MISMATCH", "a time-stamp over other bytes", () => ({
    timestamps: [{ message: Buffer.from("another signature") }],
  })),
  row("V11", "TIMESTAMP_NOT_GRANTED", "a response that says rejected", () => ({ timestamps: [{ status: 2 }] })),
  row("V11", "TIMESTAMP_NOT_GRANTED", "a granted response without a token", () => ({
    timestamps: [{ noToken: true }],
  })),
  row("V11", "TIMESTAMP_ALGORITHM_WEAK", "a time-stamp over a SHA-1 imprint", () => ({
    timestamps: [{ weakImprint: true }],
  })),
  row("V11", "TIMESTAMP_AUTHORITY_UNKNOWN", "a time-stamp of an authority that nobody trusts", () => ({
    timestamps: [{ stamper: other.stamper, bag: [other.stamper.certificate] }],
  })),
  row("V11", "TIMESTAMP_SIGNATURE_INVALID", "the time was changed after it was stamped", () => ({
    timestamps: [
      { contentAfter: (content) => Buffer.from(content.toString("latin1").replace("20260601", "20260602"), "latin1") },
    ],
  })),
  row("V11", "TIMESTAMP_SIGNATURE_INVALID", "another key signed in the authority's name", (w) => ({
    timestamps: [{ stamper: { ...w.stamper, key: mintKey() } }],
  })),
  row("V11", "TIMESTAMP_CERTIFICATE_MISMATCH", "the bag holds another certificate than the signer's", (w) => ({
    timestamps: [{ bag: [mintStamper(w.stamperRoot).certificate] }],
  })),
  row(
    "V11",
    "TIMESTAMP_CERTIFICATE_MISMATCH",
    "the bag holds an impostor of issuer and serial beside the signer",
    (w) => ({
      timestamps: [
        { bag: [w.stamper.certificate, mintStamper(w.stamperRoot, { serial: w.stamper.serial }).certificate] },
      ],
    }),
  ),
  row("V11", "TIMESTAMP_CERTIFICATE_MISMATCH", "the token names another certificate", (w) => ({
    timestamps: [{ named: mintStamper(w.stamperRoot).certificate }],
  })),
  row("V11", "TIMESTAMP_CERTIFICATE_MISMATCH", "the token names no certificate", () => ({
    timestamps: [{ named: null }],
  })),
  row("V11", "TIMESTAMP_USAGE_MISSING", "the stamp's signer has no extended key usage", (w) =>
    stampedBy(w, mintStamper(w.stamperRoot, { extendedKeyUsage: null })),
  ),
  row("V11", "TIMESTAMP_USAGE_REFUSED", "the stamp's signer is for code signing", (w) =>
    stampedBy(w, mintStamper(w.stamperRoot, { extendedKeyUsage: [usages.codeSigning] })),
  ),
  row("V11", "TIMESTAMP_USAGE_REFUSED", "the stamp's signer is for code signing as well", (w) =>
    stampedBy(w, mintStamper(w.stamperRoot, { extendedKeyUsage: [usages.timeStamping, usages.codeSigning] })),
  ),
  row("V11", "TIMESTAMP_USAGE_REFUSED", "time stamping is not marked critical", (w) =>
    stampedBy(w, mintStamper(w.stamperRoot, { usageCritical: false })),
  ),
  row("V11", "TIMESTAMP_OUTSIDE_VALIDITY", "the stamp's signer had expired", (w) =>
    stampedBy(w, mintStamper(w.stamperRoot, { notAfter: later(-1000) })),
  ),
  row("V11", "TIMESTAMP_OUTSIDE_VALIDITY", "the stamp's authority was no longer trusted", (w) => ({
    bundle: mintBundle(w),
    root: (root) => {
      for (const authority of root.timestampAuthorities) authority.validFor.end = later(-1000).toISOString();
    },
  })),
  row("V11", "TIMESTAMP_MALFORMED", "a time-stamp with trailing bytes", () =>
    edited((b) => {
      const stamp = b.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0];
      stamp.signedTimestamp = b64(Buffer.concat([Buffer.from(stamp.signedTimestamp, "base64"), integer(1)]));
    }),
  ),
  row("V11", "TIMESTAMP_MALFORMED", "a time-stamp that is no ASN.1", () =>
    edited((b) => {
      b.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp = b64(
        asn1(0x0c, Buffer.from("now")),
      );
    }),
  ),
  row("V11", "TIMESTAMP_THRESHOLD", "one authority stamped twice, where two operators are asked for", (w) => ({
    bundle: mintBundle(w, { timestamps: [{}, {}] }),
    expectations: { timestampThreshold: 2 },
  })),
];

function stampedBy(w: MintWorld, stamper: ReturnType<typeof mintStamper>): Made {
  return {
    bundle: mintBundle(w, { timestamps: [{ stamper }] }),
    root: (root) => {
      for (const authority of root.timestampAuthorities) {
        authority.certChain.certificates[0] = { rawBytes: b64(stamper.certificate) };
      }
    },
  };
}

/** Every altered bundle. */
export const corpus: readonly AlteredBundle[] = [
  ...documents,
  ...contents,
  ...paths,
  ...identities,
  ...keys,
  ...logs,
  ...checkpoints,
  ...times,
];
