/** Formats that are written, and read. */
export const sbomFormats = [
  "cyclonedx-json",
  "cyclonedx-1.7-json",
  "cyclonedx-xml",
  "spdx-json",
  "spdx-tag-value",
  "spdx-3-json",
  "touchmark-json",
] as const;

/** Name of a format: CycloneDX 1.6 unless it says 1.7, SPDX 2.3 unless it says 3 (3.0.1). */
export type SbomFormat = (typeof sbomFormats)[number];

/** Media type of each format, as registered or as its specification says. */
export const sbomMediaTypes: Readonly<Record<SbomFormat, string>> = {
  "cyclonedx-json": "application/vnd.cyclonedx+json; version=1.6",
  "cyclonedx-1.7-json": "application/vnd.cyclonedx+json; version=1.7",
  "cyclonedx-xml": "application/vnd.cyclonedx+xml; version=1.6",
  "spdx-json": "application/spdx+json; version=2.3",
  "spdx-tag-value": "text/spdx; version=2.3",
  "spdx-3-json": "application/spdx+json; version=3.0.1",
  "touchmark-json": "application/vnd.touchmark.sbom+json; version=1",
};

/** True for the name of a format. */
export function isSbomFormat(name: string): name is SbomFormat {
  return (sbomFormats as readonly string[]).includes(name);
}
