import { type PackageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import type { Component } from "@touchmark/formats/sbom";

/** Ecosystems whose package URL has name and version as the package has them, spelling aside. */
const compared: ReadonlySet<string> = new Set([
  "npm",
  "pypi",
  "cargo",
  "maven",
  "gem",
  "composer",
  "nuget",
  "golang",
  "deb",
  "apk",
  "rpm",
]);

/**
 * What a component says twice, and not the same: its package URL and its name or version, or one digest algorithm with
 * two values. Whoever matches by one of them and shows the other misleads.
 */
export function contradictionsOf(component: Component): readonly string[] {
  const found: string[] = [];
  const { purl, name, version, hashes } = component;
  const parts = purl === undefined ? undefined : parsePackageUrl(purl);
  if (parts !== undefined && parts.type !== component.type) {
    found.push(`its type is ${component.type}, its package URL is ${shown(purl)}`);
  }
  if (parts !== undefined && compared.has(parts.type)) {
    if (name !== "" && !isSameName(parts, name))
      found.push(`its name is ${shown(name)}, its package URL is ${shown(purl)}`);
    if (version !== "" && parts.version !== undefined && bare(version) !== bare(parts.version)) {
      found.push(`its version is ${shown(version)}, its package URL is ${shown(purl)}`);
    }
  }
  const values = new Map<string, string>();
  for (const { algorithm, value } of hashes) {
    const before = values.get(algorithm);
    if (before !== undefined && before !== value) found.push(`it has two values of ${algorithm}`);
    values.set(algorithm, value);
  }
  return found;
}

/** The last part decides: some write the namespace before it, and some do not. */
function isSameName({ name }: PackageUrl, written: string): boolean {
  const last = written.split(/[/:]/).at(-1) ?? "";
  return folded(last) === folded(name) || folded(written) === folded(name);
}

function folded(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** Without the epoch, which package URLs have as a qualifier, and the `v` that Go has and others leave out. */
function bare(version: string): string {
  return version
    .toLowerCase()
    .replace(/^\d+:/, "")
    .replace(/^v(?=\d)/, "")
    .replace(/\+incompatible$/, "");
}

function shown(value: string | undefined): string {
  return JSON.stringify((value ?? "").slice(0, 120));
}
