import { type Digest, digestHex } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import { platformText } from "@touchmark/formats/oci";
import { imageReferenceText } from "@touchmark/formats/pipeline";
import {
  type ImageAssembly,
  type Predecessor,
  type Resource,
  statementOf,
  subjectOf,
  type WorkerImages,
} from "@touchmark/formats/predicates";
import type { ScannedImage } from "../analysis/scan-images.ts";
import { severityCounts } from "../analysis/severity-counts.ts";
import type { RunImages } from "../images/run-images.ts";
import { chainOf, type RunFacts } from "./run-facts.ts";

/** The images of a run, who vouches for them, and what let them in. Signed before the first step. */
export function workerImagesStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  images: RunImages,
  scans: ReadonlyMap<Digest, ScannedImage>,
): Statement<unknown> {
  const rows = images.admitted.map((image) => {
    const { wanted, digest, manifest, vouchers, ancestry, insecure } = image;
    const files = wanted.use === "step" ? images.unpacked.get(manifest)?.listing : undefined;
    return {
      reference: imageReferenceText(wanted.reference),
      ...{ digest, manifest, platform: platformText(wanted.platform) },
      use: wanted.use,
      users: [...wanted.users],
      pinned: wanted.reference.digest !== undefined,
      ...(files === undefined ? {} : { files }),
      ...{ vouchers: [...vouchers], ancestry: [...ancestry], insecure },
      ...scanRow(scans.get(manifest)),
    };
  });
  const subjects = new Map(
    rows.map((row) => [`${row.reference} ${row.manifest}`, subjectOf(row.reference, row.manifest)]),
  );
  return statementOf("worker-images", [...subjects.values()], { ...chainOf(facts, predecessors), images: rows });
}

function scanRow(scan: ScannedImage | undefined): Pick<WorkerImages["images"][number], "scan" | "scanned"> {
  if (scan === undefined) return { scan: "none" };
  const { result, gate, sbom, refusal } = scan;
  const { advisories } = result;
  return {
    scan: gate.verdict,
    scanned: {
      sbom,
      components: result.sbom.components.length,
      vulnerabilities:
        advisories === undefined
          ? { evaluated: false, reason: "no advisory source is configured" }
          : { evaluated: true, database: advisories.digest as Digest, counts: severityCounts(result.findings) },
      ...(refusal === undefined ? {} : { message: refusal.message.slice(0, 16_000) }),
    },
  };
}

/** Of what an image artifact was put together. */
export function imageStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  assembly: Omit<ImageAssembly, "run" | "createdAt" | "predecessors">,
): Statement<unknown> {
  return statementOf("image", [subjectOf(assembly.artifact, assembly.digest)], {
    ...chainOf(facts, predecessors),
    ...assembly,
  });
}

/** The images that some steps ran in, or an artifact stands on, as resolved dependencies. */
export function imageResources(images: RunImages | undefined, users: ReadonlySet<string>): readonly Resource[] {
  return (images?.admitted ?? [])
    .filter(({ wanted }) => wanted.users.some((user) => users.has(`${wanted.use}/${user}`)))
    .map(({ wanted, manifest, insecure }) => ({
      name: `image/${imageReferenceText(wanted.reference)}`,
      uri: `oci:${imageReferenceText({ ...wanted.reference, digest: manifest })}`,
      digest: { sha256: digestHex(manifest) },
      annotations: { use: wanted.use, ...(insecure ? { insecure: true } : {}) },
    }));
}
