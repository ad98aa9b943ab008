import { golangPackageUrl } from "@touchmark/formats/package-url";
import type { ComponentHash, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { type GoBuildInfo, malformed, readGoBuildInfo } from "./go-build.ts";
import { type GoModule, type GoModules, parseGoModules } from "./go-modules.ts";
import { isProgram, readPrograms } from "./programs.ts";

const rule = "go-build-info";
/** What of the settings of a build is told of its main module. */
const told = ["vcs", "vcs.revision", "vcs.time", "vcs.modified", "GOOS", "GOARCH", "CGO_ENABLED", "-tags"];

/** Programs that Go built: their main module, the modules linked into them, and the standard library. */
export const goBinaries: Cataloger = {
  name: "go-binaries",
  wants: ({ head, size }) => size >= 64 && isProgram(head),
  catalogue(files): Found {
    const components: FoundComponent[] = [];
    const edges: { from: string; to: readonly string[] }[] = [];
    const roots: string[] = [];
    const losses: ScanLoss[] = [];
    for (const file of files) {
      try {
        const found = componentsOf(file);
        components.push(...found.components);
        edges.push(...found.edges);
        roots.push(...found.roots);
      } catch (error) {
        losses.push(scanLoss(file.path, error));
      }
    }
    return { components, edges, roots, losses };
  },
};

function componentsOf(file: CollectedFile): Omit<Found, "losses"> {
  const byKey = new Map<string, FoundComponent>();
  const edges: { from: string; to: readonly string[] }[] = [];
  const roots = new Set<string>();
  // A universal file holds one program for each architecture, of the same modules as a rule.
  for (const program of readPrograms(file)) {
    const info = readGoBuildInfo(program);
    if (info === undefined) continue;
    const modules = parseGoModules(info.modules);
    const parts = [standardLibrary(file, info), ...modules.dependencies.map((it) => moduleComponent(file, it))];
    const linked = parts.filter((part) => part !== undefined);
    const main = mainComponent(file, info, modules);
    for (const part of linked) byKey.set(part.key, part);
    if (main === undefined) {
      for (const part of linked) roots.add(part.key);
      continue;
    }
    byKey.set(main.key, main);
    roots.add(main.key);
    const to = linked.map(({ key }) => key).filter((key) => key !== main.key);
    if (!edges.some(({ from }) => from === main.key)) edges.push({ from: main.key, to });
  }
  return { components: [...byKey.values()], edges, roots: [...roots] };
}

/** The module whose package was built. Commands of Go itself belong to its standard library. */
function mainComponent(file: CollectedFile, info: GoBuildInfo, modules: GoModules): FoundComponent | undefined {
  const { main, path, settings } = modules;
  const properties = [
    { name: "touchmark:go-version", value: info.goVersion },
    ...(path === undefined ? [] : [{ name: "touchmark:go-package", value: path }]),
    ...told.flatMap((name) => {
      const value = settings.get(name);
      return value === undefined || value.length > 500 ? [] : [{ name: `touchmark:go-build:${name}`, value }];
    }),
  ];
  if (main !== undefined) {
    const component = moduleComponent(file, main);
    return {
      ...component,
      kind: "application",
      properties: [...(component.properties ?? []), ...properties],
      owns: [file.path],
    };
  }
  if (path === undefined || path.startsWith("cmd/")) return undefined;
  return {
    key: `${file.path}#main`,
    kind: "application",
    name: path === "command-line-arguments" ? file.name : path,
    version: "",
    type: "generic",
    scope: "runtime",
    properties,
    occurrences: [occurrence(file)],
    owns: [file.path],
  };
}

function moduleComponent(file: CollectedFile, module: GoModule): FoundComponent {
  const { path, version, sum, replaces, directory } = module;
  const properties = [
    ...(replaces === undefined
      ? []
      : [{ name: "touchmark:replaces", value: `${replaces.path}${replaces.version && `@${replaces.version}`}` }]),
    ...(directory === undefined ? [] : [{ name: "touchmark:replaced-by-directory", value: directory }]),
  ];
  return {
    key: `${file.path}#${path}@${version}`,
    kind: "library",
    name: path,
    version,
    purl: golangPackageUrl(path, version === "" ? undefined : version),
    type: "golang",
    scope: "runtime",
    hashes: sum === undefined ? [] : [sumHash(sum)],
    properties,
    occurrences: [occurrence(file)],
  };
}

/** Advisories of Go's standard library are about a module `stdlib`, with the version of the release. */
function standardLibrary(file: CollectedFile, info: GoBuildInfo): FoundComponent | undefined {
  const version = /^go(\d+(?:\.\d+)*(?:(?:rc|beta)\d+)?)(?:[-+ ].*)?$/.exec(info.goVersion)?.[1];
  // A version of Go's own repository (`devel go1.23-abcdef`) is no release.
  if (version === undefined && info.goVersion === "") return undefined;
  return {
    key: `${file.path}#stdlib`,
    kind: "library",
    name: "stdlib",
    version: version ?? "",
    purl: golangPackageUrl("stdlib", version),
    type: "golang",
    scope: "runtime",
    properties: version === undefined ? [{ name: "touchmark:go-version", value: info.goVersion.slice(0, 200) }] : [],
    occurrences: [occurrence(file)],
    owns: [file.path],
  };
}

function sumHash(sum: string): ComponentHash {
  const bytes = Buffer.from(sum.replace(/^h1:/, ""), "base64");
  if (!sum.startsWith("h1:") || bytes.length !== 32) throw malformed("expected a sum h1: of 32 bytes");
  return { algorithm: "h1", value: bytes.toString("hex") };
}

function occurrence({ path, layer }: CollectedFile) {
  return { path, rule, ...(layer === undefined ? {} : { layer }) };
}
