import type { ScanLoss } from "@touchmark/formats/sbom";
import { readZipDirectory, readZipEntry, type ZipEntry, type ZipSource } from "@touchmark/formats/zip";
import { scanLoss } from "../scan-loss.ts";
import { type Coordinates, coordinates } from "./coordinates.ts";
import { javaErrors } from "./errors.ts";
import { readManifest } from "./manifest.ts";
import { type Pom, readPom } from "./pom.ts";
import { readProperties } from "./properties.ts";

/** Maven's own record of an artifact inside an archive. */
export interface ArchivedArtifact extends Coordinates {
  /** Path inside the archive of the record that names it. */
  readonly path: string;
  readonly pom?: Pom;
}

/** What one Java archive says of itself, without the archives in it. */
export interface ArchiveFacts {
  readonly manifest: ReadonlyMap<string, string>;
  /** Of META-INF/maven, in order of paths. Several in archives that others were unpacked into. */
  readonly artifacts: readonly ArchivedArtifact[];
  /** It holds compiled classes, or a manifest: it is a Java archive whatever its name. */
  readonly isJava: boolean;
  readonly entries: readonly ZipEntry[];
  /** Entries that are licence texts, by name. */
  readonly licenceTexts: readonly ZipEntry[];
  readonly losses: readonly ScanLoss[];
}

/** Bytes of one manifest, record or pom in an archive. */
const longestRecord = 16 * 1024 * 1024;
/** Records of Maven in one archive; large shaded ones have some hundreds. */
const mostRecords = 20_000;
const record = /^(?:(?:BOOT-INF|WEB-INF)\/classes\/)?META-INF\/maven\/([^/]+)\/([^/]+)\/(pom\.properties|pom\.xml)$/;
const licenceText = /^(?:META-INF\/)?(?:LICEN[CS]E|COPYING)(?:[-_.][\w.-]{1,40})?$/i;

interface MavenRecord {
  readonly group: string;
  readonly artifact: string;
  readonly properties?: ZipEntry;
  readonly pom?: ZipEntry;
}

/** Reads the records of an archive. @throws codes of `zipErrors` for an archive that cannot be read at all */
export function readArchive(source: ZipSource, path: string): ArchiveFacts {
  const { entries, faults } = readZipDirectory(source);
  const losses: ScanLoss[] = faults.map(({ code, message }) => ({ path, code, message }));
  const attempt = <T>(name: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      losses.push(scanLoss(`${path}!/${name}`, error));
      return undefined;
    }
  };
  const content = (entry: ZipEntry): Uint8Array => readZipEntry(source, entry, longestRecord);
  let manifest: ReadonlyMap<string, string> = new Map();
  const records = new Map<string, MavenRecord>();
  const licenceTexts: ZipEntry[] = [];
  let isJava = false;
  for (const entry of entries) {
    const { name } = entry;
    if (name.endsWith(".class")) isJava = true;
    else if (/^META-INF\/MANIFEST\.MF$/i.test(name)) {
      isJava = true;
      manifest = attempt(name, () => readManifest(content(entry), name)) ?? manifest;
    } else if (licenceText.test(name)) licenceTexts.push(entry);
    const [, group = "", artifact = "", kind] = record.exec(name) ?? [];
    if (kind === undefined) continue;
    if (records.size >= mostRecords) {
      const message = `expected at most ${mostRecords} records of Maven`;
      losses.push(scanLoss(path, javaErrors.make("SBOM_JAVA_ARCHIVE_TOO_LARGE", message)));
      break;
    }
    const part = kind === "pom.xml" ? "pom" : "properties";
    let key = `${name.startsWith("META-INF") ? "" : name[0]}${group}/${artifact}`;
    // Of two records of one name readers take different ones: both are told.
    if (records.get(key)?.[part] !== undefined) key = `${records.size} ${key}`;
    records.set(key, { group, artifact, ...records.get(key), [part]: entry });
  }
  const artifacts = [...records.values()].flatMap(({ group, artifact, properties, pom }) => {
    const stated = properties && attempt(properties.name, () => readProperties(content(properties), properties.name));
    const project = pom && attempt(pom.name, () => readPom(content(pom), pom.name));
    const at = properties?.name ?? pom?.name ?? "";
    const named = attempt(at, () => coordinatesOf({ group, artifact }, stated, project, at));
    return named === undefined ? [] : [{ ...named, path: at, ...(project !== undefined && { pom: project }) }];
  });
  artifacts.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { manifest, artifacts, isJava: isJava || artifacts.length > 0, entries, licenceTexts, losses };
}

/** pom.properties says it; where it is missing or has gaps, the pom does, and last the path of both. */
function coordinatesOf(
  place: { readonly group: string; readonly artifact: string },
  stated: ReadonlyMap<string, string> | undefined,
  pom: Pom | undefined,
  where: string,
): Coordinates {
  const plain = (text: string | undefined): string | undefined =>
    text === undefined || text.includes("${") ? undefined : text;
  const found = coordinates(
    plain(stated?.get("groupId")) ?? plain(pom?.group ?? pom?.parent?.group) ?? place.group,
    plain(stated?.get("artifactId")) ?? plain(pom?.artifact) ?? place.artifact,
    plain(stated?.get("version")) ?? plain(pom?.version ?? pom?.parent?.version),
  );
  if (found === undefined) {
    throw javaErrors.make("SBOM_JAVA_NAME", `${where}: expected group, artifact and version as Maven spells them`);
  }
  return found;
}
