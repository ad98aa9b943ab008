import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, CollectedFile } from "../../catalogue/cataloger.ts";
import type { DebianPackage } from "./debian-package.ts";

/** Files of a package, and the record that lists them. */
export interface OwnedFiles {
  /** Path of the record; undefined when there is none. */
  readonly list: string | undefined;
  readonly paths: readonly string[];
}

/** Programs of a package that dpkg keeps beside its list. */
const scripts = ["preinst", "postinst", "prerm", "postrm", "config"];

/** Files that a package's records list: `info/NAME[:ARCH].list`, or the `.md5sums` beside a record in `status.d`. */
export function ownedFiles(
  root: string,
  { name, architecture }: DebianPackage,
  record: CollectedFile,
  context: CatalogueContext,
  losses: ScanLoss[],
): OwnedFiles {
  const info = `${root}var/lib/dpkg/info/`;
  const names =
    record.name === "status"
      ? [`${info}${name}:${architecture}`, `${info}${name}`].flatMap((base) => [`${base}.list`, `${base}.md5sums`])
      : [`${record.path}.md5sums`];
  const file = names.map((path) => context.file(path)).find((one) => one !== undefined);
  if (file === undefined) return { list: undefined, paths: [] };
  const base = file.path.slice(0, file.path.lastIndexOf("."));
  try {
    const text = Buffer.from(file.bytes()).toString("utf8");
    const lines = file.name.endsWith(".list") ? listed(text) : summed(text);
    const paths = root === "" ? lines : lines.map((path) => root + path);
    return { list: file.path, paths: [...paths, ...scripts.map((script) => `${base}.${script}`)] };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    losses.push({ path: file.path, code: error.code, message: error.message });
    return { list: file.path, paths: [] };
  }
}

/** `/usr/bin/x` on each line; directories are among them. */
function listed(text: string): string[] {
  const paths: string[] = [];
  for (const line of text.split("\n")) if (line.length > 2 && line.startsWith("/")) paths.push(line.slice(1));
  return paths;
}

/** `MD5  usr/bin/x` on each line. */
function summed(text: string): string[] {
  return text.split("\n").flatMap((line) => /^[0-9a-f]{32} [ *](?:\.?\/)?(.+)$/.exec(line)?.[1] ?? []);
}
