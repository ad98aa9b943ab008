import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, CollectedFile } from "../../catalogue/cataloger.ts";
import type { DebianPackage } from "./debian-package.ts";

/** Files of a package, and the record that lists them. */
export interface OwnedFiles {
  /** Path of the record; undefined when there is none. */
  readonly list: string | undefined;
  /** Those that are there as the package brought them, as far as it is known. */
  readonly paths: readonly string[];
  /** Those that were changed since: they are not the package's any more. */
  readonly changed: readonly string[];
}

/** Programs of a package that dpkg keeps beside its list. */
const scripts = ["preinst", "postinst", "prerm", "postrm", "config"];

/**
 * Files beyond this size are not compared with their recorded digest. Whoever replaces files on purpose can replace the
 * records, too; this finds what was overwritten by other installers, and those bring small files.
 */
const largestCompared = 4 * 2 ** 20;

/** Which files belong to which package of one system root. */
export class DebianFiles {
  readonly #root: string;
  readonly #context: CatalogueContext;
  readonly #losses: ScanLoss[];
  readonly #diversions: ReadonlyMap<string, Diversion>;

  constructor(root: string, context: CatalogueContext, losses: ScanLoss[]) {
    this.#root = root;
    this.#context = context;
    this.#losses = losses;
    const file = context.file(`${root}var/lib/dpkg/diversions`);
    this.#diversions = diversions(file === undefined ? "" : this.#text(file));
  }

  /** Files that the records list: `info/NAME[:ARCH].list` and `.md5sums`, or the `.md5sums` beside a `status.d` record. */
  of({ name, architecture }: DebianPackage, record: CollectedFile): OwnedFiles {
    const info = `${this.#root}var/lib/dpkg/info/`;
    const bases = record.name === "status" ? [`${info}${name}:${architecture}`, `${info}${name}`] : [record.path];
    const find = (suffix: string) =>
      bases.map((base) => this.#context.file(`${base}.${suffix}`)).find((one) => one !== undefined);
    const [list, sums] = [find("list"), find("md5sums")];
    const digests = sums === undefined ? new Map<string, string>() : summed(this.#text(sums));
    const found = list ?? sums;
    if (found === undefined) return { list: undefined, paths: [], changed: [] };
    const base = found.path.slice(0, found.path.lastIndexOf("."));
    const paths = [...scripts.map((script) => `${base}.${script}`)];
    const changed: string[] = [];
    for (const listedPath of list === undefined ? digests.keys() : listed(this.#text(list))) {
      const diverted = this.#diversions.get(listedPath);
      const path = this.#root + (diverted === undefined || diverted.by === name ? listedPath : diverted.to);
      if (this.#isChanged(path, digests.get(listedPath))) changed.push(path);
      else paths.push(path);
    }
    return { list: found.path, paths, changed };
  }

  /** True when the file was collected, is not too large, and has not the digest that its package's records name. */
  #isChanged(path: string, digest: string | undefined): boolean {
    const file = digest === undefined ? undefined : this.#context.file(path);
    if (file === undefined || file.size > largestCompared) return false;
    try {
      return file.hash("md5") !== digest;
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      return true;
    }
  }

  #text(file: CollectedFile): string {
    try {
      return Buffer.from(file.bytes()).toString("utf8");
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      this.#losses.push({ path: file.path, code: error.code, message: error.message });
      return "";
    }
  }
}

/** Where dpkg put a file instead of where its package has it, and for whom not. */
interface Diversion {
  readonly to: string;
  /** The package that keeps the original place; `:` for the administrator. */
  readonly by: string;
}

/** Three lines each: the original path, where it went, and for which package (dpkg-divert(1)). */
function diversions(text: string): Map<string, Diversion> {
  const lines = text.split("\n");
  const found = new Map<string, Diversion>();
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [from = "", to = "", by = ""] = lines.slice(at, at + 3);
    if (from.startsWith("/") && to.startsWith("/")) found.set(from.slice(1), { to: to.slice(1), by });
  }
  return found;
}

/** `/usr/bin/x` on each line; directories are among them. */
function* listed(text: string): Generator<string> {
  for (const line of text.split("\n")) if (line.length > 2 && line.startsWith("/")) yield line.slice(1);
}

/** `MD5  usr/bin/x` on each line. */
function summed(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const parts = /^([0-9a-f]{32}) [ *](?:\.?\/)?(.+)$/.exec(line);
    if (parts?.[1] !== undefined && parts[2] !== undefined) found.set(parts[2], parts[1]);
  }
  return found;
}
