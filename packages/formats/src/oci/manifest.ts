import type { Json } from "@touchmark/core";
import { checkMediaType, readDescriptor } from "./descriptor.ts";
import { ociErrors } from "./errors.ts";
import { mediaTypes } from "./media-types.ts";
import { OciMembers, readDocument } from "./members.ts";
import type { Descriptor, ImageIndex, ImageManifest, Manifest } from "./types.ts";

/** Largest manifest, in bytes (distribution-spec 1.1, "Pushing Manifests"). */
export const maxManifestBytes = 4 * 1024 * 1024;
/** Most layers of an image manifest, and manifests of an index. */
export const maxDescriptors = 1000;

const known = [
  ...["schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"],
  ...["fsLayers", "signatures"],
];

const kinds: Readonly<Record<string, Manifest["kind"]>> = {
  [mediaTypes.manifest]: "manifest",
  [mediaTypes.dockerManifest]: "manifest",
  [mediaTypes.index]: "index",
  [mediaTypes.dockerIndex]: "index",
};

const schema1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

/** `manifest` or `index` for a media type that is read, otherwise undefined. */
export function manifestKind(mediaType: string): Manifest["kind"] | undefined {
  return Object.hasOwn(kinds, mediaType) ? kinds[mediaType] : undefined;
}

/**
 * Reads an image manifest or index of OCI image-spec 1.1, or of Docker's schema 2. Unknown members are allowed and left out.
 * @param options.mediaType what it was sent or announced as; the body must agree
 * @throws OCI_MALFORMED | OCI_TOO_LARGE | OCI_TOO_DEEP | OCI_DUPLICATE_KEY | OCI_TOO_MANY_* | OCI_MEDIA_TYPE_* |
 *   OCI_SCHEMA_1_REFUSED | OCI_KIND_AMBIGUOUS | OCI_DESCRIPTOR_* | OCI_DIGEST_* | OCI_SIZE_INVALID | OCI_ANNOTATIONS_INVALID
 */
export function parseManifest(bytes: Uint8Array, options: { readonly mediaType?: string } = {}): Manifest {
  const document = readDocument(bytes, { maxBytes: maxManifestBytes, maxDepth: 32 });
  const found = new OciMembers(document, "manifest", "OCI_MALFORMED", known);
  const mediaType = agreedMediaType(found, options.mediaType);
  const isIndex = manifestKind(mediaType) === "index";
  const stray = (isIndex ? ["config", "layers", "fsLayers"] : ["manifests", "fsLayers"]).find((name) =>
    found.has(name),
  );
  if (stray !== undefined) {
    throw ociErrors.make("OCI_KIND_AMBIGUOUS", `expected no member ${stray} in ${mediaType}`);
  }
  const artifactType = found.optionalString("artifactType") || undefined;
  const annotations = found.optionalAnnotations("annotations");
  const subject = found.optional("subject");
  const shared = {
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType: checkMediaType(artifactType, "manifest.artifactType") }),
    ...(subject === undefined ? {} : { subject: readDescriptor(subject, "manifest.subject") }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  if (isIndex) {
    const manifests = descriptors(found, "manifests", "OCI_TOO_MANY_MANIFESTS");
    return { kind: "index", ...shared, manifests } satisfies ImageIndex;
  }
  const config = readDescriptor(found.optional("config"), "manifest.config");
  const layers = descriptors(found, "layers", "OCI_TOO_MANY_LAYERS");
  return { kind: "manifest", ...shared, config, layers } satisfies ImageManifest;
}

function descriptors(
  found: OciMembers,
  name: string,
  tooMany: "OCI_TOO_MANY_LAYERS" | "OCI_TOO_MANY_MANIFESTS",
): Descriptor[] {
  const list = found.list(name);
  if (list.length > maxDescriptors) {
    throw ociErrors.make(tooMany, `expected at most ${maxDescriptors} ${name}, found ${list.length}`);
  }
  return list.map((value, index) => readDescriptor(value, `manifest.${name}[${index}]`));
}

function agreedMediaType(found: OciMembers, announced: string | undefined): string {
  const own = found.optionalString("mediaType") || undefined;
  const version = found.optional("schemaVersion");
  if (version === 1 || [own, announced].some((type) => type !== undefined && schema1.test(type))) {
    throw ociErrors.make("OCI_SCHEMA_1_REFUSED", "expected schemaVersion 2, found a manifest of schema 1");
  }
  if (own !== undefined && announced !== undefined && own !== announced) {
    throw ociErrors.make(
      "OCI_MEDIA_TYPE_MISMATCH",
      `expected ${announced.slice(0, 120)}, found a manifest that says ${own.slice(0, 120)}`,
    );
  }
  const mediaType = own ?? announced ?? guessed(found);
  if (manifestKind(mediaType) === undefined) {
    throw ociErrors.make(
      "OCI_MEDIA_TYPE_UNSUPPORTED",
      `expected an image manifest or index, found ${JSON.stringify(mediaType.slice(0, 120))}`,
    );
  }
  if (version !== 2) {
    throw ociErrors.make("OCI_MALFORMED", `expected schemaVersion 2, found ${JSON.stringify(version)?.slice(0, 40)}`);
  }
  return mediaType;
}

/** image-spec 1.0 let manifests be silent about their type. */
function guessed(found: OciMembers): string {
  return found.has("manifests") ? mediaTypes.index : mediaTypes.manifest;
}

/** A list of referrers as a foreign registry gave it. */
export interface ReferrersPage {
  readonly descriptors: readonly Descriptor[];
  /** Entries that are no descriptors; they are left out, so that one of them cannot hide the others. */
  readonly malformed: number;
}

/**
 * Reads a response of the referrers API (distribution-spec 1.1, "Listing Referrers"), of at most 10,000 entries.
 * @throws OCI_MALFORMED | OCI_TOO_LARGE | OCI_TOO_DEEP | OCI_DUPLICATE_KEY | OCI_TOO_MANY_MANIFESTS
 */
export function parseReferrers(bytes: Uint8Array): ReferrersPage {
  const document = readDocument(bytes, { maxBytes: 8 * 1024 * 1024, maxDepth: 32 });
  const list = new OciMembers(document, "referrers", "OCI_MALFORMED", known).list("manifests");
  if (list.length > 10_000) {
    throw ociErrors.make("OCI_TOO_MANY_MANIFESTS", `expected at most 10000 referrers, found ${list.length}`);
  }
  const found = list.map(tolerated);
  const good = found.filter((one) => one !== undefined);
  return { descriptors: good, malformed: found.length - good.length };
}

function tolerated(value: Json): Descriptor | undefined {
  try {
    return readDescriptor(value, "referrer");
  } catch {
    return undefined;
  }
}
