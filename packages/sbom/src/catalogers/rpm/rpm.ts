import { rpmPackageUrl } from "@touchmark/formats/package-url";
import type { Distribution, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { distributionOf } from "../distribution/distribution.ts";
import { scanLoss } from "../scan-loss.ts";
import { readBerkeleyHash } from "./berkeley-hash.ts";
import { RpmHeader } from "./header.ts";
import { readNdb } from "./ndb.ts";
import { databaseMalformed, mostHeaders } from "./page-file.ts";
import { rpmEdges } from "./rpm-edges.ts";
import { fullVersion, type RpmPackage, readRpmPackage } from "./rpm-package.ts";
import { readSqliteTable } from "./sqlite-table.ts";

const place =
  /^(|.*\/)(?:var\/lib\/rpm|usr\/share\/rpm|usr\/lib\/sysimage\/rpm)\/(rpmdb\.sqlite|rpmdb\.sqlite-wal|Packages\.db|Packages)$/;
/** Most characters of all paths of one database together. */
const mostPathText = 512 * 1024 * 1024;

/** The forms of a database, newest first: where several stand side by side, the newest is the one in use. */
const forms: readonly {
  readonly name: string;
  readonly rule: string;
  readonly blobs: (file: CollectedFile, context: CatalogueContext) => Iterable<Uint8Array>;
}[] = [
  { name: "rpmdb.sqlite", rule: "rpm-sqlite", blobs: sqliteBlobs },
  { name: "Packages.db", rule: "rpm-ndb", blobs: readNdb },
  { name: "Packages", rule: "rpm-berkeley-db", blobs: readBerkeleyHash },
];

/** Packages of Red Hat, Fedora, SUSE and their like: rpm's database in each of its forms. */
export const rpm: Cataloger = {
  name: "rpm",
  wants: ({ path }) => path.includes("/rpm/") && place.test(path),
  catalogue(files, context): Found {
    const all = databases(files).map(({ root, file }) => readDatabase(root, file, context));
    return {
      components: all.flatMap(({ components }) => components),
      edges: all.flatMap(({ edges }) => edges),
      roots: all.flatMap(({ roots }) => roots),
      losses: all.flatMap(({ losses }) => losses),
    };
  },
};

interface Installed {
  readonly key: string;
  readonly package: RpmPackage;
}

/** One database for each root directory and folder. */
function databases(files: readonly CollectedFile[]): readonly { root: string; file: CollectedFile }[] {
  const byFolder = new Map<string, { root: string; file: CollectedFile }>();
  for (const { name } of forms) {
    for (const file of files) {
      if (file.name !== name) continue;
      const folder = file.path.slice(0, -name.length);
      if (!byFolder.has(folder)) byFolder.set(folder, { root: place.exec(file.path)?.[1] ?? "", file });
    }
  }
  return [...byFolder.values()];
}

function readDatabase(root: string, file: CollectedFile, context: CatalogueContext): Found {
  const losses: ScanLoss[] = [];
  const installed: Installed[] = [];
  const form = forms.find(({ name }) => name === file.name);
  let pathText = 0;
  try {
    for (const blob of form?.blobs(file, context) ?? []) {
      const read = packageOf(blob, file, losses);
      if (read === undefined) continue;
      pathText += read.files.reduce((sum, path) => sum + path.length, 0);
      if (installed.length >= mostHeaders || pathText > mostPathText)
        throw databaseMalformed("the database is too large");
      installed.push({ key: `${file.path}#${installed.length}`, package: read });
    }
  } catch (error) {
    losses.push(scanLoss(file.path, error));
  }
  const distribution = root === "" ? context.distribution : distributionOf(context, root);
  const components = installed.map((one) => component(root, one, file, form?.rule ?? "rpm", distribution));
  return { components, ...edgesOf(installed, file, losses), losses };
}

/** Edges that cannot be told are a loss; the packages stay. */
function edgesOf(
  installed: readonly Installed[],
  file: CollectedFile,
  losses: ScanLoss[],
): Pick<Found, "edges" | "roots"> {
  try {
    return rpmEdges(installed);
  } catch (error) {
    losses.push(scanLoss(file.path, error));
    return { edges: [], roots: [] };
  }
}

/** One package; a header that cannot be read is a loss, and the next one is read. */
function packageOf(blob: Uint8Array, file: CollectedFile, losses: ScanLoss[]): RpmPackage | undefined {
  try {
    return readRpmPackage(new RpmHeader(blob));
  } catch (error) {
    losses.push(scanLoss(file.path, error));
    return undefined;
  }
}

function* sqliteBlobs(file: CollectedFile, context: CatalogueContext): Generator<Uint8Array> {
  for (const [, blob] of readSqliteTable(file, "Packages", context.file(`${file.path}-wal`))) {
    if (!(blob instanceof Uint8Array)) throw databaseMalformed("expected the header of a package in each row");
    yield blob;
  }
}

function component(
  root: string,
  { key, package: one }: Installed,
  file: CollectedFile,
  rule: string,
  distribution: Distribution | undefined,
): FoundComponent {
  const { name, version, epoch, architecture, licence, modularity } = one;
  const supplier = one.vendor ?? one.packager;
  return {
    key,
    kind: "library",
    name,
    version: fullVersion(version, epoch),
    type: "rpm",
    purl: rpmPackageUrl(name, version, {
      ...(distribution !== undefined && { vendor: vendorOf(distribution.id), distribution: distroOf(distribution) }),
      ...(architecture !== undefined && { architecture }),
      ...(epoch !== undefined && { epoch }),
    }),
    scope: "runtime",
    ...(one.source !== undefined && { sourcePackage: one.source }),
    ...(distribution !== undefined && { distribution }),
    ...(architecture !== undefined && { architecture }),
    ...(licence !== undefined && { declaredLicences: [normaliseDeclared(licence, file.path)] }),
    ...(supplier !== undefined && { supplier }),
    ...(one.summary !== undefined && { description: one.summary }),
    ...(one.homepage !== undefined && { homepage: one.homepage }),
    properties: modularity === undefined ? [] : [{ name: "touchmark:rpm-modularity", value: modularity }],
    occurrences: [{ path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) }],
    owns: one.files.flatMap((path) => (path.startsWith("/") ? [root + path.slice(1)] : [])),
  };
}

/** The namespace of package URLs, where it is not the distribution's own word. */
function vendorOf(id: string): string {
  if (id === "rhel") return "redhat";
  if (id.startsWith("opensuse")) return "opensuse";
  return id === "sles" || id === "sled" ? "suse" : id;
}

function distroOf({ id, version, codename }: Distribution): string {
  const which = version || (codename ?? "");
  return which === "" ? id : `${id}-${which}`;
}
