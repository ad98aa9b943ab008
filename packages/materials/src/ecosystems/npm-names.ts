/** Longest package name, as the registry bounds it. */
const longestName = 214;

/**
 * Whether a registry can have a package of that name. Upper case and `~'!()*` exist in names from before the rule
 * against them, so that case is never folded: two names that differ in case are two packages.
 */
export function isNpmName(name: string): boolean {
  return (
    name.length <= longestName && /^(@[A-Za-z0-9~-][\w.~-]*\/)?[A-Za-z0-9~-][\w.~'!()*-]*$/.test(name) && name !== "-"
  );
}

/** A version as npm writes it: three numbers, perhaps a pre-release, perhaps build metadata. */
export function isNpmVersion(version: string): boolean {
  return (
    version.length <= 256 &&
    /^\d{1,16}\.\d{1,16}\.\d{1,16}(-?[0-9A-Za-z][0-9A-Za-z.-]*)?(\+[0-9A-Za-z.-]+)?$/.test(version)
  );
}

/** Version that the file name of a tarball of `name` says; undefined when it does not say one. */
export function npmFileVersion(name: string, fileName: string): string | undefined {
  const start = `${name.slice(name.indexOf("/") + 1)}-`;
  if (!fileName.startsWith(start) || !fileName.endsWith(".tgz")) return undefined;
  const version = fileName.slice(start.length, -".tgz".length);
  return isNpmVersion(version) ? version : undefined;
}
