import type { ArchivedArtifact, ArchiveFacts } from "./archive.ts";
import { type ArchiveName, readArchiveName } from "./archive-name.ts";
import { coordinates } from "./coordinates.ts";
import { isNamedAfter, knownGroup, splitName, statedGroup } from "./group-names.ts";

/** What an archive is, and how that is known. */
export interface ArchiveIdentity {
  /** Empty where nothing says it. */
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly classifier?: string;
  readonly extension: string;
  /** Maven's record of it, where it has one. */
  readonly own?: ArchivedArtifact;
  /** `maven-record`, `manifest`, `file-name` or `known-artifact`: where the group comes from, else the name. */
  readonly evidence: string;
}

/** Classifiers that say how an archive was packed, not which artifact it is. */
const packings =
  /^(?:all|uber|fat|shaded|bin|exec|standalone|jar-with-dependencies|with-dependencies|full|boot|bundle)$/i;

/**
 * What an archive is. One record of Maven names it, whatever the file is called; of several, the one that the file is
 * named after: the others were unpacked into it. Without, the file's name says what it is, and the manifest more.
 * Undefined for an archive that is no program and names nothing.
 */
export function identify(fileName: string, facts: ArchiveFacts | undefined): ArchiveIdentity | undefined {
  const named = readArchiveName(fileName);
  const which = {
    ...(named.classifier !== undefined && !packings.test(named.classifier) && { classifier: named.classifier }),
    extension: named.extension,
  };
  if (facts === undefined) {
    // Cut or corrupt, but there: its name is all that is known.
    if (named.extension === "zip" || named.version === undefined) return undefined;
    return { ...which, ...fromName(named, new Map()) };
  }
  if (!facts.isJava) return undefined;
  const own = ownArtifact(fileName, named, facts);
  if (own !== undefined) {
    const version =
      own.version === "" ? (named.version ?? facts.manifest.get("implementation-version") ?? "") : own.version;
    return { ...which, group: own.group, artifact: own.artifact, version, own, evidence: "maven-record" };
  }
  if (named.extension === "zip" && facts.manifest.size === 0) return undefined;
  return { ...which, ...fromName(named, facts.manifest) };
}

function ownArtifact(fileName: string, named: ArchiveName, facts: ArchiveFacts): ArchivedArtifact | undefined {
  const candidates = facts.artifacts
    .filter(({ group, artifact }) => isNamedAfter(fileName, group, artifact))
    // An exact name first, then the longest, then the version that the file has.
    .sort(
      (one, other) =>
        Number(isExactly(other, named)) - Number(isExactly(one, named)) ||
        other.artifact.length - one.artifact.length ||
        Number(other.version === named.version) - Number(one.version === named.version),
    );
  if (candidates[0] !== undefined) return candidates[0];
  // An application packs its own record beside its libraries in archives of their own.
  const [only] = facts.artifacts;
  return facts.artifacts.length === 1 && only !== undefined && !isForeign(only, named, facts.manifest)
    ? only
    : undefined;
}

function isExactly({ group, artifact }: ArchivedArtifact, named: ArchiveName): boolean {
  return named.artifact === artifact || named.artifact === `${group}.${artifact}`;
}

/** True when the manifest names what the file is named after, and not the artifact: that was unpacked into the file. */
function isForeign(
  { artifact, version }: ArchivedArtifact,
  named: ArchiveName,
  manifest: ReadonlyMap<string, string>,
): boolean {
  const titles = ["implementation-title", "bundle-name", "bundle-symbolicname", "specification-title"];
  const says = titles.flatMap((title) => manifest.get(title)?.toLowerCase() ?? []);
  if (says.some((title) => title.includes(artifact.toLowerCase()))) return false;
  if (named.version !== undefined && named.version !== version) return true;
  return says.some((title) => title.includes(named.artifact.toLowerCase()));
}

function fromName(
  named: ArchiveName,
  manifest: ReadonlyMap<string, string>,
): Pick<ArchiveIdentity, "group" | "artifact" | "version" | "evidence"> {
  const written = ["implementation-version", "bundle-version", "specification-version"].map((key) =>
    manifest.get(key)?.replace(/\s.*$/s, ""),
  );
  const version = named.version ?? written.find((value) => value !== undefined && value !== "") ?? "";
  const split = splitName(named.artifact, manifest, version);
  const groups = [
    [split?.group, split?.artifact, "file-name"],
    [knownGroup(named.artifact, version), named.artifact, "known-artifact"],
    [statedGroup(manifest, named.artifact), named.artifact, "manifest"],
  ] as const;
  for (const [group, artifact, evidence] of groups) {
    const found = coordinates(group, artifact, version);
    if (found !== undefined) return { ...found, evidence };
  }
  return { group: "", artifact: named.artifact, version, evidence: "file-name" };
}
