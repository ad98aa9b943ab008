import { alpine } from "./alpine.ts";
import { composer } from "./composer.ts";
import { debian } from "./debian.ts";
import { cran, hackage } from "./dotted.ts";
import { versionErrors } from "./errors.ts";
import { maven } from "./maven.ts";
import { nuget } from "./nuget.ts";
import { pep440 } from "./pep440.ts";
import { pub } from "./pub.ts";
import { rpm } from "./rpm.ts";
import { rubygems } from "./rubygems.ts";
import type { VersionScheme } from "./scheme.ts";
import { go, npm, semver } from "./semver.ts";

/** Rules by ecosystem of the OSV schema, without suffix. */
const schemes: ReadonlyMap<string, VersionScheme> = new Map<string, VersionScheme>([
  ["npm", npm],
  ["VSCode", npm],
  ["Go", go],
  ["crates.io", semver],
  ["Bitnami", semver],
  ["ConanCenter", semver],
  ["GitHub Actions", semver],
  ["Hex", semver],
  ["Julia", semver],
  ["SwiftURL", semver],
  ["PyPI", pep440],
  ["Maven", maven],
  ["RubyGems", rubygems],
  ["Packagist", composer],
  ["NuGet", nuget],
  ["Pub", pub],
  ["CRAN", cran],
  ["Hackage", hackage],
  ["Debian", debian],
  ["Ubuntu", debian],
  ["Echo", debian],
  ["Alpine", alpine],
  ["Alpaquita", alpine],
  ["BellSoft Hardened Containers", alpine],
  ["Chainguard", alpine],
  ["MinimOS", alpine],
  ["Wolfi", alpine],
  ["AlmaLinux", rpm],
  ["Amazon Linux", rpm],
  ["Azure Linux", rpm],
  ["Fedora", rpm],
  ["Mageia", rpm],
  ["openEuler", rpm],
  ["openSUSE", rpm],
  ["Oracle Linux", rpm],
  ["Photon OS", rpm],
  ["Red Hat", rpm],
  ["Rocky Linux", rpm],
  ["SUSE", rpm],
]);

/** The rules of an ecosystem, whose suffix (`:12` of `Debian:12`) counts for nothing. @throws VERSION_ECOSYSTEM_UNKNOWN */
export function schemeOf(ecosystem: string): VersionScheme {
  const scheme = schemes.get(ecosystem) ?? schemes.get(ecosystem.split(":", 1)[0] ?? "");
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
