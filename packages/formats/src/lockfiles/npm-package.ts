import { genericPackageUrl, gitPackageUrl, npmPackageUrl } from "../package-url-ecosystems.ts";
import { checkArchiveAddress, gitAddress, isGitAddress, localPath, webAddress } from "./addresses.ts";
import { integrityDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import type { LockedFrom, LockedPackage } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { NpmNode } from "./npm-tree.ts";
import { flag, list, type Members, optionalText, text } from "./shape.ts";
import { describeLoosely } from "./tolerance.ts";

type Origin = Pick<LockedPackage, "name" | "version" | "purl" | "alias" | "from" | "digests">;

/** All that an entry itself says. */
type Description = Origin & Pick<LockedPackage, "platform" | "installScripts" | "licence" | "scope">;

/** `bundler` is the place of the package whose archive holds it, `linkName` the name by which it is linked. */
export function describeNode(
  node: NpmNode,
  bundler: string | undefined,
  linkName: string | undefined,
  isAddress: boolean,
): Description {
  const { entry, place } = node;
  return {
    ...originOf(node, bundler, linkName, isAddress),
    ...platformOf(node),
    ...(flag(entry["hasInstallScript"], place) && { installScripts: true }),
    ...licenceOf(entry),
    scope: scopeOf(entry, place),
  };
}

/** Of an entry with something wrong in it, what is not. */
export function describeNodeLoosely({ place, name, entry }: NpmNode): Description | undefined {
  const stated = typeof entry["name"] === "string" ? entry["name"] : undefined;
  const own = name ?? place.replace(/^.*\//, "");
  const found = describeLoosely({
    ecosystem: "npm",
    name: stated ?? own,
    alias: own,
    version: entry["version"],
    address: entry["resolved"],
    integrity: entry["integrity"],
  });
  const is = (flag: string): boolean => entry[flag] === true;
  const scope = is("dev") ? "development" : is("optional") || is("devOptional") ? "optional" : "runtime";
  return found === undefined ? undefined : { ...found, ...licenceOf(entry), scope };
}

export function isLink({ entry, place }: Pick<NpmNode, "entry" | "place">): boolean {
  return flag(entry["link"], place);
}

/** The directory that a link leads to. @throws LOCKFILE_PATH */
export function linkTarget({ entry, place }: Pick<NpmNode, "entry" | "place">): string {
  const target = localPath(text(entry["resolved"], `${place}.resolved`).replace(/^file:/, ""), place);
  return target === "." ? "" : target;
}

function originOf(
  { place, name: own, entry }: NpmNode,
  bundler: string | undefined,
  linkName: string | undefined,
  isAddress: boolean,
): Origin {
  const stated = optionalText(entry["name"], `${place}.name`);
  const name = checkName("npm", stated ?? own ?? linkName ?? (place.replace(/^.*\//, "") || "project"), place);
  const alias = own !== undefined && own !== name ? { alias: own } : {};
  const written = optionalText(entry["version"], `${place}.version`) ?? "";
  const resolved = optionalText(entry["resolved"], `${place}.resolved`);
  const integrity = optionalText(entry["integrity"], `${place}.integrity`);
  const digests = integrity === undefined ? [] : integrityDigests(integrity, place);
  if (own === undefined || flag(entry["link"], place)) {
    const path = own === undefined ? localPath(place, place) : localPath((resolved ?? "").replace(/^file:/, ""), place);
    const version = written === "" ? "" : checkVersion("npm", written, place);
    return { name, version, ...alias, from: { kind: "local", path }, digests: [] };
  }
  const isGit = resolved !== undefined && isGitAddress(resolved);
  // A manifest at a commit, or in an archive of the project, may have no version.
  const mayLack = written === "" && (isGit || resolved?.startsWith("file:"));
  const version = mayLack ? "" : checkVersion("npm", written, place);
  const named = { name, version, ...alias, digests };
  if (bundler !== undefined) {
    return { ...named, purl: npmPackageUrl(name, version), from: { kind: "bundled", within: bundler } };
  }
  if (resolved?.startsWith("file:")) {
    return { ...named, from: { kind: "local", path: localPath(resolved.slice(5), place) } };
  }
  if (isGit) {
    const hash = resolved.lastIndexOf("#");
    const from = gitAddress(resolved.slice(0, hash < 0 ? undefined : hash), resolved.slice(hash + 1), place);
    // What npm notes there is the digest of an archive that it packs itself.
    return { ...named, purl: gitPackageUrl(from.url, from.commit, name), from, digests: [] };
  }
  const from = fetchedFrom(resolved, isAddress, place);
  if (from.kind === "registry" && from.url !== undefined) checkArchiveAddress(from.url, name, version, place);
  if (digests.length === 0 && !fitsNoSystem(entry)) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${place}: expected a member integrity, found none`);
  }
  const purl =
    from.kind === "url"
      ? genericPackageUrl(name.replace(/^.*\//, ""), { version, url: from.url })
      : npmPackageUrl(name, version);
  return { ...named, purl, from };
}

function fetchedFrom(
  resolved: string | undefined,
  isAddress: boolean,
  where: string,
): LockedFrom & { kind: "registry" | "url" } {
  if (resolved === undefined) return { kind: "registry" };
  const { url } = webAddress(resolved, where);
  return { kind: isAddress ? "url" : "registry", url };
}

const systems = new Set("aix android cygwin darwin freebsd haiku linux netbsd openbsd sunos win32".split(" "));

/** An optional package for systems that do not exist is never fetched; projects cut platforms off that way. */
function fitsNoSystem(entry: Members): boolean {
  const os = [entry["os"] ?? []].flat();
  const fits = (one: unknown): boolean => typeof one !== "string" || systems.has(one.replace(/^!/, ""));
  return entry["optional"] === true && os.length > 0 && !os.some(fits);
}

function scopeOf(entry: Members, place: string): LockedPackage["scope"] {
  if (flag(entry["dev"], place)) return "development";
  if (flag(entry["optional"], place) || flag(entry["devOptional"], place)) return "optional";
  return flag(entry["peer"], place) ? "peer" : "runtime";
}

/** Old manifests have an object there, or a list; npm repeats what it finds. */
export function licenceOf(entry: Members): { readonly licence?: string } {
  const licence = entry["license"];
  return typeof licence === "string" && licence !== "" ? { licence } : {};
}

function platformOf({ place, entry }: NpmNode): Pick<LockedPackage, "platform"> {
  const words = (key: string) => {
    const value = entry[key];
    return typeof value === "string" ? [value] : list(value, place).map((item) => text(item, place));
  };
  const os = words("os");
  const cpu = words("cpu");
  const libc = words("libc");
  if (os.length + cpu.length + libc.length === 0) return {};
  return {
    platform: { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) },
  };
}
