import { buffer } from "node:stream/consumers";
import { type Digest, isFactoryError } from "@touchmark/core";
import {
  checkConfigPlatform,
  choosePlatform,
  type OciReader,
  type Platform,
  parseImageConfig,
  parseManifest,
  platformText,
} from "@touchmark/formats/oci";
import { type ImageReference, imageReferenceText } from "@touchmark/formats/pipeline";
import { builderId } from "@touchmark/identity";
import type { Factory } from "../factory.ts";
import type { ArtifactVerdict } from "../verify-artifact.ts";
import { type Ancestor, ancestryOf } from "./ancestry.ts";
import { runImageErrors } from "./errors.ts";
import { type ImagesConfiguration, rulesFor } from "./images-configuration.ts";
import { type FindBundles, type Voucher, vouchersByRules } from "./vouchers.ts";

/** An image that a run wants, looked up once. */
export interface WantedImage {
  readonly reference: ImageReference;
  readonly use: "step" | "base";
  /** Steps that run in it, or artifacts that stand on it. */
  readonly users: readonly string[];
  readonly platform: Platform;
  /** The pipeline says to take it although nobody vouches for it. */
  readonly insecure: boolean;
}

/** An image that was let in, or taken as an insecure option asked. */
export interface AdmittedImage {
  readonly wanted: WantedImage;
  readonly reader: OciReader;
  /** What the name meant. */
  readonly digest: Digest;
  /** Manifest for the platform. */
  readonly manifest: Digest;
  readonly vouchers: readonly Voucher[];
  readonly ancestry: readonly Ancestor[];
  readonly insecure: boolean;
}

/** What images are judged by. */
export interface ImageJudge {
  readonly factory: Factory;
  readonly configuration: ImagesConfiguration;
  readonly find: FindBundles;
  /** Verifies this factory's own evidence about a digest; for one admission of images, each once. */
  readonly verify: (digest: Digest) => Promise<ArtifactVerdict>;
  /** The caller allows images that nobody vouches for. */
  readonly insecureAllowed: boolean;
}

/**
 * Looks an image up, once, and judges it: this factory built it and its chain verifies, or a signature that the user's
 * rules name vouches for it (RA-PIPE-04, RA-BIMG-01).
 * @throws STEP_IMAGE_* and what the reader throws
 */
export async function admitImage(judge: ImageJudge, wanted: WantedImage, reader: OciReader): Promise<AdmittedImage> {
  const { reference, platform } = wanted;
  const name = imageReferenceText(reference);
  if (wanted.insecure && !judge.insecureAllowed) {
    throw runImageErrors.make("STEP_IMAGE_NOT_ALLOWED", `${wanted.users.join(", ")}: insecure-image: true`);
  }
  const { digest, manifest } = await lookUp(reader, reference, platform);
  const refused: string[] = [];
  const vouchers: Voucher[] = [];
  let ancestry: readonly Ancestor[] = [];
  // What this factory built counts wherever it lies: the digest is in its own, verified evidence.
  for (const each of new Set([digest, manifest])) {
    try {
      const { chain } = await judge.verify(each);
      const identity = builderId(judge.factory.names().trustDomain);
      vouchers.push({ by: "factory", identity, run: chain.run });
      ancestry = await ancestryOf(judge, each, chain);
      break;
    } catch (error) {
      if (!isFactoryError(error) || error.nature === "bug") throw error;
      if (error.code !== "EVIDENCE_MISSING")
        refused.push(`this factory's own evidence: ${error.code}: ${error.message}`);
    }
  }
  if (vouchers.length === 0) {
    const rules = rulesFor(judge.configuration, reference.registry ?? "factory", reference.repository);
    for (const each of new Set([digest, manifest])) {
      const found = await vouchersByRules(reader, each, rules, judge.find, judge.factory.clock.now());
      vouchers.push(...found.vouchers);
      refused.push(...found.refused);
    }
    if (vouchers.length > 0) ancestry = [{ digest: manifest, origin: "signed" }];
    if (rules.length === 0) refused.push("no rule of images.yaml speaks of it");
  }
  const lost = ancestry.find((each) => each.origin === "unknown");
  if (!wanted.insecure && vouchers.length === 0) {
    const why = refused.slice(0, 5).join("; ");
    throw runImageErrors.make(
      "STEP_IMAGE_UNTRUSTED",
      `${wanted.use} image ${name} of ${wanted.users.join(", ")}: ${why}`,
    );
  }
  if (!wanted.insecure && lost !== undefined) {
    throw runImageErrors.make(
      "STEP_IMAGE_ANCESTRY",
      `${name} stands on ${lost.digest ?? "an image that is not recorded"}`,
    );
  }
  return {
    ...{ wanted, reader, digest, manifest, vouchers, ancestry },
    insecure: wanted.insecure && (vouchers.length === 0 || lost !== undefined),
  };
}

/** The manifest for a platform, and that its configuration is of that platform. */
async function lookUp(
  reader: OciReader,
  reference: ImageReference,
  platform: Platform,
): Promise<{ readonly digest: Digest; readonly manifest: Digest }> {
  const { descriptor, bytes } = await reader.manifest(reference.digest ?? reference.tag ?? "latest");
  let found = { descriptor, bytes };
  let parsed = parseManifest(bytes, { mediaType: descriptor.mediaType });
  try {
    if (parsed.kind === "index") {
      found = await reader.manifest(choosePlatform(parsed, platform).digest);
      parsed = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
    }
    if (parsed.kind !== "manifest") {
      throw runImageErrors.make("STEP_IMAGE_PLATFORM", "expected an image behind an index, found another index");
    }
    const config = parseImageConfig(await buffer(reader.blob(parsed.config)), { layers: parsed.layers.length });
    checkConfigPlatform(config, platform);
  } catch (cause) {
    if (!isFactoryError(cause) || !["OCI_PLATFORM_MISSING", "OCI_CONFIG_PLATFORM"].includes(cause.code)) throw cause;
    const name = imageReferenceText(reference);
    throw runImageErrors.make("STEP_IMAGE_PLATFORM", `${name} for ${platformText(platform)}: ${cause.message}`, {
      cause,
    });
  }
  return { digest: descriptor.digest, manifest: found.descriptor.digest };
}
