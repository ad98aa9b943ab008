import { lockfileErrors } from "./errors.ts";
import type { LockedFrom } from "./locked.ts";
import { shown } from "./shape.ts";

const hostile = /[\u0000-\u0020\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\\]/;
const commitSyntax = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const gitProtocols = new Set(["https:", "http:", "ssh:", "git:"]);

/** An address of HTTP, with its fragment apart. @throws LOCKFILE_ADDRESS */
export function webAddress(written: string, where: string): { readonly url: string; readonly fragment: string } {
  const url = parse(written, where);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw wrong(where, "an http or https URL", written);
  if (url.username !== "" || url.password !== "") throw wrong(where, "an address without credentials", "one with them");
  const fragment = url.hash.slice(1);
  url.hash = "";
  return { url: url.href, fragment };
}

/**
 * Refuses an archive of another package or version than the entry says: npm and yarn install what the address serves
 * under the name of the entry. Only addresses of the usual layout, `…/NAME/-/NAME-VERSION.tgz`, say what they serve.
 * @throws LOCKFILE_ADDRESS
 */
export function checkArchiveAddress(url: string, name: string, version: string, where: string): void {
  const path = decoded(new URL(url).pathname);
  const at = path.lastIndexOf("/-/");
  if (at < 0) return;
  const file = path.slice(at + 3).replace(/\+[0-9A-Za-z.-]*(?=\.tgz$)/, "");
  const plain = version.replace(/\+.*$/, "");
  const expected = [name, name.replace(/^@[^/]*\//, "")].map((one) => `${one}-${plain}.tgz`);
  if (!path.slice(0, at).endsWith(`/${name}`) || !expected.includes(file)) {
    throw wrong(where, `an archive of ${name} ${version}`, url);
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** True for what a client would fetch with git. */
export function isGitAddress(written: string): boolean {
  return /^(?:git\+|git:|ssh:|git@|(?:github|gitlab|bitbucket|gist):)/.test(written);
}

/** A repository and the exact commit. @throws LOCKFILE_ADDRESS */
export function gitAddress(written: string, commit: string, where: string): Extract<LockedFrom, { kind: "git" }> {
  if (!commitSyntax.test(commit)) throw wrong(where, "an exact commit in full", commit);
  const plain = written.replace(/^git\+/, "");
  const scp = /^([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+):(?!\/)(.+)$/.exec(plain);
  const url = parse(scp ? `ssh://${scp[1]}@${scp[2]}/${scp[3]}` : plain, where);
  if (!gitProtocols.has(url.protocol)) throw wrong(where, "a repository over https, ssh or git", written);
  if (url.password !== "" || (url.username !== "" && url.protocol !== "ssh:")) {
    throw wrong(where, "an address without credentials", "one with them");
  }
  url.hash = "";
  return { kind: "git", url: url.href, commit };
}

/**
 * A path relative to the lockfile's directory, normalised: `lib`, `../sibling`, `.` for that directory itself.
 * @throws LOCKFILE_PATH
 */
export function localPath(written: string, where: string): string {
  const path = written.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
  const segments = path.split("/");
  const inner = segments.slice(segments.findIndex((segment) => segment !== ".."));
  const climbs = segments.every((segment) => segment === "..");
  const isBad =
    (path !== "" && path !== "." && !climbs && inner.some((segment) => ["", ".", ".."].includes(segment))) ||
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\\]/.test(path) ||
    /^[A-Za-z]:/.test(path) ||
    written.startsWith("/") ||
    path.length > 4096;
  if (isBad) {
    throw lockfileErrors.make(
      "LOCKFILE_PATH",
      `${where.slice(0, 200)}: expected a relative, normalised path, found ${shown(written)}`,
    );
  }
  return path === "" ? "." : path;
}

function parse(written: string, where: string): URL {
  if (written.length > 4096 || hostile.test(written)) throw wrong(where, "a URL", written);
  try {
    return new URL(written);
  } catch {
    throw wrong(where, "a URL", written);
  }
}

function wrong(where: string, expected: string, found: string) {
  return lockfileErrors.make("LOCKFILE_ADDRESS", `${where.slice(0, 200)}: expected ${expected}, found ${shown(found)}`);
}
