import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import { scanLoss } from "../scan-loss.ts";
import { type Coordinates, coordinates, nameOf } from "./coordinates.ts";
import { javaErrors } from "./errors.ts";
import { interpolate } from "./interpolation.ts";
import type { PomDependency } from "./pom.ts";
import { type PomFile, type PomTree, parentOf } from "./pom-tree.ts";

/** A dependency with everything that its pom, the parents and imports say of it. */
export interface EffectiveDependency extends Coordinates {
  /** As written where it is no exact version: a range, or a property that nothing sets. */
  readonly written?: string;
  readonly scope: string;
  readonly type: string;
  readonly classifier: string;
  readonly optional: boolean;
  readonly exclusions: readonly string[];
  /** Profile that it stands in. */
  readonly profile?: string;
  readonly line: number;
}

/** A pom with what it inherits. */
export interface EffectivePom extends Coordinates {
  readonly source: PomFile;
  readonly dependencies: readonly EffectiveDependency[];
  /** What is managed of an artifact, by `group:artifact:type:classifier`. */
  managed(key: string): ManagedDependency | undefined;
  readonly losses: readonly ScanLoss[];
}

/** What a dependencyManagement decides. */
export type ManagedDependency = Pick<EffectiveDependency, "version" | "written" | "exclusions"> & {
  readonly scope?: string;
  readonly optional?: boolean;
};

const mostParents = 64;
/** Poms that import each other in a row, and questions to all of them: no tree of people needs a part of either. */
const deepest = 200;
const mostQuestions = 5_000_000;

/** Reads effective models of a tree; each once. */
export class EffectivePoms {
  readonly #tree: PomTree;
  readonly #known = new Map<PomFile, EffectivePom>();
  readonly #open = new Set<PomFile>();
  #depth = 0;
  #questions = 0;

  constructor(tree: PomTree) {
    this.#tree = tree;
  }

  /** @throws SBOM_JAVA_POM_CYCLE when it inherits from, or imports, itself */
  of(source: PomFile): EffectivePom {
    const known = this.#known.get(source);
    if (known !== undefined) return known;
    if (this.#open.has(source) || this.#open.size > deepest) {
      throw javaErrors.make("SBOM_JAVA_POM_CYCLE", `expected poms that end, found ${source.file.path} in itself`);
    }
    this.#open.add(source);
    try {
      const found = this.#read(source);
      this.#known.set(source, found);
      return found;
    } finally {
      this.#open.delete(source);
    }
  }

  #read(source: PomFile): EffectivePom {
    const losses: ScanLoss[] = [];
    const chain = this.#chain(source, losses);
    const levels = chain.map(({ pom }) => [pom, ...pom.profiles.filter(({ byDefault }) => byDefault)]).flat();
    const { pom } = source;
    const own = (name: string): string | undefined => {
      const bare = /^(?:project|pom)\.(.+)$/.exec(name)?.[1] ?? name;
      if (bare === "groupId") return pom.group ?? pom.parent?.group;
      if (bare === "artifactId") return pom.artifact;
      if (bare === "version") return pom.version ?? pom.parent?.version;
      if (bare === "parent.groupId") return pom.parent?.group;
      if (bare === "parent.artifactId") return pom.parent?.artifact;
      return bare === "parent.version" ? pom.parent?.version : undefined;
    };
    const properties = new Map([...levels].reverse().flatMap((level) => [...level.properties]));
    const valueOf = (name: string): string | undefined => properties.get(name) ?? own(name);
    const plain = (text: string | undefined): string | undefined => {
      try {
        return text === undefined ? undefined : interpolate(text, valueOf);
      } catch (error) {
        losses.push(scanLoss(source.file.path, error));
        return undefined;
      }
    };
    const managed = this.#management(source, levels, plain, losses);
    const dependencies = new Map<string, EffectiveDependency>();
    for (const level of chain) {
      const parts = [
        { profile: undefined, dependencies: level.pom.dependencies },
        // A parent's profiles that nobody switched on add nothing; the pom's own may be switched on by who builds it.
        ...level.pom.profiles
          .filter(({ byDefault }) => byDefault || level === source)
          .map(({ id, byDefault, dependencies: all }) => ({ profile: byDefault ? undefined : id, dependencies: all })),
      ];
      for (const part of parts) {
        for (const written of part.dependencies) {
          const found = effective(written, plain, managed);
          const key = found && keyOf(found);
          // What the pom itself says counts before what its parents say.
          if (found === undefined || key === undefined || dependencies.has(key)) continue;
          dependencies.set(key, part.profile === undefined ? found : { ...found, profile: part.profile });
        }
      }
    }
    const named = coordinates(plain(own("groupId")), plain(pom.artifact), plain(own("version")) ?? "");
    if (named === undefined) {
      throw javaErrors.make(
        "SBOM_JAVA_NAME",
        `${source.file.path}: expected a project with a group, artifact and version`,
      );
    }
    return { ...named, source, dependencies: [...dependencies.values()], managed, losses };
  }

  /** The pom and its parents, nearest first. */
  #chain(source: PomFile, losses: ScanLoss[]): PomFile[] {
    const chain = [source];
    for (let one = source; one.pom.parent !== undefined; ) {
      const parent = parentOf(this.#tree, one);
      const { group, artifact, version } = one.pom.parent;
      if (parent === undefined) {
        const message = `expected the parent ${nameOf({ group, artifact })}:${version} in the tree, found none`;
        losses.push(scanLoss(source.file.path, javaErrors.make("SBOM_JAVA_PARENT_MISSING", message)));
        break;
      }
      if (chain.includes(parent) || chain.length >= mostParents) {
        const message = `expected parents that end, found ${nameOf({ group, artifact })} again`;
        losses.push(scanLoss(source.file.path, javaErrors.make("SBOM_JAVA_POM_CYCLE", message)));
        break;
      }
      chain.push(parent);
      one = parent;
    }
    return chain;
  }

  /** Own and inherited entries first, nearest first; then those of imports, in their order. */
  #management(
    source: PomFile,
    levels: readonly { readonly managed: readonly PomDependency[] }[],
    plain: (text: string | undefined) => string | undefined,
    losses: ScanLoss[],
  ): EffectivePom["managed"] {
    let explicit: Map<string, PomDependency> | undefined;
    let imports: EffectivePom[] | undefined;
    const isImport = ({ scope, type }: PomDependency): boolean => scope === "import" && type === "pom";
    const entries = (): Map<string, PomDependency> => {
      const found = new Map<string, PomDependency>();
      for (const entry of levels.flatMap(({ managed }) => managed)) {
        if (isImport(entry)) continue;
        const [group, artifact] = [plain(entry.group), plain(entry.artifact)];
        if (group === undefined || artifact === undefined) continue;
        const key = [group, artifact, entry.type ?? "jar", plain(entry.classifier) ?? ""].join(":");
        if (!found.has(key)) found.set(key, entry);
      }
      return found;
    };
    const imported = (): EffectivePom[] =>
      levels
        .flatMap(({ managed }) => managed.filter(isImport))
        .flatMap((entry) => {
          const [group = "", artifact = "", version = ""] = [entry.group, entry.artifact, entry.version].map(plain);
          const found = this.#tree.named(group, artifact, version);
          if (found === undefined) {
            const message = `expected the import ${nameOf({ group, artifact })}:${version} in the tree, found none`;
            losses.push(scanLoss(source.file.path, javaErrors.make("SBOM_JAVA_PARENT_MISSING", message)));
            return [];
          }
          try {
            return [this.of(found)];
          } catch (error) {
            if (!isFactoryError(error)) throw error;
            losses.push(scanLoss(source.file.path, error));
            return [];
          }
        });
    const answers = new Map<string, ManagedDependency | undefined>();
    const answer = (key: string): ManagedDependency | undefined => {
      explicit ??= entries();
      const entry = explicit.get(key);
      if (entry !== undefined) return managedOf(entry, plain);
      imports ??= imported();
      for (const one of imports) {
        const found = one.managed(key);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return (key) => {
      if (answers.has(key)) return answers.get(key);
      if (this.#depth > deepest || ++this.#questions > mostQuestions) return undefined;
      this.#depth++;
      const found = answer(key);
      this.#depth--;
      answers.set(key, found);
      return found;
    };
  }
}

function keyOf({ group, artifact, type, classifier }: EffectiveDependency): string {
  return [group, artifact, type, classifier].join(":");
}

function managedOf(entry: PomDependency, plain: (text: string | undefined) => string | undefined): ManagedDependency {
  const scope = plain(entry.scope);
  return {
    ...versionOf(entry.version, plain),
    ...(scope !== undefined && { scope }),
    ...(entry.optional !== undefined && { optional: plain(entry.optional) === "true" }),
    exclusions: entry.exclusions,
  };
}

function effective(
  written: PomDependency,
  plain: (text: string | undefined) => string | undefined,
  managed: EffectivePom["managed"],
): EffectiveDependency | undefined {
  const named = coordinates(plain(written.group), plain(written.artifact), "");
  if (named === undefined) return undefined;
  const [type, classifier] = [plain(written.type) ?? "jar", plain(written.classifier) ?? ""];
  const decided = managed([named.group, named.artifact, type, classifier].join(":"));
  const own = written.version === undefined ? (decided ?? { version: "" }) : versionOf(written.version, plain);
  return {
    ...named,
    version: own.version,
    ...(own.written !== undefined && { written: own.written }),
    scope: plain(written.scope) ?? decided?.scope ?? "compile",
    type,
    classifier,
    optional: written.optional === undefined ? decided?.optional === true : plain(written.optional) === "true",
    exclusions: [...written.exclusions, ...(decided?.exclusions ?? [])],
    line: written.line,
  };
}

/** One exact version; `[1.0]` is one, other ranges and what is not known are kept as written. */
function versionOf(
  written: string | undefined,
  plain: (text: string | undefined) => string | undefined,
): Pick<EffectiveDependency, "version" | "written"> {
  if (written === undefined) return { version: "" };
  const found = plain(written)?.trim();
  const exact = /^\[([^,[\]()]+)\]$/.exec(found ?? "")?.[1]?.trim() ?? found;
  const isExact = exact !== undefined && exact !== "" && !/[[\](),\s]|^(?:LATEST|RELEASE)$/.test(exact);
  return isExact ? { version: exact } : { version: "", written: (found ?? written).slice(0, 200) };
}
