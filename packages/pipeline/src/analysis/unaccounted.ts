import { packageUrlWithoutVersion } from "@touchmark/formats/package-url";
import type { Component, Sbom } from "@touchmark/formats/sbom";

/** Rules that find what is declared, and not what is there: a lockfile inside an artifact ships nothing of its list. */
const declaring =
  /(?:^|-)(?:lock|lockfile|package-lock(?:-\d)?|shrinkwrap|requirements|manifest|pom|go-mod|go-sum|cargo-toml)(?:-|$)/;

/** What a build may rightly ship. */
export interface KnownComponents {
  /** Package URLs, with versions and without qualifiers, that steps of the run fetched. */
  readonly fetched: ReadonlySet<string>;
  /** The SBOM of the source revision: what is vendored there, and the project's own packages. */
  readonly source: Sbom;
}

/**
 * Refs of components of an artifact that nobody fetched or built: they are in no fetched package's URL, not vendored in
 * the source, and no package of the project itself. System packages and toolchains' own libraries came with the host
 * or the image, which other statements describe.
 */
export function unaccountedComponents(artifact: Sbom, { fetched, source }: KnownComponents): readonly string[] {
  const own = new Set(
    source.components.flatMap((component) => (component.purl === undefined ? [] : [plainUrl(component.purl)])),
  );
  const ownNames = new Set(
    source.components.flatMap((component) =>
      component.purl !== undefined && component.version === "" ? [packageUrlWithoutVersion(component.purl)] : [],
    ),
  );
  return artifact.components.filter((component) => isForeign(artifact, component)).map(({ ref }) => ref);

  function isForeign(sbom: Sbom, component: Component): boolean {
    if (component.ref === sbom.root || component.purl === undefined) return false;
    if (component.kind === "operating-system" || component.kind === "file" || systemTypes.has(component.type))
      return false;
    if (component.type === "golang" && component.name === "stdlib") return false;
    if (component.occurrences.every(({ rule }) => declaring.test(rule))) return false;
    const plain = plainUrl(component.purl);
    if (fetched.has(plain) || own.has(plain)) return false;
    return !ownNames.has(packageUrlWithoutVersion(plain));
  }
}

const systemTypes: ReadonlySet<string> = new Set(["deb", "apk", "rpm"]);

/** A package URL without qualifiers and subpath. */
export function plainUrl(purl: string): string {
  return purl.split(/[?#]/, 1)[0] ?? purl;
}
