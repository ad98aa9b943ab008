import { isFactoryError } from "@touchmark/core";
import type { ComponentScope, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclaredList } from "../../licences/index.ts";
import { scanLoss } from "../scan-loss.ts";
import { nameOf, purlOf } from "./coordinates.ts";
import { type EffectivePom, EffectivePoms } from "./effective-pom.ts";
import { javaErrors } from "./errors.ts";
import { type Resolution, type ResolvedDependency, resolveProject } from "./maven-resolution.ts";
import { type PomFile, type PomTree, readPomTree, relativePom } from "./pom-tree.ts";

const rule = "maven-pom";
/** Dependencies of all projects together, each counted where it is asked for. */
const mostArtifacts = 500_000;

/** Maven projects by their pom.xml; further poms of the tree (a local repository) tell what dependencies depend on. */
export const mavenProjects: Cataloger = {
  name: "maven-projects",
  wants: ({ name }) => name === "pom.xml" || (name.endsWith(".pom") && name.length > 4),
  catalogue(files, { signal }): Found {
    const tree = readPomTree(files);
    const found = new FoundProjects(tree);
    for (const pom of tree.poms) {
      signal?.throwIfAborted();
      if (pom.isProject) found.add(pom);
    }
    return found.finish();
  },
};

const scopes: Readonly<Record<string, ComponentScope>> = {
  compile: "runtime",
  runtime: "runtime",
  system: "runtime",
  // What runs it brings them along.
  provided: "build",
  test: "development",
};

class FoundProjects {
  readonly #tree: PomTree;
  readonly #poms: EffectivePoms;
  readonly #components = new Map<string, FoundComponent>();
  readonly #edges = new Map<string, Set<string>>();
  readonly #projects = new Map<PomFile, string>();
  readonly #losses: ScanLoss[] = [];
  #artifacts = 0;

  constructor(tree: PomTree) {
    this.#tree = tree;
    this.#poms = new EffectivePoms(tree);
    this.#losses.push(...tree.losses);
  }

  add(source: PomFile): void {
    const { path } = source.file;
    try {
      const pom = this.#poms.of(source);
      const key = `${path}#project`;
      this.#components.set(key, projectOf(source, pom, key));
      this.#projects.set(source, key);
      // Its archive lies unpacked here: what it depends on lies beside it.
      if (source.isUnpacked) return;
      if (this.#artifacts > mostArtifacts) {
        throw javaErrors.make("SBOM_JAVA_TOO_MANY", `expected at most ${mostArtifacts} dependencies of all projects`);
      }
      const resolution = resolveProject(pom, this.#poms, this.#tree);
      this.#artifacts += resolution.all.size;
      const to = new Set<string>(resolution.direct);
      this.#edges.set(key, to);
      for (const [name, one] of resolution.all) this.#addDependency(source, name, one);
      this.#losses.push(...pom.losses, ...resolution.losses, ...lossesOf(path, resolution));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      this.#losses.push(scanLoss(path, error));
    }
  }

  #addDependency({ file, pom }: PomFile, key: string, one: ResolvedDependency): void {
    const known = this.#components.get(key);
    const place = { path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) };
    // Of what a pom says itself the line is known.
    const { artifact, line } = one.dependency;
    const isOwn = one.isDirect && pom.dependencies.some((own) => own.line === line && own.artifact === artifact);
    const occurrence = isOwn ? { ...place, line } : place;
    try {
      const made = known ?? dependencyComponent(key, one);
      this.#components.set(key, {
        ...made,
        scope: known === undefined ? made.scope : stronger(made.scope, scopeOf(one)),
        ...((made.direct === true || one.isDirect) && { direct: true }),
        occurrences: made.occurrences.length > 100 ? made.occurrences : [...made.occurrences, occurrence],
      });
    } catch (error) {
      this.#losses.push(scanLoss(file.path, error));
      return;
    }
    if (one.to === undefined) return;
    const edges = this.#edges.get(key) ?? new Set<string>();
    for (const to of one.to) edges.add(to);
    this.#edges.set(key, edges);
  }

  finish(): Found {
    this.#joinModules();
    const asked = new Set([...this.#edges].flatMap(([from, to]) => [...to].filter((key) => key !== from)));
    const projects = [...this.#projects.values()];
    return {
      components: [...this.#components.values()],
      edges: [...this.#edges].map(([from, to]) => ({ from, to: [...to].filter((key) => this.#components.has(key)) })),
      roots: projects.filter((key) => !asked.has(key)),
      losses: unique(this.#losses),
    };
  }

  /** A dependency that is a project of the tree is that project; one that lists modules leads to them. */
  #joinModules(): void {
    const projectOfName = new Map<string, string>();
    for (const [source, key] of this.#projects) {
      const component = this.#components.get(key);
      if (component !== undefined && !source.isUnpacked)
        projectOfName.set(`${component.name}:${component.version}`, key);
    }
    const replaced = new Map<string, string>();
    for (const [key, { name, version }] of this.#components) {
      const project = key.endsWith("#project") ? undefined : projectOfName.get(`${name}:${version}`);
      if (project === undefined) continue;
      replaced.set(key, project);
      this.#components.delete(key);
      this.#edges.delete(key);
    }
    for (const [from, to] of this.#edges) {
      this.#edges.set(from, new Set([...to].map((key) => replaced.get(key) ?? key).filter((key) => key !== from)));
    }
    for (const [source, key] of this.#projects) {
      for (const path of source.pom.modules) {
        const module = relativePom(this.#tree, source.file.path, path);
        const to = module && this.#projects.get(module);
        if (to !== undefined && to !== key) this.#edges.get(key)?.add(to);
      }
    }
  }
}

function projectOf({ file, pom, isUnpacked }: PomFile, effective: EffectivePom, key: string): FoundComponent {
  const { path, layer } = file;
  const isPlain = (text: string | undefined): text is string => text !== undefined && !text.includes("${");
  return {
    key,
    kind: isUnpacked || pom.packaging === "jar" ? "library" : "application",
    name: nameOf(effective),
    version: effective.version,
    purl: purlOf(effective),
    type: "maven",
    scope: "runtime",
    declaredLicences: normaliseDeclaredList(pom.licences, "any", path),
    ...(isPlain(pom.organisation) && { supplier: pom.organisation }),
    ...(isPlain(pom.description) && { description: pom.description.replace(/\s+/g, " ").slice(0, 500) }),
    ...(isPlain(pom.url) && /^https?:\/\//.test(pom.url) && { homepage: pom.url }),
    occurrences: [{ path, rule, ...(layer !== undefined && { layer }) }],
  };
}

/** @throws SBOM_JAVA_NAME */
function dependencyComponent(key: string, one: ResolvedDependency): FoundComponent {
  const { dependency } = one;
  const { classifier, type, written, profile } = dependency;
  // A test jar is the artifact's archive with a classifier; handlers of other types name no other archive.
  const which = {
    ...(classifier !== "" ? { classifier } : type === "test-jar" ? { classifier: "tests" } : {}),
    ...(!["jar", "test-jar", "maven-plugin", "ejb", "bundle"].includes(type) && { type }),
  };
  const properties = [
    ["touchmark:maven-profile", profile],
    ["touchmark:maven-scope", dependency.scope === "compile" ? undefined : dependency.scope],
    ["touchmark:version-written", written],
  ] as const;
  return {
    key,
    kind: "library",
    name: nameOf(dependency),
    version: dependency.version,
    purl: purlOf(dependency, which),
    type: "maven",
    scope: scopeOf(one),
    occurrences: [],
    properties: properties.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  };
}

function scopeOf({ scope, optional, dependency }: ResolvedDependency): ComponentScope {
  const found = scopes[scope] ?? "unknown";
  const isPerhaps = optional || dependency.profile !== undefined;
  return found === "runtime" && isPerhaps ? "optional" : found;
}

function stronger(one: ComponentScope, other: ComponentScope): ComponentScope {
  const order: readonly ComponentScope[] = ["runtime", "unknown", "build", "optional", "development"];
  return order.indexOf(one) <= order.indexOf(other) ? one : other;
}

/** What the poms of the tree do not say of a project. */
function lossesOf(path: string, { all, unknown, isCut }: Resolution): ScanLoss[] {
  const unversioned = [...all.values()].filter(({ dependency }) => dependency.version === "");
  const losses: ScanLoss[] = [];
  const lose = (code: keyof typeof javaErrors.rows, message: string) =>
    losses.push(scanLoss(path, javaErrors.make(code, message)));
  if (unversioned.length > 0) {
    const names = unversioned.map(({ dependency }) => nameOf(dependency));
    lose("SBOM_JAVA_VERSION_UNKNOWN", `expected a version of each dependency, found none of ${shortList(names)}`);
  }
  if (unknown.length > 0) {
    lose(
      "SBOM_JAVA_TRANSITIVE_UNKNOWN",
      `expected the poms of dependencies in the tree, found none of ${shortList(unknown)}`,
    );
  }
  if (isCut) lose("SBOM_JAVA_TOO_MANY", "expected at most 50,000 artifacts of one project");
  return losses;
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

function unique(losses: readonly ScanLoss[]): ScanLoss[] {
  return [...new Map(losses.map((loss) => [JSON.stringify(loss), loss])).values()];
}
