import { isFactoryError } from "@touchmark/core";
import { debPackageUrl } from "@touchmark/formats/package-url";
import type { Distribution, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { distributionOf } from "../distribution/distribution.ts";
import { debianEdges } from "./debian-edges.ts";
import { type DebianPackage, debianPackage } from "./debian-package.ts";
import { DebianFiles } from "./owned-files.ts";
import { readControl } from "./paragraphs.ts";

const place =
  /^(|.*[/])(?:var\/lib\/dpkg\/(status|diversions|status\.d\/[^/]+|info\/[^/]+\.(?:list|md5sums))|var\/lib\/apt\/extended_states)$/;

/** A record of one package that was read, and where. */
export interface InstalledPackage {
  readonly package: DebianPackage;
  readonly key: string;
  readonly line: number;
  readonly record: CollectedFile;
}

/** Packages of Debian, Ubuntu and their like: dpkg's status file, and the split one of images without dpkg. */
export const dpkg: Cataloger = {
  name: "dpkg",
  wants: ({ path }) => path.includes("var/lib/") && place.test(path),
  catalogue(files, context) {
    const roots = new Map<string, CollectedFile[]>();
    for (const file of files) {
      const parts = place.exec(file.path);
      if (parts?.[2] === undefined || !/^status(?:$|\.d\/)/.test(parts[2]) || file.name.endsWith(".md5sums")) continue;
      const root = parts[1] ?? "";
      const records = roots.get(root);
      if (records === undefined) roots.set(root, [file]);
      else records.push(file);
    }
    const all = [...roots].map(([root, records]) => system(root, records, context));
    return {
      components: all.flatMap(({ components }) => components),
      edges: all.flatMap(({ edges }) => edges),
      roots: all.flatMap(({ roots }) => roots),
      losses: all.flatMap(({ losses }) => losses),
    };
  },
};

/** All packages of one root directory. */
function system(root: string, records: readonly CollectedFile[], context: CatalogueContext): Found {
  const losses: ScanLoss[] = [];
  const installed: InstalledPackage[] = [];
  const known = new Set<string>();
  for (const record of records) readRecord(root, record, installed, known, losses);
  const distribution = root === "" ? context.distribution : distributionOf(context, root);
  const files = new DebianFiles(root, context, losses);
  const components = installed.map((one) => component(one, distribution, files));
  return { components, ...debianEdges(root, installed, context, losses), losses };
}

function readRecord(
  root: string,
  record: CollectedFile,
  installed: InstalledPackage[],
  known: Set<string>,
  losses: ScanLoss[],
): void {
  const lose = (message: string, code = "SBOM_FILE_MALFORMED") => losses.push({ path: record.path, code, message });
  let text: string;
  try {
    text = Buffer.from(record.bytes()).toString("utf8");
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    lose(error.message, error.code);
    return;
  }
  const { paragraphs, skipped } = readControl(text);
  if (skipped > 0) lose(`expected fields and their values, found ${skipped} other lines`);
  for (const { fields, line } of paragraphs) {
    const read = debianPackage(fields);
    if (read === undefined) continue;
    if (typeof read === "string") {
      lose(read);
      continue;
    }
    const key = `${root}\0${read.name}:${read.architecture}`;
    if (known.has(key)) {
      lose(`expected one record of ${read.name}:${read.architecture}, found more`);
      continue;
    }
    known.add(key);
    installed.push({ package: read, key, line, record });
  }
}

function component(
  { package: one, key, line, record }: InstalledPackage,
  distribution: Distribution | undefined,
  files: DebianFiles,
): FoundComponent {
  const owned = files.of(one, record);
  const vendor = distribution?.id ?? "debian";
  const named =
    distribution === undefined ? undefined : `${vendor}-${distribution.version || (distribution.codename ?? "")}`;
  return {
    key,
    kind: "library",
    name: one.name,
    version: one.version,
    type: "deb",
    purl: debPackageUrl(one.name, one.version, {
      vendor,
      ...(one.architecture !== "" && { architecture: one.architecture }),
      ...(named !== undefined && !named.endsWith("-") && { distribution: named }),
    }),
    scope: "runtime",
    sourcePackage: one.source,
    ...(distribution !== undefined && { distribution }),
    ...(one.architecture !== "" && { architecture: one.architecture }),
    ...(one.maintainer !== undefined && { supplier: one.maintainer }),
    ...(one.homepage !== undefined && { homepage: one.homepage }),
    ...(one.description !== undefined && { description: one.description }),
    properties: [
      ...one.builtUsing.map((value) => ({ name: "touchmark:built-using", value })),
      ...owned.changed.map((value) => ({ name: "touchmark:changed-file", value })),
    ],
    occurrences: [
      ...(owned.list === undefined ? [] : [{ path: owned.list, rule: "dpkg-info" }]),
      { path: record.path, rule: record.name === "status" ? "dpkg-status" : "dpkg-status-d", line },
    ],
    owns: owned.paths,
  };
}
