import { createHash } from "node:crypto";
import type { ComponentHash, LicenceFact } from "@touchmark/formats/sbom";
import type { ZipSource } from "@touchmark/formats/zip";
import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclaredList } from "../../licences/index.ts";
import type { ArchivedArtifact } from "./archive.ts";
import type { ArchiveIdentity } from "./archive-identity.ts";
import type { ArchiveNode } from "./archive-tree.ts";
import { nameOf, purlOf } from "./coordinates.ts";
import type { Pom } from "./pom.ts";

/** Stable name of the rule that finds archives. */
export const archiveRule = "java-archive";

const piece = 1024 * 1024;

/** Digests that Maven's repositories publish, over the archive's bytes. */
export function archiveHashes(source: ZipSource): readonly ComponentHash[] {
  const [sha1, sha256] = [createHash("sha1"), createHash("sha256")];
  for (let at = 0; at < source.size; at += piece) {
    const bytes = source.read(at, Math.min(piece, source.size - at));
    sha1.update(bytes);
    sha256.update(bytes);
  }
  return [
    { algorithm: "sha1", value: sha1.digest("hex") },
    { algorithm: "sha256", value: sha256.digest("hex") },
  ];
}

/** The component that an archive is. @throws SBOM_JAVA_NAME */
export function archiveComponent(
  file: CollectedFile,
  node: ArchiveNode,
  identity: ArchiveIdentity,
  hashes: readonly ComponentHash[],
): FoundComponent {
  const { own, classifier, extension, evidence } = identity;
  const manifest = node.facts?.manifest ?? new Map<string, string>();
  const isPacked = /^(?:war|ear|aar|rar|par|sar|har|nar|kar|hpi|jpi)$/.test(extension);
  const isApplication =
    /^(?:war|ear|hpi|jpi)$/.test(extension) || (manifest.has("main-class") && node.children.length > 0);
  const which = { ...(classifier !== undefined && { classifier }), ...(isPacked && { type: extension }) };
  const fileVersion =
    own === undefined || !node.path.includes(identity.version) ? manifest.get("implementation-version") : undefined;
  return {
    ...described(own?.pom, manifest),
    key: node.path,
    kind: isApplication ? "application" : "library",
    name: nameOf(identity),
    version: identity.version,
    ...(identity.group !== "" && { purl: purlOf(identity, which) }),
    type: "maven",
    scope: "runtime",
    hashes,
    declaredLicences: licences(own?.pom, manifest, own === undefined ? node.path : `${node.path}!/${own.path}`),
    occurrences: [occurrence(file, node.path)],
    properties: properties([
      ["touchmark:evidence", evidence],
      ["touchmark:implementation-version", fileVersion === identity.version ? undefined : fileVersion],
      ["touchmark:unread", node.facts === undefined ? "true" : undefined],
    ]),
    ...(node.path === file.path && { owns: [file.path] }),
  };
}

/** A component whose files were unpacked into an archive of another. @throws SBOM_JAVA_NAME */
export function embeddedComponent(file: CollectedFile, node: ArchiveNode, artifact: ArchivedArtifact): FoundComponent {
  const path = `${node.path}!/${artifact.path}`;
  return {
    ...described(artifact.pom, new Map()),
    key: path,
    kind: "library",
    name: nameOf(artifact),
    version: artifact.version,
    purl: purlOf(artifact),
    type: "maven",
    scope: "runtime",
    declaredLicences: licences(artifact.pom, new Map(), path),
    occurrences: [occurrence(file, path)],
    properties: properties([
      ["touchmark:evidence", "maven-record"],
      ["touchmark:unpacked-into", node.path],
    ]),
  };
}

function occurrence({ layer }: CollectedFile, path: string) {
  return { path, rule: archiveRule, ...(layer !== undefined && { layer }) };
}

function described(
  pom: Pom | undefined,
  manifest: ReadonlyMap<string, string>,
): Pick<FoundComponent, "supplier" | "description" | "homepage"> {
  const supplier = pom?.organisation ?? manifest.get("implementation-vendor") ?? manifest.get("bundle-vendor");
  const [description, homepage] = [
    pom?.description ?? manifest.get("bundle-description"),
    pom?.url ?? manifest.get("bundle-docurl"),
  ];
  return {
    ...(isPlain(supplier) && { supplier }),
    ...(isPlain(description) && { description: description.replace(/\s+/g, " ").slice(0, 500) }),
    ...(isPlain(homepage) && /^https?:\/\//.test(homepage) && { homepage }),
  };
}

function isPlain(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text.length < 10_000 && !text.includes("${");
}

/** Of several licences in a pom the user may choose one. */
function licences(pom: Pom | undefined, manifest: ReadonlyMap<string, string>, path: string): readonly LicenceFact[] {
  if (pom !== undefined && pom.licences.length > 0) return normaliseDeclaredList(pom.licences, "any", path);
  // OSGi separates licences by commas, and attributes of each by semicolons.
  const stated = (manifest.get("bundle-license") ?? "")
    .slice(0, 2000)
    .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((clause) =>
      clause
        .replace(/;.*$/s, "")
        .replace(/^"(.*)"$/s, "$1")
        .trim(),
    )
    .filter((name) => name !== "" && name !== "<<EXTERNAL>>");
  return normaliseDeclaredList(stated.slice(0, 20), "any", path);
}

function properties(rows: readonly (readonly [string, string | undefined])[]) {
  return rows.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [{ name, value }]));
}
