import { packageUrlWithoutVersion } from "@touchmark/formats/package-url";
import type { Component, Sbom } from "@touchmark/formats/sbom";

/**
 * Rules that find what is declared, and not what is there: a lockfile inside an artifact ships nothing of its list. A
 * manifest is not among them: whoever hides a package keeps its manifest.
 */
const declaring =
  /(?:^|-)(?:lock|lockfiles?|requirements|pom|projects?|project-assets)(?:-\d+)?$|^(?:poetry|uv|pylock|go-mod|go-sum|go-work)$/;

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
  const projects = new Set(source.components.map(projectOf));
  return artifact.components.filter((component) => isForeign(artifact, component)).map(({ ref }) => ref);

  function isForeign(sbom: Sbom, component: Component): boolean {
    if (component.ref === sbom.root) return false;
    // A manifest of no published package: a project, and then one of the source's.
    if (component.purl === undefined) return manifested.has(component.type) && !projects.has(projectOf(component));
    if (component.kind === "operating-system" || component.kind === "file" || systemTypes.has(component.type))
      return false;
    if (component.type === "golang" && component.name === "stdlib") return false;
    if (component.occurrences.every(({ rule }) => declaring.test(rule))) return false;
    const plain = plainUrl(component.purl);
    if (fetched.has(plain) || own.has(plain)) return false;
    return !ownNames.has(packageUrlWithoutVersion(plain));
  }
}

/** Types whose packages always carry a manifest with their name. */
const manifested: ReadonlySet<string> = new Set(["npm", "pypi"]);
const projectOf = ({ type, name }: Component): string => `${type}/${name}`;

const systemTypes: ReadonlySet<string> = new Set(["deb", "apk", "rpm"]);

/** A package URL without qualifiers and subpath. */
export function plainUrl(purl: string): string {
  return purl.split(/[?#]/, 1)[0] ?? purl;
}
