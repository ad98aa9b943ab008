/** A module path as the Go proxy protocol spells it, `!` before what is upper case; undefined for other spellings. */
export function unescapeModule(escaped: string): string | undefined {
  const path = unescapeCase(escaped);
  return path !== undefined && isModulePath(path) ? path : undefined;
}

/** A version or query as the protocol spells it. */
export function unescapeVersion(escaped: string): string | undefined {
  const version = unescapeCase(escaped);
  return version !== undefined && /^[\w.+~-]{1,256}$/.test(version) && !/^[.-]/.test(version) ? version : undefined;
}

/** `Azure` as `!azure`: addresses of a proxy do not rest on case. */
export function escapeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** A canonical semantic version: it names one commit for ever, while `v1`, `master` or `latest` are questions. */
export function isCanonicalVersion(version: string): boolean {
  return /^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+incompatible)?$/.test(
    version,
  );
}

function unescapeCase(escaped: string): string | undefined {
  if (/[A-Z]/.test(escaped) || /!(?![a-z])/.test(escaped)) return undefined;
  return escaped.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The rules of golang.org/x/mod/module.CheckPath, but for Windows' names: elements of ASCII letters, digits and `-._~`. */
function isModulePath(path: string): boolean {
  if (path.length > 1024) return false;
  const elements = path.split("/");
  const first = elements[0] ?? "";
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(first) || !first.includes(".")) return false;
  return elements.every((element) => /^[A-Za-z0-9._~-]+$/.test(element) && !/^\.|\.$/.test(element));
}
