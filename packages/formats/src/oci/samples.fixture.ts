import { isFactoryError, sha256 } from "@touchmark/core";
import fc from "fast-check";
import { type Descriptor, mediaTypes } from "./index.ts";

export const layer = { mediaType: mediaTypes.layerGzip, digest: sha256("abc"), size: 3 };

export const image = () => ({
  schemaVersion: 2,
  mediaType: mediaTypes.manifest as string,
  config: { mediaType: mediaTypes.config, digest: sha256("{}"), size: 2 },
  layers: [layer],
});

export const index = () => ({ schemaVersion: 2, mediaType: mediaTypes.index as string, manifests: [layer] });

export const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Code with which something is refused; a message when it is not. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return isFactoryError(error) ? error.code : `not ours: ${String(error)}`;
  }
  return "accepted";
}

const word = fc.stringMatching(/^[a-z0-9][a-z0-9.]{0,9}$/);

/** Any valid descriptor without embedded content. */
export const descriptors: fc.Arbitrary<Descriptor> = fc.record(
  {
    mediaType: fc.constantFrom(mediaTypes.layerZstd, mediaTypes.manifest, "application/x; version=0.1"),
    digest: fc.string().map(sha256),
    size: fc.maxSafeNat(),
    artifactType: fc.constant("text/plain"),
    urls: fc.array(fc.webUrl(), { maxLength: 2 }),
    annotations: fc.dictionary(word, fc.string(), { maxKeys: 3 }),
    platform: fc.record(
      { architecture: word, os: word, variant: word, "os.version": word, "os.features": fc.array(word) },
      { requiredKeys: ["architecture", "os"] },
    ),
  },
  { requiredKeys: ["mediaType", "digest", "size"] },
);
