import { isFactoryError } from "@touchmark/core";
import { apkPackageUrl } from "@touchmark/formats/package-url";
import type { Distribution, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { distributionOf } from "../distribution/distribution.ts";
import { scanLoss } from "../scan-loss.ts";
import { type ApkPackage, readApkDatabase } from "./installed-database.ts";

const place = /^(|.*\/)(?:(?:usr\/)?lib\/apk\/db\/installed|etc\/apk\/world)$/;

/** Packages of Alpine, Wolfi and their like: apk's installed database. */
export const apk: Cataloger = {
  name: "apk",
  wants: ({ path, name }) => (name === "installed" || name === "world") && place.test(path),
  catalogue(files, context) {
    const databases = files.filter(({ name }) => name === "installed");
    const all = databases.map((database) => system(place.exec(database.path)?.[1] ?? "", database, context));
    return {
      components: all.flatMap(({ components }) => components),
      edges: all.flatMap(({ edges }) => edges),
      roots: all.flatMap(({ roots }) => roots),
      losses: all.flatMap(({ losses }) => losses),
    };
  },
};

function system(root: string, database: CollectedFile, context: CatalogueContext): Found {
  const losses: ScanLoss[] = [];
  let packages: readonly ApkPackage[] = [];
  try {
    const read = readApkDatabase(Buffer.from(database.bytes()).toString("utf8"));
    packages = read.packages;
    for (const message of read.faults) losses.push({ path: database.path, code: "SBOM_FILE_MALFORMED", message });
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    losses.push({ path: database.path, code: error.code, message: error.message });
  }
  const distribution = root === "" ? context.distribution : distributionOf(context, root);
  // Of a name that stands twice, the last counts: apk itself has one of each.
  const unique = [...new Map(packages.map((one) => [one.name, one])).values()];
  if (unique.length < packages.length) {
    const message = `expected one record of each package, found ${packages.length - unique.length} more`;
    losses.push({ path: database.path, code: "SBOM_FILE_MALFORMED", message });
  }
  const components = unique.map((one) => component(root, one, database, distribution));
  return { components, ...edges(root, database, unique, context, losses), losses };
}

const largestWorld = 2 ** 20;
/** Packages that one name may lead to: more are a mistake or an attack. */
const mostProviders = 50;

function keyOf(database: CollectedFile, name: string): string {
  return `${database.path}\0${name}`;
}

function component(
  root: string,
  one: ApkPackage,
  database: CollectedFile,
  distribution: Distribution | undefined,
): FoundComponent {
  const vendor = distribution?.id ?? "alpine";
  return {
    key: keyOf(database, one.name),
    kind: "library",
    name: one.name,
    version: one.version,
    type: "apk",
    purl: apkPackageUrl(one.name, one.version, {
      vendor,
      ...(one.architecture !== "" && { architecture: one.architecture }),
      ...(distribution !== undefined &&
        distribution.version !== "" && { distribution: `${vendor}-${distribution.version}` }),
    }),
    scope: "runtime",
    sourcePackage: { name: one.origin, version: one.version },
    ...(distribution !== undefined && { distribution }),
    ...(one.architecture !== "" && { architecture: one.architecture }),
    ...(one.maintainer !== undefined && { supplier: one.maintainer }),
    ...(one.homepage !== undefined && { homepage: one.homepage }),
    ...(one.description !== undefined && { description: one.description }),
    declaredLicences: one.licence === undefined ? [] : [normaliseDeclared(one.licence, database.path)],
    properties: one.identity === undefined ? [] : [{ name: "touchmark:apk-identity", value: `sha1:${one.identity}` }],
    occurrences: [{ path: database.path, rule: "apk-installed", line: one.line }],
    owns: root === "" ? one.files : one.files.map((path) => root + path),
  };
}

/** Edges by what is needed and provided; roots by `etc/apk/world`, without it those that nothing needs. */
function edges(
  root: string,
  database: CollectedFile,
  packages: readonly ApkPackage[],
  context: CatalogueContext,
  losses: ScanLoss[],
): Pick<Found, "edges" | "roots"> {
  const providers = new Map<string, string[]>();
  const add = (name: string, provider: string) => {
    const known = providers.get(name);
    if (known === undefined) providers.set(name, [provider]);
    else if (known.length < mostProviders) known.push(provider);
  };
  for (const { name } of packages) add(name, name);
  for (const { name, provides } of packages) for (const other of provides) if (other !== name) add(other, name);
  const owners = new Map<string, string>();
  for (const { name, files } of packages) for (const file of files) owners.set(`/${file}`, name);
  // A package of that name comes before those that provide it.
  const resolve = (wanted: string): string[] => {
    const found = providers.get(wanted);
    if (found !== undefined) return found[0] === wanted ? [wanted] : found;
    const owner = owners.get(wanted);
    return owner === undefined ? [] : [owner];
  };
  const key = (name: string) => keyOf(database, name);
  const found = packages.map(({ name, dependencies }) => ({
    from: key(name),
    to: [...new Set(dependencies.flatMap(resolve))].filter((other) => other !== name).map(key),
  }));
  const world = worldOf(context.file(`${root}etc/apk/world`), losses);
  if (world !== undefined) {
    const roots = world.split(/\s+/).flatMap((one) => resolve(/^[^<>=~@!]+/.exec(one)?.[0] ?? ""));
    return { edges: found, roots: [...new Set(roots)].map(key) };
  }
  const needed = new Set(found.flatMap(({ to }) => to));
  return { edges: found, roots: packages.map(({ name }) => key(name)).filter((one) => !needed.has(one)) };
}

/** What the administrator asked for; undefined where it is not there or cannot be read. */
function worldOf(file: CollectedFile | undefined, losses: ScanLoss[]): string | undefined {
  if (file === undefined) return undefined;
  try {
    return Buffer.from(file.bytes(largestWorld)).toString("utf8");
  } catch (error) {
    losses.push(scanLoss(file.path, error));
    return undefined;
  }
}
