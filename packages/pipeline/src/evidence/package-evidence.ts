import { type Digest, digestHex } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";

/** Follows the name of a package in a repository; the form of the file is read by the materials package (SPEC U8). */
export const EVIDENCE_ENDING = ".touchmark.json";

const provenanceType = "https://slsa.dev/provenance/v1";
/** Bytes of a name on common file systems. */
const longestName = 255;

/** Name of the file that brings a package's provenance along. */
export function evidenceFileName(fileName: string): string {
  const name = `${fileName}${EVIDENCE_ENDING}`;
  return Buffer.byteLength(name) > longestName ? `artifact${EVIDENCE_ENDING}` : name;
}

/**
 * The provenance of an artifact among a run's bundles, for whoever gets the artifact as a package. Nothing else of the
 * run: each bundle there must be by the builder, and steps sign their own.
 */
export function packageEvidence(bundles: readonly { readonly bytes: Uint8Array }[], artifact: Digest): Uint8Array {
  const provenance = bundles.filter(({ bytes }) => {
    const { content } = parseBundle(bytes);
    if (content.kind !== "envelope") return false;
    const { predicateType, subject } = parseStatement(content.payload);
    return predicateType === provenanceType && subject.some((each) => each.digest["sha256"] === digestHex(artifact));
  });
  const document = {
    touchmark: "evidence/v1",
    bundles: provenance.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown),
  };
  return Buffer.from(`${JSON.stringify(document)}\n`);
}
