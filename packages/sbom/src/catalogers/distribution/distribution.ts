import type { Distribution, ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { readOsRelease } from "./os-release.ts";

const largest = 64 * 1024;
/** In this order: what the administrator's file says counts before what the vendor's says. */
const places = ["etc/os-release", "usr/lib/os-release", "etc/alpine-release", "etc/debian_version"];

/**
 * The distribution of a system within the tree, by its os-release(5), else by older files of Alpine and Debian.
 * @param root path of the system's root directory with a final slash; empty for the tree's own
 */
export function distributionOf(context: Pick<CatalogueContext, "file">, root = ""): Distribution | undefined {
  for (const place of places) {
    const file = context.file(root + place);
    const distribution = file && read(file);
    if (distribution !== undefined && "id" in distribution) return distribution;
  }
  return undefined;
}

/** What a file names, if anything; a loss where it cannot be read. */
function read(file: CollectedFile): Distribution | ScanLoss | undefined {
  let text: string;
  try {
    text = Buffer.from(file.bytes(largest)).toString("utf8");
  } catch (error) {
    return scanLoss(file.path, error);
  }
  if (file.name === "os-release") return readOsRelease(text);
  const version = /^\s*([0-9][0-9A-Za-z._-]{0,40})\s*$/.exec(text)?.[1];
  if (version === undefined) return undefined;
  return { id: file.name === "alpine-release" ? "alpine" : "debian", version };
}

const names = new Set(places.map((place) => place.slice(place.lastIndexOf("/") + 1)));

/** True for a file that may name the distribution. Asked of every file: most are told by their names alone. */
export function isDistributionFile({ path, name }: { readonly path: string; readonly name: string }): boolean {
  return names.has(name) && places.some((place) => path === place || path.endsWith(`/${place}`));
}

/** The operating system itself, as a component. */
export const distribution: Cataloger = {
  name: "distribution",
  wants: isDistributionFile,
  catalogue(files, context) {
    const roots = new Set(
      files.map(({ path }) => path.slice(0, path.length - (places.find((place) => path.endsWith(place)) ?? "").length)),
    );
    const components = [...roots].flatMap((root) => operatingSystem(context, root) ?? []);
    const losses = files.flatMap((file) => {
      const found = read(file);
      return found !== undefined && "code" in found ? [found] : [];
    });
    return { components, edges: [], roots: components.map(({ key }) => key), losses };
  },
};

function operatingSystem(context: CatalogueContext, root: string): FoundComponent | undefined {
  const found = distributionOf(context, root);
  const path = places.map((place) => root + place).find((place) => context.file(place) !== undefined);
  if (found === undefined || path === undefined) return undefined;
  return {
    key: root,
    kind: "operating-system",
    name: found.id,
    version: found.version,
    type: "generic",
    scope: "runtime",
    distribution: found,
    ...(found.name !== undefined && { description: found.name }),
    occurrences: [{ path, rule: "os-release" }],
  };
}
