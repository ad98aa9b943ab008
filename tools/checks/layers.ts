import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { ImportEdge, SourceModule } from "../sources/module.ts";
import type { Finding } from "./finding.ts";

/** Layer of each package: it imports only from lower ones. The architecture's table, with what exists so far. */
export const layers: Readonly<Record<string, number>> = {
  core: 0,
  formats: 1,
  sign: 2,
  verify: 2,
  store: 2,
  source: 3,
  identity: 3,
  log: 3,
  worker: 3,
  observer: 3,
  materials: 3,
  registry: 3,
  image: 3,
  sbom: 3,
  advisories: 3,
  policy: 3,
  admission: 4,
  pipeline: 4,
  cli: 6,
};

/** Doubles and fixtures: above everything it builds on, and imported by tests alone. */
const testKit = "test-kit";

/** Packages whose dependency list is a security claim: exactly these, no more. */
export const exactDependencies: Readonly<Record<string, readonly string[]>> = {
  core: [],
  formats: ["@touchmark/core", "smol-toml", "yaml", "zod"],
  verify: ["@touchmark/core", "@touchmark/formats"],
  policy: ["@touchmark/core", "@touchmark/formats", "@touchmark/verify", "re2js"],
};

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Checks every import, type-only ones too, against layers, manifests and exports. */
export function checkLayers(modules: readonly SourceModule[]): Finding[] {
  const ours = modules.filter((module) => module.package !== undefined);
  const edges = ours.flatMap((module) => module.imports.map((edge) => ({ module, edge })));
  // A parser that sees nothing must not pass for a house in order.
  if (ours.length < 50 || edges.length < 100) {
    return [{ path: "packages", message: `expected many modules and imports, saw ${ours.length} and ${edges.length}` }];
  }
  const manifests = readManifests([...new Set(ours.map((module) => module.package ?? ""))]);
  const findings: Finding[] = [];
  for (const [name, manifest] of manifests) findings.push(...checkManifest(name, manifest));
  const supports = new Set(ours.filter(isTestSupport).map((module) => module.path));
  for (const { module, edge } of edges) {
    const message = problemOf(module, edge, manifests) ?? supportProblem(module, edge, supports);
    if (message !== undefined) findings.push({ path: module.path, line: edge.line, message });
  }
  return findings;
}

function readManifests(names: readonly string[]): ReadonlyMap<string, Manifest> {
  return new Map(
    names.map((name) => {
      const text = readFileSync(join(repositoryRoot, "packages", name, "package.json"), "utf8");
      return [name, JSON.parse(text) as Manifest];
    }),
  );
}

function checkManifest(name: string, manifest: Manifest): Finding[] {
  const path = `packages/${name}/package.json`;
  const findings: Finding[] = [];
  if (name !== testKit && layers[name] === undefined) {
    findings.push({ path, message: "the package has no layer; give it one in tools/checks/layers.ts" });
  }
  const declared = Object.keys(manifest.dependencies ?? {}).sort();
  const exact = exactDependencies[name];
  if (exact !== undefined && declared.join() !== [...exact].sort().join()) {
    findings.push({
      path,
      message: `expected exactly the dependencies [${exact.join(", ")}], found [${declared.join(", ")}]`,
    });
  }
  for (const dependency of declared) {
    const target = /^@touchmark\/(.+)$/.exec(dependency)?.[1];
    if (target !== undefined && !isLower(name, target)) {
      findings.push({ path, message: `depends on ${dependency}, which is not in a lower layer` });
    }
  }
  return findings;
}

function isLower(from: string, to: string): boolean {
  if (to === testKit) return false;
  if (from === testKit) return layers[to] !== undefined;
  return (layers[to] ?? Number.POSITIVE_INFINITY) < (layers[from] ?? Number.NEGATIVE_INFINITY);
}

/** What is wrong with one import, if anything is. */
export function problemOf(
  module: SourceModule,
  edge: ImportEdge,
  manifests: ReadonlyMap<string, Manifest>,
): string | undefined {
  const name = module.package ?? "";
  const { specifier } = edge;
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) return relativeProblem(module, specifier);
  const [, target, subpath] = /^@touchmark\/([^/]+)(\/.+)?$/.exec(specifier) ?? [];
  if (target === undefined) return foreignProblem(module, specifier, manifests.get(name));
  const manifest = manifests.get(target);
  if (manifest === undefined) return `imports ${specifier}, and there is no such package`;
  if (manifest.exports?.[subpath === undefined ? "." : `.${subpath}`] === undefined) {
    return `imports ${specifier}, which ${manifest.name} does not export`;
  }
  if (target === testKit) {
    return module.isTest || name === testKit || isTestSupport(module)
      ? undefined
      : `imports ${specifier}, which only tests may`;
  }
  if (target === name) return `imports its own package by name; use a relative path`;
  if (!isLower(name, target)) return `imports ${specifier}, which is not in a lower layer`;
  return manifests.get(name)?.dependencies?.[`@touchmark/${target}`] === undefined
    ? `imports ${specifier}, which packages/${name}/package.json does not declare`
    : undefined;
}

function relativeProblem(module: SourceModule, specifier: string): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(module.path), specifier));
  if (/^docs\/[\w.-]+\.json$/.test(target)) return undefined; // Committed tables that the command shows.
  const home = `packages/${module.package}/src/`;
  if (!target.startsWith(home)) return `imports ${specifier}, which lies outside ${home}`;
  return /\.(ts|json)$/.test(target) ? undefined : `imports ${specifier} without its file extension`;
}

/** What a test, or a fixture of tests, may use beside its package's own dependencies. */
const testTools = ["vitest", "fast-check", "ajv"];

/** Fixtures beside the tests of a package: not tests, but written with their tools. */
function isTestSupport(module: SourceModule): boolean {
  if (module.isTest || module.package === testKit) return false;
  return module.imports.some((edge) => testTools.includes(edge.specifier));
}

function supportProblem(module: SourceModule, edge: ImportEdge, supports: ReadonlySet<string>): string | undefined {
  if (module.isTest || supports.has(module.path) || !edge.specifier.startsWith(".")) return undefined;
  const target = posix.normalize(posix.join(posix.dirname(module.path), edge.specifier));
  return supports.has(target) ? `imports ${edge.specifier}, which is a fixture of tests` : undefined;
}

function foreignProblem(module: SourceModule, specifier: string, manifest: Manifest | undefined): string | undefined {
  const name = /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[1] ?? specifier;
  if (manifest?.dependencies?.[name] !== undefined) return undefined;
  if (testTools.includes(name)) return undefined; // What uses these and is no test may be imported by tests alone.
  return `imports ${name}, which packages/${module.package}/package.json does not declare`;
}
