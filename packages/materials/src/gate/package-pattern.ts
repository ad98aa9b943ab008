import type { Ecosystem } from "@touchmark/formats/lockfiles";
import { coversText } from "@touchmark/formats/package-url";

/**
 * True when a name pattern of an ecosystem (`@org/*`, `com.example.*`, `example.com/team/*`) covers a package name.
 * For Maven a pattern without `:` speaks of the group: `com.example.*` covers that group and those below it.
 */
export function coversName(pattern: string, name: string, ecosystem: Ecosystem): boolean {
  const given = comparableName(ecosystem, name);
  const wanted = comparableName(ecosystem, pattern);
  if (ecosystem === "maven" && !wanted.includes(":")) {
    const group = given.split(":")[0] ?? "";
    return coversText(wanted, group) || (wanted.endsWith(".*") && group === wanted.slice(0, -2));
  }
  if (ecosystem === "golang" && wanted.endsWith("/*") && given === wanted.slice(0, -2)) return true;
  return coversText(wanted, given);
}

/** A name in the one spelling under which its ecosystem compares it. */
export function comparableName(ecosystem: Ecosystem, name: string): string {
  switch (ecosystem) {
    case "pypi":
      return name.toLowerCase().replace(/[-_.]+/g, "-");
    case "cargo":
      return name.toLowerCase().replace(/_/g, "-");
    // Served case-insensitively by some repositories: a scope must not be left by writing it in capitals.
    case "npm":
    case "maven":
    case "deb":
      return name.toLowerCase();
    default:
      return name;
  }
}
