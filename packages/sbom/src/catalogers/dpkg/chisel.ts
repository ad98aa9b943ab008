import { zstdDecompressSync } from "node:zlib";
import { isFactoryError } from "@touchmark/core";
import { debPackageUrl } from "@touchmark/formats/package-url";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { sbomErrors } from "../../errors.ts";
import { distributionOf } from "../distribution/distribution.ts";

const place = /^(|.*\/)var\/lib\/chisel\/manifest\.wall$/;
/** Bounds of a manifest, unpacked and packed. */
const largestText = 64 * 2 ** 20;
const largestPacked = 16 * 2 ** 20;

/** What a manifest says of packages and files. */
interface ChiselManifest {
  readonly packages: readonly { readonly name: string; readonly version: string; readonly architecture: string }[];
  /** Paths of files by the package of each slice that brought them. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** Packages of Ubuntu that chisel cut into slices: images without dpkg's records, but with chisel's manifest. */
export const chisel: Cataloger = {
  name: "chisel",
  wants: ({ name, path }) => name === "manifest.wall" && place.test(path),
  catalogue(files, context) {
    const losses: ScanLoss[] = [];
    const components = files.flatMap((file) => {
      try {
        return installed(file, readManifest(file), context);
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        losses.push({ path: file.path, code: error.code, message: error.message });
        return [];
      }
    });
    return { components, edges: [], roots: components.map(({ key }) => key), losses } satisfies Found;
  },
};

function installed(file: CollectedFile, manifest: ChiselManifest, context: CatalogueContext): FoundComponent[] {
  const root = place.exec(file.path)?.[1] ?? "";
  const distribution = root === "" ? context.distribution : distributionOf(context, root);
  const vendor = distribution?.id ?? "ubuntu";
  return manifest.packages.map(({ name, version, architecture }) => ({
    key: `${file.path}\0${name}`,
    kind: "library",
    name,
    version,
    type: "deb",
    purl: debPackageUrl(name, version, {
      vendor,
      ...(architecture !== "" && { architecture }),
      ...(distribution !== undefined &&
        distribution.version !== "" && { distribution: `${vendor}-${distribution.version}` }),
    }),
    scope: "runtime",
    ...(distribution !== undefined && { distribution }),
    ...(architecture !== "" && { architecture }),
    occurrences: [{ path: file.path, rule: "chisel-manifest" }],
    owns: (manifest.files.get(name) ?? []).map((path) => root + path),
  }));
}

/** @throws SBOM_FILE_MALFORMED | SBOM_FILE_TOO_LARGE */
function readManifest(file: CollectedFile): ChiselManifest {
  const packed = file.bytes(largestPacked);
  let text: string;
  try {
    text = zstdDecompressSync(packed, { maxOutputLength: largestText }).toString("utf8");
  } catch (cause) {
    throw malformed("a manifest packed with zstd", cause);
  }
  const lines = text.split("\n").filter((line) => line !== "");
  if (objectOf(lines[0] ?? "")["jsonwall"] !== "1.0") throw malformed("a manifest of jsonwall 1.0");
  const packages: { name: string; version: string; architecture: string }[] = [];
  const files = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const entry = objectOf(line);
    if (entry["kind"] === "package") {
      const { name, version, arch } = entry;
      const isNamed = typeof name === "string" && /^[a-z0-9][a-z0-9+.-]{0,200}$/.test(name);
      if (!isNamed || typeof version !== "string" || !/^[0-9A-Za-z.+:~-]{1,200}$/.test(version)) {
        throw malformed(`packages with name and version, found ${line.slice(0, 120)}`);
      }
      packages.push({ name, version, architecture: typeof arch === "string" && /^[a-z0-9-]+$/.test(arch) ? arch : "" });
    } else if (entry["kind"] === "path" && typeof entry["path"] === "string" && Array.isArray(entry["slices"])) {
      for (const slice of entry["slices"]) {
        // `PACKAGE_SLICE`: names of packages hold no underscore.
        const name = typeof slice === "string" ? slice.split("_", 1)[0] : undefined;
        const path = entry["path"].replace(/^\//, "");
        if (name === undefined || path === "" || path.endsWith("/")) continue;
        const known = files.get(name);
        if (known === undefined) files.set(name, [path]);
        else known.push(path);
      }
    }
  }
  return { packages, files };
}

function objectOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, like anything else that is no object.
  }
  throw malformed("a JSON object on each line");
}

function malformed(expected: string, cause?: unknown) {
  return sbomErrors.make("SBOM_FILE_MALFORMED", `expected ${expected}`, { cause });
}
