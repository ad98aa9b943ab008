import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import { scanLoss } from "../scan-loss.ts";
import { nameOf } from "./coordinates.ts";
import type { EffectiveDependency, EffectivePom, EffectivePoms } from "./effective-pom.ts";
import type { PomTree } from "./pom-tree.ts";

/** An artifact that a project needs, directly or by others. */
export interface ResolvedDependency {
  readonly dependency: EffectiveDependency;
  /** Keys of what it depends on; undefined where its pom is not in the tree. */
  readonly to: Set<string> | undefined;
  /** `compile`, `runtime`, `provided`, `test` or `system`, as seen from the project. */
  scope: string;
  optional: boolean;
  /** Asked for by the project itself. */
  readonly isDirect: boolean;
}

/** What a project needs, as far as the poms of the tree say. */
export interface Resolution {
  readonly direct: readonly string[];
  readonly all: ReadonlyMap<string, ResolvedDependency>;
  /** Artifacts whose pom is not in the tree. */
  readonly unknown: readonly string[];
  readonly losses: readonly ScanLoss[];
  /** The bound on work was met. */
  readonly isCut: boolean;
}

/** Artifacts of one project; more than any build has. */
const mostArtifacts = 50_000;
/** On one way from the project. */
const mostExclusions = 2_000;
const strength = ["compile", "runtime", "system", "provided", "test"];

/** Key of a dependency among those of all projects. */
export function dependencyKey({ group, artifact, version, written, type, classifier }: EffectiveDependency): string {
  return ["maven", group, artifact, version === "" ? `?${written ?? ""}` : version, type, classifier].join(":");
}

/**
 * What a project needs: its own dependencies, and theirs as far as their poms lie in the tree. Of two versions of one
 * artifact the nearer counts, the project's dependencyManagement before all (Maven's mediation).
 */
export function resolveProject(project: EffectivePom, poms: EffectivePoms, tree: PomTree): Resolution {
  const all = new Map<string, ResolvedDependency>();
  const chosen = new Map<string, string>();
  const unknown = new Set<string>();
  const losses: ScanLoss[] = [];
  const direct: string[] = [];
  let isCut = false;
  let pending: Pending[] = project.dependencies.map((dependency) => ({
    dependency,
    by: undefined,
    excluded: new Set(),
  }));
  while (pending.length > 0 && !isCut) {
    const next: Pending[] = [];
    for (const one of pending) {
      const found = choose(one);
      if (found !== undefined) next.push(...found);
      isCut ||= all.size >= mostArtifacts || next.length > mostArtifacts * 10;
      if (isCut) break;
    }
    pending = next;
  }
  return { direct, all, unknown: [...unknown], losses, isCut };

  /** Answers what it asks for in its turn, when it was not known yet. */
  function choose({ dependency, by, excluded }: Pending): Pending[] | undefined {
    const name = [dependency.group, dependency.artifact, dependency.type, dependency.classifier].join(":");
    const known = chosen.get(name);
    const key = known ?? dependencyKey(dependency);
    if (by === undefined) direct.push(key);
    else by.to?.add(key);
    const scope = by === undefined ? dependency.scope : inherited(by.scope, dependency.scope);
    const optional = dependency.optional || by?.optional === true;
    const earlier = all.get(key);
    if (earlier !== undefined) {
      if (strength.indexOf(scope) < strength.indexOf(earlier.scope)) earlier.scope = scope;
      earlier.optional &&= optional;
      return undefined;
    }
    chosen.set(name, key);
    const pom = ownPom(dependency);
    const made = { dependency, to: pom && new Set<string>(), scope, optional, isDirect: by === undefined };
    all.set(key, made);
    if (pom === undefined) {
      unknown.add(nameOf(dependency));
      return undefined;
    }
    const isMore = dependency.exclusions.length > 0 && excluded.size < mostExclusions;
    const without = isMore ? new Set([...excluded, ...dependency.exclusions]) : excluded;
    return pom.dependencies
      .filter((one) => (one.scope === "compile" || one.scope === "runtime") && !one.optional)
      .filter((one) => one.profile === undefined && !isExcluded(one, without))
      .map((one) => ({ dependency: decided(one), by: made, excluded: without }));
  }

  function ownPom({ group, artifact, version }: EffectiveDependency): EffectivePom | undefined {
    const found = tree.named(group, artifact, version);
    if (found === undefined) return undefined;
    try {
      const pom = poms.of(found);
      return version === "" || pom.version === version ? pom : undefined;
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      losses.push(scanLoss(found.file.path, error));
      return undefined;
    }
  }

  /** What the project itself manages counts for whatever its dependencies ask for. */
  function decided(dependency: EffectiveDependency): EffectiveDependency {
    const managed = project.managed(
      [dependency.group, dependency.artifact, dependency.type, dependency.classifier].join(":"),
    );
    if (managed === undefined || (managed.version === "" && managed.written === undefined)) return dependency;
    const { written: _, ...rest } = dependency;
    return { ...rest, version: managed.version, ...(managed.written !== undefined && { written: managed.written }) };
  }
}

interface Pending {
  readonly dependency: EffectiveDependency;
  readonly by: ResolvedDependency | undefined;
  readonly excluded: ReadonlySet<string>;
}

/** Scope of what a dependency of `outer` scope asks for in scope `inner`. */
function inherited(outer: string, inner: string): string {
  if (outer === "compile" || outer === "system") return inner === "runtime" ? "runtime" : "compile";
  return outer;
}

function isExcluded({ group, artifact }: EffectiveDependency, without: ReadonlySet<string>): boolean {
  if (without.size === 0) return false;
  return [`${group}:${artifact}`, `${group}:*`, `*:${artifact}`, "*:*"].some((name) => without.has(name));
}
