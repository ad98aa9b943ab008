import { malformed, type RpmHeader, rpmTag } from "./header.ts";

/** One installed package as its header says. */
export interface RpmPackage {
  readonly name: string;
  /** `VERSION-RELEASE`. */
  readonly version: string;
  readonly epoch?: number;
  readonly architecture?: string;
  readonly vendor?: string;
  readonly packager?: string;
  readonly licence?: string;
  readonly summary?: string;
  readonly homepage?: string;
  readonly source?: { readonly name: string; readonly version: string };
  /** `NAME:STREAM:VERSION:CONTEXT` of the module that it belongs to. */
  readonly modularity?: string;
  /** Absolute paths of its files and links; no directories, and none of those that it does not bring itself. */
  readonly files: readonly string[];
  readonly provides: readonly string[];
  readonly requires: readonly string[];
}

const [ghost, rpmlib] = [1 << 6, 1 << 24];
const [kindOfFile, directory] = [0xf000, 0x4000];
const longestPath = 4096;
const longestWord = 512;

/**
 * Reads a package; undefined for the public keys that databases hold beside packages.
 * @throws SBOM_RPM_HEADER_MALFORMED
 */
export function readRpmPackage(header: RpmHeader): RpmPackage | undefined {
  const name = word(header, rpmTag.name, true);
  const [version, release] = [word(header, rpmTag.version, true), word(header, rpmTag.release, true)];
  if (name === "gpg-pubkey") return undefined;
  const epoch = header.number(rpmTag.epoch);
  const whole = `${version}-${release}`;
  const sourceFile = word(header, rpmTag.sourcePackage);
  return present({
    name,
    version: whole,
    epoch,
    architecture: word(header, rpmTag.architecture),
    vendor: line(header, rpmTag.vendor),
    packager: line(header, rpmTag.packager),
    licence: line(header, rpmTag.licence),
    summary: line(header, rpmTag.summary),
    homepage: line(header, rpmTag.url),
    source: sourceFile === undefined ? undefined : sourceOf(sourceFile, whole, epoch),
    modularity: word(header, rpmTag.modularity),
    files: filesOf(header),
    provides: header.texts(rpmTag.provides),
    requires: requiredNames(header),
  });
}

/** `[EPOCH:]VERSION-RELEASE`, as advisories of these distributions have it. */
export function fullVersion(version: string, epoch: number | undefined): string {
  return epoch === undefined ? version : `${epoch}:${version}`;
}

/** `NAME-VERSION-RELEASE.src.rpm`: it has no epoch, but packages of the same version have that of their source. */
export function sourceOf(file: string, version: string, epoch: number | undefined): RpmPackage["source"] {
  const [, name, found] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file) ?? [];
  if (name === undefined || found === undefined) return undefined;
  return { name, version: fullVersion(found, found === version ? epoch : undefined) };
}

function filesOf(header: RpmHeader): readonly string[] {
  const names = header.texts(rpmTag.baseNames);
  const directories = header.texts(rpmTag.directoryNames);
  const indexes = header.numbers(rpmTag.directoryIndexes);
  const modes = header.numbers(rpmTag.fileModes);
  const flags = header.numbers(rpmTag.fileFlags);
  if (indexes.length !== names.length) throw malformed("expected a directory for each file");
  const files: string[] = [];
  for (const [index, name] of names.entries()) {
    const parent = directories[indexes[index] ?? -1];
    if (parent === undefined) throw malformed("expected a directory for each file");
    if (((modes[index] ?? 0) & kindOfFile) === directory || ((flags[index] ?? 0) & ghost) !== 0) continue;
    const path = parent + name;
    if (path.length > longestPath) throw malformed(`expected paths of at most ${longestPath} bytes`);
    if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) throw malformed("expected paths that do not climb");
    files.push(path);
  }
  return files;
}

/** What rpm itself must be able to do is no package, and conditions on several packages are not evaluated. */
function requiredNames(header: RpmHeader): readonly string[] {
  const names = header.texts(rpmTag.requires);
  const flags = header.numbers(rpmTag.requireFlags);
  return [...new Set(names.filter((name, index) => ((flags[index] ?? 0) & rpmlib) === 0 && !name.startsWith("(")))];
}

function word(header: RpmHeader, tag: number, isNeeded: true): string;
function word(header: RpmHeader, tag: number): string | undefined;
function word(header: RpmHeader, tag: number, isNeeded = false): string | undefined {
  const text = header.text(tag);
  if (text === undefined && !isNeeded) return undefined;
  if (text === undefined || !/^[^\s\u0000-\u001f\u007f\ufffd]+$/.test(text) || text.length > longestWord) {
    throw malformed(`expected a word at tag ${tag}`);
  }
  return text;
}

function line(header: RpmHeader, tag: number): string | undefined {
  const text = header.text(tag)?.slice(0, 2000).trim();
  return text === undefined || text === "" || text === "(none)" ? undefined : text;
}

/** Members that are not undefined. */
function present<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
