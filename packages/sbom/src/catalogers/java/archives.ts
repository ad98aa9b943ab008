import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { ZipSource } from "@touchmark/formats/zip";
import type { Cataloger, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { archiveComponent, archiveHashes, embeddedComponent } from "./archive-components.ts";
import { type ArchiveEdges, archiveEdges, type PlacedArtifact } from "./archive-edges.ts";
import { identify } from "./archive-identity.ts";
import { ArchiveLicences } from "./archive-licences.ts";
import { isJavaArchiveName } from "./archive-name.ts";
import { type ArchiveNode, isZip, readArchiveTree } from "./archive-tree.ts";

/** Zip archives that are opened as trees, and those of other ecosystems, which their own catalogers read. */
const foreign = /\.(?:zip|whl|egg|nupkg|apk|xpi|docx|xlsx|pptx|odt|ods|odp|epub|vsix|crx|gem|crate)$/i;

/** Java archives, by name or first bytes, and the archives in them. */
export const javaArchives: Cataloger = {
  name: "java-archives",
  wants: ({ name, head, size }) =>
    size >= 22 && !foreign.test(name) && (isJavaArchiveName(name) || (head !== undefined && isZip(head))),
  catalogue(files, { signal }): Found {
    const components: FoundComponent[] = [];
    const placed: PlacedArtifact[] = [];
    const losses: ScanLoss[] = [];
    const licences = new ArchiveLicences();
    for (const file of files) {
      signal?.throwIfAborted();
      const found = readFile(file, licences);
      components.push(...found.components);
      placed.push(...found.placed);
      losses.push(...found.losses);
    }
    const { edges, roots }: ArchiveEdges = archiveEdges(placed);
    return { components, edges, roots, losses };
  },
};

function readFile(file: CollectedFile, licences: ArchiveLicences) {
  const components: FoundComponent[] = [];
  const placed: PlacedArtifact[] = [];
  const losses: ScanLoss[] = [];
  const source: ZipSource = { size: file.size, read: (offset, length) => file.read(offset, length) };
  const attempt = (path: string, make: () => FoundComponent): FoundComponent | undefined => {
    try {
      const component = make();
      components.push(component);
      return component;
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      losses.push(scanLoss(path, error));
      return undefined;
    }
  };
  const visit = (node: ArchiveNode, bytes: ZipSource): void => {
    const identity = identify(node.fileName, node.facts);
    const own =
      identity &&
      attempt(node.path, () => ({
        ...archiveComponent(file, node, identity, archiveHashes(bytes)),
        detectedLicences: licences.of(node, bytes),
      }));
    if (own !== undefined) {
      placed.push({ key: own.key, name: own.name, version: own.version, path: node.path, pom: identity?.own?.pom });
    }
    for (const artifact of node.facts?.artifacts ?? []) {
      if (artifact === identity?.own) continue;
      const embedded = attempt(`${node.path}!/${artifact.path}`, () => embeddedComponent(file, node, artifact));
      if (embedded === undefined) continue;
      const { key, name, version } = embedded;
      placed.push({ key, name, version, path: key, pom: artifact.pom });
    }
  };
  losses.unshift(...readArchiveTree(source, file.path, visit));
  return { components, placed, losses };
}
