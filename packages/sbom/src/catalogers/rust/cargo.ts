import { isFactoryError } from "@touchmark/core";
import type { LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import { cargoPackageUrl } from "@touchmark/formats/package-url";
import type { LicenceFact, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { foundFromLockfile } from "../lockfiles/found-from-lockfile.ts";
import { readCollectedLockfile } from "../lockfiles/read-lockfile.ts";
import { scanLoss } from "../scan-loss.ts";
import { type CargoManifest, readCargoManifest } from "./cargo-manifest.ts";
import { cargoScopes } from "./cargo-scopes.ts";
import { rustErrors } from "./errors.ts";

const rule = "cargo-lock";
/** Sources that cargo downloaded: their lockfiles lock nothing of this tree. */
const downloaded = /(?:^|\/)(?:registry\/src|git\/checkouts)\//;

/** Cargo workspaces: what Cargo.lock locks, for what the manifests ask for it. */
export const cargo: Cataloger = {
  name: "cargo",
  wants: ({ name }) => name === "Cargo.lock" || name === "Cargo.toml",
  catalogue(files, context): Found {
    const losses: ScanLoss[] = [];
    const manifests = readManifests(files, losses);
    const locks = files.filter(({ name, path }) => name === "Cargo.lock" && !isForeign(path, context));
    const places = new Set(locks.map(({ path }) => folderOf(path)));
    const own = new Map<string, CargoManifest[]>();
    const alone: CargoManifest[] = [];
    for (const manifest of manifests) {
      if (isForeign(manifest.file.path, context)) continue;
      const place = lockFolder(manifest.directory, places);
      if (place === undefined) alone.push(manifest);
      else if (own.get(place)?.push(manifest) === undefined) own.set(place, [manifest]);
    }
    const found = locks.map((file) => {
      context.signal?.throwIfAborted();
      return catalogueLock(file, context, own.get(folderOf(file.path)) ?? [], manifests);
    });
    const projects = alone.flatMap((one) => projectAlone(one, losses));
    return {
      components: [...found.flatMap(({ components }) => components), ...projects],
      edges: found.flatMap(({ edges }) => edges),
      roots: [...found.flatMap(({ roots }) => roots), ...projects.map(({ key }) => key)],
      losses: [...losses, ...found.flatMap((one) => one.losses)],
    };
  },
};

function readManifests(files: readonly CollectedFile[], losses: ScanLoss[]): CargoManifest[] {
  return files.flatMap((file) => {
    if (file.name !== "Cargo.toml") return [];
    try {
      return [readCargoManifest(file)];
    } catch (error) {
      losses.push(scanLoss(file.path, error));
      return [];
    }
  });
}

function catalogueLock(
  file: CollectedFile,
  context: CatalogueContext,
  own: readonly CargoManifest[],
  all: readonly CargoManifest[],
): Found {
  const { lockfile, losses } = readCollectedLockfile(file, context);
  if (lockfile === undefined) return { components: [], edges: [], roots: [], losses };
  const found = foundFromLockfile(lockfile, file, rule);
  const keyOf = (key: string): string => `${file.path}#${key}`;
  const byName = new Map<string, CargoManifest>();
  for (const one of own) if (one.name !== undefined && !byName.has(one.name)) byName.set(one.name, one);
  const manifestOf = ({ name, from }: LockedPackage): CargoManifest | undefined =>
    from.kind === "local" ? byName.get(name) : undefined;
  const shared = new Map(own.filter(({ isWorkspace }) => isWorkspace).flatMap((one) => [...one.shared]));
  const scopes = cargoScopes(lockfile.packages, manifestOf, shared);
  const facts = new Map(all.map((one) => [`${one.name} ${one.version}`, one]));
  const lockedBy = new Map(lockfile.packages.map((one) => [keyOf(one.key), one]));
  const asked = new Set(lockfile.packages.flatMap(({ key, dependencies }) => dependencies.filter((to) => to !== key)));
  const components = found.components.flatMap((component): FoundComponent[] => {
    const locked = lockedBy.get(component.key);
    // The project is one of the locked packages already.
    if (locked === undefined) return [];
    const manifest = manifestOf(locked);
    const stated = manifest ?? facts.get(`${locked.name} ${locked.version}`);
    const isOwn = locked.from.kind === "local";
    return [
      {
        ...component,
        ...(isOwn ? ownPackage(component, locked, manifest, asked.has(locked.key)) : {}),
        ...described(stated),
        scope: scopes.get(locked.key) ?? "runtime",
        declaredLicences: licences(stated),
      },
    ];
  });
  const keys = new Set(components.map(({ key }) => key));
  const roots = rootsOf(lockfile, asked).map(keyOf);
  return { components, edges: found.edges.filter(({ from }) => keys.has(from)), roots, losses };
}

/** A package of the workspace itself. */
function ownPackage(
  component: FoundComponent,
  { name, version }: LockedPackage,
  manifest: CargoManifest | undefined,
  isAsked: boolean,
): Partial<FoundComponent> {
  const place = manifest && { path: manifest.file.path, rule: "cargo-manifest" };
  const layer = manifest?.file.layer;
  return {
    kind: isAsked ? "library" : "application",
    // One that is never published is another than whatever has its name in a registry.
    ...(manifest?.isPrivate !== true && { purl: cargoPackageUrl(name, version) }),
    occurrences: [...component.occurrences, ...(place === undefined ? [] : [{ ...place, ...(layer && { layer }) }])],
  };
}

/** Members that no other needs; all of a circle where there is no other. */
function rootsOf({ packages }: Lockfile, asked: ReadonlySet<string>): string[] {
  const local = packages.filter(({ from }) => from.kind === "local").map(({ key }) => key);
  const unasked = local.filter((key) => !asked.has(key));
  return unasked.length > 0 ? unasked : local;
}

function described(manifest: CargoManifest | undefined): Pick<FoundComponent, "description" | "homepage"> {
  const { description, homepage } = manifest ?? {};
  return {
    ...(description !== undefined && { description: description.replace(/\s+/g, " ").trim().slice(0, 500) }),
    ...(homepage !== undefined && /^https?:\/\//.test(homepage) && { homepage }),
  };
}

/** Crates of old join licences by a slash that may be chosen from. */
function licences(manifest: CargoManifest | undefined): readonly LicenceFact[] {
  const { licence } = manifest ?? {};
  return licence === undefined ? [] : [normaliseDeclared(licence.replaceAll("/", " OR "), manifest?.file.path)];
}

/** A project that nothing locks. */
function projectAlone(manifest: CargoManifest, losses: ScanLoss[]): FoundComponent[] {
  const { name, version = "", file, dependencies, isPrivate } = manifest;
  if (dependencies.size > 0) {
    const message = `expected a Cargo.lock for the ${dependencies.size} crates that ${file.path} asks for, found none`;
    losses.push(scanLoss(file.path, rustErrors.make("SBOM_RUST_LOCK_MISSING", message)));
  }
  if (name === undefined) return [];
  try {
    return [
      {
        key: file.path,
        kind: "application",
        name,
        version,
        ...(!isPrivate && { purl: cargoPackageUrl(name, version === "" ? undefined : version) }),
        type: "cargo",
        scope: "runtime",
        ...described(manifest),
        declaredLicences: licences(manifest),
        occurrences: [{ path: file.path, rule: "cargo-manifest", ...(file.layer && { layer: file.layer }) }],
      },
    ];
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    losses.push(scanLoss(file.path, error));
    return [];
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** The nearest folder above with a lockfile. */
function lockFolder(directory: string, places: ReadonlySet<string>): string | undefined {
  for (let at = directory; ; at = folderOf(at.slice(0, -1))) {
    if (places.has(at)) return at;
    if (at === "") return undefined;
  }
}

/** Downloaded by cargo, or vendored: a checksum file stands beside it. */
function isForeign(path: string, context: CatalogueContext): boolean {
  return downloaded.test(path) || context.exists(`${folderOf(path)}.cargo-checksum.json`);
}
