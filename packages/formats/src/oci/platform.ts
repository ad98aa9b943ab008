import type { Json } from "@touchmark/core";
import { ociErrors } from "./errors.ts";
import { OciMembers } from "./members.ts";
import type { Descriptor, ImageConfig, ImageIndex, Platform } from "./types.ts";

const members = ["architecture", "os", "variant", "os.version", "os.features"];
const word = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

/** `os/architecture[/variant]`, as clients spell it. */
export function platformText(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined || variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Reads `os/architecture[/variant]`. @throws OCI_PLATFORM_MALFORMED */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  const [os, architecture, variant] = parts;
  if (os === undefined || architecture === undefined || parts.length > 3 || !parts.every((part) => word.test(part))) {
    throw ociErrors.make(
      "OCI_PLATFORM_MALFORMED",
      `expected os/architecture[/variant], found ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

/** Reads the platform of a descriptor. @throws OCI_DESCRIPTOR_MALFORMED */
export function readPlatform(value: Json, path: string): Platform {
  const found = new OciMembers(value, path, "OCI_DESCRIPTOR_MALFORMED", members);
  const variant = found.optionalString("variant");
  const version = found.optionalString("os.version");
  const features = found.optionalStrings("os.features");
  return {
    architecture: found.string("architecture"),
    os: found.string("os"),
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version }),
    ...(features === undefined ? {} : { "os.features": features }),
  };
}

/** The variant that an architecture has when none is named, as clients take it. */
const plainVariants: Readonly<Record<string, string>> = { arm64: "v8", arm: "v7", amd64: "v1" };

/** True when content for `offered` is what who asks for `wanted` means. A variant that is not asked for may be any. */
export function platformMatches(offered: Platform, wanted: Platform): boolean {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return false;
  if (wanted["os.version"] !== undefined && offered["os.version"] !== wanted["os.version"]) return false;
  if (wanted.variant === undefined || wanted.variant === "") return true;
  const plain = plainVariants[offered.architecture];
  return (offered.variant || plain) === wanted.variant;
}

/**
 * The first manifest of an index for a platform; the plain variant before others when none is asked for.
 * @throws OCI_PLATFORM_MISSING
 */
export function choosePlatform(index: ImageIndex, platform: Platform): Descriptor {
  const fitting = index.manifests.filter(
    (one) => one.platform !== undefined && platformMatches(one.platform, platform),
  );
  const plain = plainVariants[platform.architecture];
  const chosen = fitting.find((one) => (one.platform?.variant || plain) === (platform.variant || plain)) ?? fitting[0];
  if (chosen === undefined) {
    const offered = index.manifests.flatMap((one) => (one.platform === undefined ? [] : [platformText(one.platform)]));
    throw ociErrors.make(
      "OCI_PLATFORM_MISSING",
      `expected a manifest for ${platformText(platform)}, found ${offered.slice(0, 20).join(", ") || "none with a platform"}`,
    );
  }
  return chosen;
}

/** Refuses an image configuration for another platform than its manifest was chosen for. @throws OCI_CONFIG_PLATFORM */
export function checkConfigPlatform(config: ImageConfig, platform: Platform): void {
  const { os, architecture, variant } = config;
  const offered: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const known = { ...platform };
  // Old builders name the variant in the index alone.
  if (variant === undefined) delete known.variant;
  delete known["os.version"];
  if (!platformMatches(offered, known)) {
    throw ociErrors.make(
      "OCI_CONFIG_PLATFORM",
      `expected an image for ${platformText(platform)}, found a configuration for ${platformText(offered)}`,
    );
  }
}
