import { packageUrl, parsePackageUrl } from "./package-url-spelling.ts";

/** `@scope/name` or `name` of an npm registry. @throws PACKAGE_URL_PART_INVALID */
export function npmPackageUrl(name: string, version?: string): string {
  return packageUrl({ type: "npm", ...split(name), ...of(version) });
}

/** A Python package; the name in any of its spellings. @throws PACKAGE_URL_PART_INVALID */
export function pypiPackageUrl(name: string, version?: string): string {
  return packageUrl({ type: "pypi", name, ...of(version) });
}

/** A Go module by its path, not escaped, and version with its `v`. @throws PACKAGE_URL_PART_INVALID */
export function golangPackageUrl(modulePath: string, version?: string): string {
  return packageUrl({ type: "golang", ...split(modulePath), ...of(version) });
}

/** A crate. @throws PACKAGE_URL_PART_INVALID */
export function cargoPackageUrl(name: string, version?: string): string {
  return packageUrl({ type: "cargo", name, ...of(version) });
}

/** A Maven artifact; `jar` is the type when none is named. @throws PACKAGE_URL_PART_INVALID */
export function mavenPackageUrl(
  group: string,
  artifact: string,
  version?: string,
  which: { readonly classifier?: string; readonly type?: string } = {},
): string {
  const qualifiers = {
    ...(which.classifier !== undefined && { classifier: which.classifier }),
    ...(which.type !== undefined && which.type !== "jar" && { type: which.type }),
  };
  return packageUrl({ type: "maven", namespace: group, name: artifact, ...of(version), qualifiers });
}

/** What a system package was built for, as qualifiers. */
function builtFor(which: { readonly architecture?: string; readonly distribution?: string }) {
  return {
    ...(which.architecture !== undefined && { arch: which.architecture }),
    ...(which.distribution !== undefined && { distro: which.distribution }),
  };
}

/** A Debian package; `vendor` is `debian`, `ubuntu`, ... @throws PACKAGE_URL_PART_INVALID */
export function debPackageUrl(
  name: string,
  version?: string,
  which: { readonly vendor?: string; readonly architecture?: string; readonly distribution?: string } = {},
): string {
  const namespace = which.vendor ?? "debian";
  return packageUrl({ type: "deb", namespace, name, ...of(version), qualifiers: builtFor(which) });
}

/**
 * An RPM package; the version is `VERSION-RELEASE`, the epoch stands apart. Without a vendor it has no namespace.
 * @throws PACKAGE_URL_PART_INVALID
 */
export function rpmPackageUrl(
  name: string,
  version?: string,
  which: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly epoch?: number;
    readonly distribution?: string;
  } = {},
): string {
  const qualifiers = {
    ...builtFor(which),
    ...(which.epoch !== undefined && { epoch: String(which.epoch) }),
  };
  const namespace = which.vendor === undefined ? {} : { namespace: which.vendor };
  return packageUrl({ type: "rpm", ...namespace, name, ...of(version), qualifiers });
}

/** An Alpine package; `vendor` is `alpine` or a distribution made from it. @throws PACKAGE_URL_PART_INVALID */
export function apkPackageUrl(
  name: string,
  version?: string,
  which: { readonly vendor?: string; readonly architecture?: string; readonly distribution?: string } = {},
): string {
  const namespace = which.vendor ?? "alpine";
  return packageUrl({ type: "apk", namespace, name, ...of(version), qualifiers: builtFor(which) });
}

/** A RubyGems package; the platform `ruby`, which runs anywhere, is left out. @throws PACKAGE_URL_PART_INVALID */
export function gemPackageUrl(name: string, version?: string, platform?: string): string {
  const qualifiers = platform === undefined || platform === "ruby" ? {} : { platform };
  return packageUrl({ type: "gem", name, ...of(version), qualifiers });
}

/** A Composer package by its `vendor/name`. @throws PACKAGE_URL_PART_INVALID */
export function composerPackageUrl(name: string, version?: string): string {
  return packageUrl({ type: "composer", ...split(name), ...of(version) });
}

/** A NuGet package, spelled as found: its identifiers are compared without case. @throws PACKAGE_URL_PART_INVALID */
export function nugetPackageUrl(name: string, version?: string): string {
  return packageUrl({ type: "nuget", name, ...of(version) });
}

/**
 * A commit of a repository, as a generic package with `vcs_url`. `url` is one that git understands, without user
 * information; the name is the last part of its path. @throws PACKAGE_URL_PART_INVALID
 */
export function gitPackageUrl(url: string, commit: string, name?: string): string {
  const last = /([^/:]+?)(?:\.git)?\/*$/.exec(url)?.[1] ?? "repository";
  return packageUrl({
    type: "generic",
    name: name?.replace(/^.*\//, "") ?? last,
    version: commit,
    qualifiers: { vcs_url: `git+${url.replace(/^git\+/, "")}@${commit}` },
  });
}

/** A plain file, with where it comes from and its SHA-256 in hex. @throws PACKAGE_URL_PART_INVALID */
export function genericPackageUrl(
  name: string,
  which: { readonly version?: string; readonly url?: string; readonly sha256?: string } = {},
): string {
  const qualifiers = {
    ...(which.sha256 !== undefined && { checksum: `sha256:${which.sha256}` }),
    ...(which.url !== undefined && { download_url: which.url }),
  };
  return packageUrl({ type: "generic", name, ...of(which.version), qualifiers });
}

/** The package of a package URL, of any version. @throws PACKAGE_URL_MALFORMED | PACKAGE_URL_PART_INVALID */
export function packageUrlWithoutVersion(purl: string): string {
  const { version: _, ...parts } = parsePackageUrl(purl);
  return packageUrl(parts);
}

function split(path: string): { namespace?: string; name: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? { name: path } : { namespace: path.slice(0, slash), name: path.slice(slash + 1) };
}

function of(version: string | undefined): { version?: string } {
  return version === undefined ? {} : { version };
}
