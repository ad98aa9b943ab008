import { isFactoryError } from "@touchmark/core";
import { readGoWorkspace } from "@touchmark/formats/lockfiles";
import { golangPackageUrl } from "@touchmark/formats/package-url";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { type FoundWorkspace, type GoProject, readGoProject } from "./go-project.ts";
import { readGoSums } from "./go-sums.ts";
import { isCachedModule, isInModuleCache, ModuleCache } from "./module-cache.ts";
import { builtModule, moduleComponent, type RequiredModule } from "./module-components.ts";
import { readVendoredModules } from "./vendored-modules.ts";

const names = new Set(["go.mod", "go.sum", "go.work", "go.work.sum"]);
const vendored = /(?:^|\/)vendor\/modules\.txt$/;

/** Modules of Go by go.mod, go.sum, go.work and vendor/modules.txt; edges where the module cache has what modules require. */
export const goModules: Cataloger = {
  name: "go-modules",
  wants: ({ path, name }) =>
    isCachedModule(path) || ((names.has(name) || vendored.test(path)) && !isInModuleCache(path)),
  catalogue(files, context): Found {
    const found = new FoundModules(files, context);
    for (const file of files) {
      context.signal?.throwIfAborted();
      found.add(file);
    }
    return found.finish();
  },
};

class FoundModules {
  readonly #context: CatalogueContext;
  readonly #cache: ModuleCache;
  /** By folder of each module that one uses. */
  readonly #workspaces = new Map<string, FoundWorkspace>();
  readonly #components = new Map<string, FoundComponent>();
  readonly #edges = new Map<string, readonly string[]>();
  readonly #projects = new Map<string, GoProject>();
  /** Modules of vendor folders without a go.mod. */
  readonly #alone: string[] = [];
  readonly #losses: ScanLoss[] = [];

  constructor(files: readonly CollectedFile[], context: CatalogueContext) {
    this.#context = context;
    this.#cache = new ModuleCache(files);
    for (const file of files) {
      if (file.name !== "go.work") continue;
      this.#attempt(file, () => {
        const workspace = readGoWorkspace(Buffer.from(file.bytes()).toString("utf8"));
        const found = { directory: file.path.slice(0, -file.name.length), workspace };
        for (const path of workspace.use) {
          const place = resolved(found.directory, path);
          if (place !== undefined && !this.#workspaces.has(place)) this.#workspaces.set(place, found);
        }
      });
    }
  }

  add(file: CollectedFile): void {
    if (file.name === "go.mod") this.#attempt(file, () => this.#addProject(file));
    else if (vendored.test(file.path)) this.#attempt(file, () => this.#addVendored(file));
  }

  #attempt(file: CollectedFile, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      this.#losses.push(scanLoss(file.path, error));
    }
  }

  #addProject(file: CollectedFile): void {
    const directory = file.path.slice(0, -file.name.length);
    const workspace = this.#workspaces.get(directory);
    const own = this.#context.file(`${directory}go.sum`);
    const shared = workspace && this.#context.file(`${workspace.directory}go.work.sum`);
    const sums = readGoSums([own, shared]);
    const project = readGoProject(file, sums, own !== undefined || shared !== undefined, workspace);
    const { module, required, losses } = project;
    this.#losses.push(...sums.losses, ...losses);
    this.#projects.set(directory, project);
    const key = projectKey(directory);
    const { layer, path } = file;
    const versions = [
      ["touchmark:go-version", module.go],
      ["touchmark:go-toolchain", module.toolchain],
      ...module.tools.map((tool) => ["touchmark:go-tool", tool] as const),
    ] as const;
    this.#components.set(key, {
      key,
      kind: "application",
      name: module.module,
      version: "",
      purl: golangPackageUrl(module.module),
      type: "golang",
      scope: "runtime",
      occurrences: [{ path, rule: "go-mod", ...(layer !== undefined && { layer }) }],
      properties: versions.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
    });
    const keys = new Map<string, string>();
    for (const one of required) {
      this.#attempt(file, () => {
        const built = builtModule(one);
        const own = `${path}#${built ?? `${one.path}=>${one.replacement?.path}`}`;
        const hashes = built === undefined ? [] : (sums.hashes.get(built) ?? []);
        this.#components.set(own, moduleComponent(own, file, "go-mod", one, hashes));
        keys.set(one.path, own);
      });
    }
    this.#connect(key, required, keys);
  }

  /** Edges of a project, and of its modules whose own go.mod is at hand: each to the version that the project builds. */
  #connect(project: string, required: readonly RequiredModule[], keys: ReadonlyMap<string, string>): void {
    let isComplete = true;
    const reached = new Set<string>();
    for (const one of required) {
      const [own, built] = [keys.get(one.path), builtModule(one)];
      const wanted = own === undefined || built === undefined ? undefined : this.#cache.requires(built);
      if (own === undefined || wanted === undefined) {
        isComplete = false;
        continue;
      }
      const to = wanted.flatMap((path) => keys.get(path) ?? []).filter((key) => key !== own);
      for (const key of to) reached.add(key);
      this.#edges.set(own, [...new Set(to)]);
    }
    const direct = required.filter((one) => one.direct || !isComplete || !reached.has(keys.get(one.path) ?? ""));
    this.#edges.set(project, [...new Set(direct.flatMap(({ path }) => keys.get(path) ?? []))]);
  }

  #addVendored(file: CollectedFile): void {
    const directory = file.path.slice(0, -"vendor/modules.txt".length);
    const hasProject = this.#context.file(`${directory}go.mod`) !== undefined;
    const modules = readVendoredModules(Buffer.from(file.bytes()).toString("utf8"), file.path);
    for (const { explicit, ...one } of modules) {
      this.#attempt(file, () => {
        const required: RequiredModule = { ...one, direct: explicit };
        const key = `${file.path}#${builtModule(required) ?? `${one.path}=>${one.replacement?.path}`}`;
        this.#components.set(key, moduleComponent(key, file, "go-vendor", required, []));
        // A go.mod beside it names the same modules, and its edges hold.
        if (!hasProject) this.#alone.push(key);
      });
    }
  }

  finish(): Found {
    this.#joinDirectories();
    const asked = new Set([...this.#edges].flatMap(([from, to]) => to.filter((key) => key !== from)));
    const projects = [...this.#projects.keys()].map(projectKey).filter((key) => this.#components.has(key));
    return {
      components: [...this.#components.values()],
      edges: [...this.#edges].map(([from, to]) => ({ from, to })),
      roots: [...projects.filter((key) => !asked.has(key)), ...this.#alone],
      losses: this.#losses,
    };
  }

  /** A module that a directory of the tree stands in for is that project; so is one of the same workspace. */
  #joinDirectories(): void {
    const replaced = new Map<string, string>();
    for (const [directory, { file, required }] of this.#projects) {
      const workspace = this.#workspaces.get(directory);
      const members = (workspace?.workspace.use ?? []).flatMap((path) => {
        const place = resolved(workspace?.directory ?? "", path);
        const module = place === undefined ? undefined : this.#projects.get(place)?.module.module;
        return module === undefined ? [] : [[module, place] as const];
      });
      const memberOf = new Map(members);
      for (const one of required) {
        const { path, replacement } = one;
        const place =
          replacement === undefined
            ? memberOf.get(path)
            : replacement.version === undefined
              ? resolved(directory, replacement.path)
              : undefined;
        if (place === undefined || !this.#projects.has(place)) continue;
        const key = `${file.path}#${builtModule(one) ?? `${path}=>${replacement?.path}`}`;
        if (this.#components.delete(key)) replaced.set(key, projectKey(place));
      }
    }
    for (const [from, to] of this.#edges) {
      if (replaced.has(from)) this.#edges.delete(from);
      else
        this.#edges.set(
          from,
          [...new Set(to.map((key) => replaced.get(key) ?? key))].filter((key) => key !== from),
        );
    }
  }
}

function projectKey(directory: string): string {
  return `${directory}go.mod#`;
}

/** A folder by a path relative to another, with a slash behind it; undefined outside of the tree. */
function resolved(directory: string, path: string): string | undefined {
  const segments = directory.split("/").filter((segment) => segment !== "");
  for (const step of path.split("/")) {
    if (step === "..") {
      if (segments.pop() === undefined) return undefined;
    } else if (step !== "" && step !== ".") segments.push(step);
  }
  return segments.length === 0 ? "" : `${segments.join("/")}/`;
}
