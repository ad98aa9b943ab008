import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found } from "../../catalogue/cataloger.ts";
import { distributionOf } from "../distribution/distribution.ts";
import { scanLoss } from "../scan-loss.ts";
import { readBerkeleyHash } from "./berkeley-hash.ts";
import { RpmHeader } from "./header.ts";
import { readNdb } from "./ndb.ts";
import { databaseMalformed, mostHeaders } from "./page-file.ts";
import { type InstalledRpm, rpmComponent } from "./rpm-component.ts";
import { rpmEdges } from "./rpm-edges.ts";
import { type RpmPackage, readRpmPackage } from "./rpm-package.ts";
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
  const installed: InstalledRpm[] = [];
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
  const components = installed.map((one) => rpmComponent(root, one, file, form?.rule ?? "rpm", distribution));
  return { components, ...edgesOf(installed, file, losses), losses };
}

/** Edges that cannot be told are a loss; the packages stay. */
function edgesOf(
  installed: readonly InstalledRpm[],
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
