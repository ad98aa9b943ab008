import { versionErrors } from "./errors.ts";
import type { VersionScheme } from "./scheme.ts";
import { go, npm, semver } from "./semver.ts";

/** Rules by ecosystem of the OSV schema, without suffix. */
const schemes: ReadonlyMap<string, VersionScheme> = new Map<string, VersionScheme>([
  ["npm", npm],
  ["Go", go],
  ["crates.io", semver],
]);

/** The rules of an ecosystem, whose suffix (`:12` of `Debian:12`) counts for nothing. @throws VERSION_ECOSYSTEM_UNKNOWN */
export function schemeOf(ecosystem: string): VersionScheme {
  const scheme = schemes.get(ecosystem.split(":", 1)[0] ?? "");
  if (scheme === undefined) {
    throw versionErrors.make(
      "VERSION_ECOSYSTEM_UNKNOWN",
      `expected an ecosystem whose versions can be compared, found ${JSON.stringify(ecosystem.slice(0, 80))}`,
    );
  }
  return scheme;
}

/** True when versions of the ecosystem can be compared. */
export function isComparable(ecosystem: string): boolean {
  return schemes.has(ecosystem.split(":", 1)[0] ?? "");
}
