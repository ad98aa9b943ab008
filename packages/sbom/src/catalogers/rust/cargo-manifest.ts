import { isFactoryError } from "@touchmark/core";
import { readToml } from "@touchmark/formats/lockfiles";
import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { rustErrors } from "./errors.ts";

/** What a manifest needs a crate for. */
export type DependencyKind = "runtime" | "build" | "development" | "optional";

/** A Cargo.toml. */
export interface CargoManifest {
  readonly file: CollectedFile;
  /** Folder with a slash behind it; empty for the root. */
  readonly directory: string;
  /** Undefined for a workspace without a package of its own. */
  readonly name?: string;
  /** Undefined where the workspace says it. */
  readonly version?: string;
  readonly licence?: string;
  readonly description?: string;
  readonly homepage?: string;
  /** The manifest says that it is never published. */
  readonly isPrivate: boolean;
  readonly isWorkspace: boolean;
  /** Kinds by name of the crate, which is another than the key where it is renamed. */
  readonly dependencies: ReadonlyMap<string, ReadonlySet<DependencyKind>>;
  /** Of a workspace: names of crates by the keys that members take over. */
  readonly shared: ReadonlyMap<string, string>;
}

type Table = Readonly<Record<string, unknown>>;

const largest = 4 * 1024 * 1024;
const tables: readonly (readonly [string, DependencyKind])[] = [
  ["dependencies", "runtime"],
  ["build-dependencies", "build"],
  ["build_dependencies", "build"],
  ["dev-dependencies", "development"],
  ["dev_dependencies", "development"],
];

/** Reads a Cargo.toml, with only what an inventory needs of it. @throws SBOM_RUST_MANIFEST_MALFORMED */
export function readCargoManifest(file: CollectedFile): CargoManifest {
  let document: Table;
  try {
    document = readToml(Buffer.from(file.bytes(largest)).toString("utf8"), file.path);
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw rustErrors.make("SBOM_RUST_MANIFEST_MALFORMED", cause.message, { cause });
  }
  const own = table(document["package"] ?? document["project"]);
  const workspace = document["workspace"] === undefined ? undefined : table(document["workspace"]);
  const dependencies = new Map<string, Set<DependencyKind>>();
  for (const part of [document, ...Object.values(table(document["target"])).map(table)]) {
    for (const [name, kind] of tables) {
      for (const [key, wanted] of Object.entries(table(part[name]))) add(dependencies, key, wanted, kind);
    }
  }
  const shared = Object.entries(table(workspace?.["dependencies"]));
  const publish = own["publish"];
  return {
    file,
    directory: file.path.slice(0, -file.name.length),
    ...texts({
      name: own["name"],
      version: own["version"],
      licence: own["license"],
      description: own["description"],
      homepage: own["homepage"] ?? own["repository"],
    }),
    isPrivate: publish === false || (Array.isArray(publish) && publish.length === 0),
    isWorkspace: workspace !== undefined,
    dependencies,
    shared: new Map(shared.map(([key, value]) => [key, text(table(value)["package"]) ?? key])),
  };
}

function add(all: Map<string, Set<DependencyKind>>, key: string, wanted: unknown, kind: DependencyKind): void {
  const stated = table(wanted);
  const name = text(stated["package"]) ?? key;
  const kinds = all.get(name) ?? new Set<DependencyKind>();
  kinds.add(stated["optional"] === true && kind === "runtime" ? "optional" : kind);
  all.set(name, kinds);
}

function table(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Table) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 1000 ? value : undefined;
}

function texts<Key extends string>(values: Readonly<Record<Key, unknown>>): Partial<Record<Key, string>> {
  const found: Partial<Record<Key, string>> = {};
  for (const [key, value] of Object.entries(values) as [Key, unknown][]) {
    const written = text(value);
    if (written !== undefined) found[key] = written;
  }
  return found;
}
