import { isFactoryError, sha256 } from "@touchmark/core";
import type { LicenceFact } from "@touchmark/formats/sbom";
import { readZipEntry, type ZipSource } from "@touchmark/formats/zip";
import { detectLicences } from "../../licences/index.ts";
import type { ArchiveNode } from "./archive-tree.ts";

const largest = 1024 * 1024;
/** Texts of one archive that are read, and answers that are kept: most archives carry one of the same few. */
const mostTexts = 4;
const mostKnown = 1000;

/** Reads the licence texts of archives, each text once. */
export class ArchiveLicences {
  readonly #known = new Map<string, readonly LicenceFact[]>();

  /** What the texts in an archive say; those that cannot be read say nothing. */
  of(node: ArchiveNode, source: ZipSource): readonly LicenceFact[] {
    return (node.facts?.licenceTexts ?? []).slice(0, mostTexts).flatMap((entry) => {
      try {
        const path = `${node.path}!/${entry.name}`;
        return this.#facts(readZipEntry(source, entry, largest)).map((fact) => ({ ...fact, path }));
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        return [];
      }
    });
  }

  #facts(text: Uint8Array): readonly LicenceFact[] {
    const digest = sha256(text);
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const found = detectLicences(Buffer.from(text).toString("utf8"));
    if (this.#known.size < mostKnown) this.#known.set(digest, found);
    return found;
  }
}
