import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import type { Sbom } from "@touchmark/formats/sbom";
import { builderId } from "@touchmark/identity";
import { readSbom } from "@touchmark/sbom";
import { findBundles, openIndex } from "@touchmark/store";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { pipelineErrors } from "../errors.ts";
import type { Factory } from "../factory.ts";
import { CYCLONEDX_TYPE } from "./analysis-statements.ts";

/** A signed SBOM of an artifact, verified. */
export interface StoredSbom {
  readonly bundle: Digest;
  /** SHA-256 of the document. */
  readonly digest: Digest;
  readonly sbom: Sbom;
}

/**
 * The SBOM that this factory signed for an artifact: of this subject, by the builder, verified with the factory's own
 * trust root. What others attested about the same digest does not count. @throws EVIDENCE_MISSING
 */
export async function sbomOfArtifact(factory: Factory, artifact: Digest): Promise<StoredSbom> {
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const { trustDomain, issuer } = factory.names();
  const index = await openIndex(factory.home);
  try {
    const { content, runs } = factory;
    const refused: string[] = [];
    let newest: { readonly bundle: Digest; readonly predicate: unknown; readonly logIndex: number } | undefined;
    for (const found of await findBundles({ content, runs, index }, artifact, CYCLONEDX_TYPE)) {
      try {
        const verified = verifyBundle(found.bytes, trustRoot, {
          artifact,
          identity: builderId(trustDomain),
          issuer,
          predicateType: CYCLONEDX_TYPE,
        });
        if (verified.kind !== "statement") continue;
        const logIndex = Math.max(...verified.logEntries.map((entry) => entry.logIndex));
        if (newest !== undefined && newest.logIndex >= logIndex) continue;
        newest = { bundle: found.digest, predicate: verified.statement.predicate, logIndex };
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        refused.push(error.code);
      }
    }
    if (newest !== undefined) {
      const bytes = new TextEncoder().encode(JSON.stringify(newest.predicate));
      const { sbom } = readSbom(bytes, { name: newest.bundle });
      return { bundle: newest.bundle, digest: sha256(bytes), sbom };
    }
    const others =
      refused.length === 0 ? "none" : `${refused.length} that do not count (${[...new Set(refused)].join(", ")})`;
    throw pipelineErrors.make(
      "EVIDENCE_MISSING",
      `expected a signed SBOM of ${artifact} by this factory, found ${others}`,
    );
  } finally {
    index.close();
  }
}
