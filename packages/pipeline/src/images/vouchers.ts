import { buffer } from "node:stream/consumers";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import {
  type Descriptor,
  type ImageManifest,
  manifestKind,
  type OciReader,
  parseManifest,
} from "@touchmark/formats/oci";
import { predicateType, type WorkerImages } from "@touchmark/formats/predicates";
import { readTrustRoot, verifyBundle, verifyNotationSignature, verifySimpleSignature } from "@touchmark/verify";
import type { ImageTrustRule } from "./images-configuration.ts";

/** Whose word lets an image in. */
export type Voucher = WorkerImages["images"][number]["vouchers"][number];

/** Sigstore bundles about a manifest, wherever it lies; bounded, and nothing of them verified. */
export type FindBundles = (
  reader: OciReader,
  digest: Digest,
) => AsyncIterable<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>;

/** What was found, and why what was found besides did not count. */
export interface Vouched {
  readonly vouchers: readonly Voucher[];
  readonly refused: readonly string[];
}

const notationType = "application/vnd.cncf.notary.signature";
const simpleType = "application/vnd.dev.cosign.simplesigning.v1+json";
const simpleSignature = "dev.cosignproject.cosign/signature";
/**
 * Statements that say that an image is what its signer made or stands by. Any other of the same signer, such as a verdict
 * about the image, may speak against it, and lets nothing in by itself.
 */
const signatures: ReadonlySet<string> = new Set([
  "https://sigstore.dev/cosign/sign/v1",
  "https://slsa.dev/provenance/v0.2",
  "https://slsa.dev/provenance/v1",
  predicateType("image"),
]);
const maxSignatures = 100;
const maxSignatureBytes = 1024 * 1024;

/** The signatures of an image that the user's rules name keys for. A rule whose attestations are not all there gives none. */
export async function vouchersByRules(
  reader: OciReader,
  image: Digest,
  rules: readonly ImageTrustRule[],
  find: FindBundles,
  now: Date,
): Promise<Vouched> {
  const vouchers: Voucher[] = [];
  const refused: string[] = [];
  for (const rule of rules) {
    const found = await signaturesOf(reader, image, rule, find, now);
    refused.push(...found.refused);
    const attested = await attestationsOf(reader, image, rule, find);
    refused.push(...attested.refused);
    const lacking = rule.attestations.filter(
      (type) => !attested.vouchers.some((voucher) => voucher.predicateType === type),
    );
    if (lacking.length > 0) refused.push(`${rule.match}: no trusted attestation of ${lacking.join(", ")}`);
    else if (found.vouchers.length > 0) vouchers.push(...found.vouchers, ...attested.vouchers);
  }
  const distinct = new Map(vouchers.map((voucher) => [JSON.stringify(voucher), voucher]));
  return { vouchers: [...distinct.values()], refused };
}

async function signaturesOf(
  reader: OciReader,
  image: Digest,
  rule: ImageTrustRule,
  find: FindBundles,
  now: Date,
): Promise<Vouched> {
  if (rule.format === "sigstore") return bundlesOf(reader, image, rule, find, (type) => signatures.has(type));
  const vouchers: Voucher[] = [];
  const refused: string[] = [];
  const candidates = rule.format === "cosign" ? simpleSignatures(reader, image) : notationSignatures(reader, image);
  try {
    for await (const verify of candidates) {
      try {
        const { identity } = verify(rule, now);
        vouchers.push({ by: rule.format, identity });
      } catch (error) {
        refused.push(`${rule.match}: ${reason(error)}`);
      }
    }
  } catch (error) {
    refused.push(`${rule.match}: ${reason(error)}`);
  }
  return { vouchers, refused };
}

/** Attestations count by keys and identities of a sigstore rule alone: the other forms sign images and nothing else. */
function attestationsOf(reader: OciReader, image: Digest, rule: ImageTrustRule, find: FindBundles): Promise<Vouched> {
  if (rule.attestations.length === 0 || rule.format !== "sigstore") {
    return Promise.resolve({ vouchers: [], refused: [] });
  }
  return bundlesOf(reader, image, rule, find, (type) => rule.attestations.includes(type));
}

async function bundlesOf(
  reader: OciReader,
  image: Digest,
  rule: ImageTrustRule,
  find: FindBundles,
  wanted: (predicateType: string) => boolean,
): Promise<Vouched> {
  const vouchers: Voucher[] = [];
  const refused: string[] = [];
  const trustRoot = readTrustRoot(rule.trustRoot ?? new Uint8Array());
  const signers =
    rule.keys.length > 0
      ? rule.keys.map((key) => ({ key }))
      : [{ identity: rule.identity ?? "", issuer: rule.issuer ?? "" }];
  for await (const { bytes } of find(reader, image)) {
    for (const signer of signers) {
      try {
        const { statement, signer: by } = verifyBundle(bytes, trustRoot, { artifact: image, ...signer });
        if (!wanted(statement.predicateType)) continue;
        const identity = by.kind === "certificate" ? by.identity : "key" in signer ? sha256(signer.key) : "key";
        vouchers.push({ by: "sigstore", identity, predicateType: statement.predicateType, bundle: sha256(bytes) });
      } catch (error) {
        refused.push(`${rule.match}: ${reason(error)}`);
      }
    }
  }
  return { vouchers, refused };
}

type Candidate = (rule: ImageTrustRule, now: Date) => { readonly identity: Digest };

/** Layers of the image under the tag `sha256-DIGEST.sig`. A registry without the tag has none. */
async function* simpleSignatures(reader: OciReader, image: Digest): AsyncIterable<Candidate> {
  let found: ImageManifest;
  try {
    const { bytes, descriptor } = await reader.manifest(`${image.replace(":", "-")}.sig`);
    const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
    if (manifest.kind !== "manifest") return;
    found = manifest;
  } catch (error) {
    if (isFactoryError(error) && /_(?:MISSING|UNKNOWN|NOT_FOUND)$/.test(error.code)) return;
    throw error;
  }
  for (const layer of found.layers.filter((each) => each.mediaType === simpleType).slice(0, maxSignatures)) {
    const payload = await read(reader, layer);
    const signature = layer.annotations?.[simpleSignature] ?? "";
    yield (rule) => verifySimpleSignature({ payload, signature }, image, rule.keys);
  }
}

async function* notationSignatures(reader: OciReader, image: Digest): AsyncIterable<Candidate> {
  let seen = 0;
  for await (const descriptor of reader.referrers(image)) {
    if (descriptor.artifactType !== notationType || manifestKind(descriptor.mediaType) !== "manifest") continue;
    if (++seen > maxSignatures) return;
    const { bytes } = await reader.manifest(descriptor.digest);
    const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
    if (manifest.kind !== "manifest" || manifest.subject?.digest !== image) continue;
    const [layer] = manifest.layers;
    if (layer?.mediaType !== "application/jose+json") continue;
    const envelope = await read(reader, layer);
    yield (rule, now) => verifyNotationSignature(envelope, image, rule.keys, now);
  }
}

async function read(reader: OciReader, descriptor: Descriptor): Promise<Uint8Array> {
  if (descriptor.size > maxSignatureBytes) return new Uint8Array();
  return buffer(reader.blob(descriptor));
}

function reason(error: unknown): string {
  if (isFactoryError(error)) return `${error.code}: ${error.message}`;
  throw error;
}
