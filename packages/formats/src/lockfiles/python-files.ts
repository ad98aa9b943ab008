import { pypiName } from "../package-url-types.ts";
import { webAddress } from "./addresses.ts";
import { prefixedDigest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import type { AnnouncedDigest, LockedFile } from "./locked.ts";
import { type Members, optionalText, shown } from "./shape.ts";

const nameSyntax = /^[A-Za-z0-9][A-Za-z0-9._+!~-]*$/;

/** The name of a distribution's file: one path segment that no system minds. @throws LOCKFILE_NAME */
export function fileName(name: string, where: string): string {
  if (name.length > 255 || name.includes("..") || !nameSyntax.test(name)) {
    throw lockfileErrors.make("LOCKFILE_NAME", `${where}: expected the name of a wheel or sdist, found ${shown(name)}`);
  }
  return name;
}

/**
 * Refuses a file of another package than the entry says. @throws LOCKFILE_ADDRESS
 */
export function checkFilesOf(name: string, files: readonly LockedFile[], where: string): void {
  for (const { name: file } of files) {
    // In a wheel the name ends at the first dash; in an sdist it may hold dashes itself.
    const isOfName = file.endsWith(".whl")
      ? pypiName(file.split("-", 1)[0] ?? "") === name
      : pypiName(file).startsWith(`${name}-`);
    if (!isOfName) {
      throw lockfileErrors.make("LOCKFILE_ADDRESS", `${where}: expected files of ${name}, found ${shown(file)}`);
    }
  }
}

/** Last segment of an address, decoded. @throws LOCKFILE_NAME */
export function nameInUrl(url: string, where: string): string {
  const last = url.replace(/[?#].*$/s, "").replace(/^.*\//s, "");
  try {
    return fileName(decodeURIComponent(last), where);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    return fileName(last, where);
  }
}

/** A wheel or sdist of uv.lock or pylock.toml. @throws LOCKFILE_DIGEST_MISSING | LOCKFILE_ADDRESS | LOCKFILE_NAME */
export function distribution(entry: Members, digests: readonly AnnouncedDigest[], where: string): LockedFile {
  const written = optionalText(entry["url"], where);
  const path = optionalText(entry["path"], where);
  const stated = optionalText(entry["filename"], where) ?? optionalText(entry["name"], where);
  if (digests.length === 0) {
    throw lockfileErrors.make(
      "LOCKFILE_DIGEST_MISSING",
      `${where}: expected a hash for ${shown(written ?? path ?? stated)}`,
    );
  }
  if (written === undefined) return { name: fileName(stated ?? (path ?? "").replace(/^.*\//, ""), where), digests };
  const { url } = webAddress(written, where);
  return { name: stated === undefined ? nameInUrl(url, where) : fileName(stated, where), digests, url };
}

/** `hash = "sha256:…"` as uv has it; nothing where there is none. */
export function hashMember(entry: Members, where: string): readonly AnnouncedDigest[] {
  const hash = optionalText(entry["hash"], where);
  return hash === undefined ? [] : [prefixedDigest(hash, where)];
}
