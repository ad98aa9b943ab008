import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { SealedFile } from "./sealed-file.ts";

/** An installed package of the host. */
export interface HostPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** Which package a file of the host belongs to. */
export interface PackageDatabase {
  /** `none`: the host has none that is known here; `unknown`: one that is not read (rpm, apk). */
  readonly manager: "dpkg" | "none" | "unknown";
  owner(path: string): HostPackage | undefined;
  /** Keeps what was looked up. */
  save(): void;
}

/** Where the database lies and where answers are kept. */
export interface PackageDatabaseOptions {
  /** Root of the host's file system, for tests. */
  readonly root?: string;
  /** File that keeps answers for as long as the database does not change. */
  readonly cache?: string;
}

const FORMAT = "touchmark package owners v1";

/** Opens the host's package database. Nothing is read before it is asked. */
export function openPackageDatabase(options: PackageDatabaseOptions = {}): PackageDatabase {
  const root = options.root ?? "/";
  const has = (path: string) => {
    try {
      return statSync(join(root, path)) !== undefined;
    } catch {
      return false;
    }
  };
  if (has("var/lib/dpkg/status")) return new DpkgDatabase(join(root, "var/lib/dpkg"), options.cache);
  const other = has("var/lib/rpm") || has("usr/lib/sysimage/rpm") || has("lib/apk/db/installed");
  return { manager: other ? "unknown" : "none", owner: () => undefined, save: () => undefined };
}

class DpkgDatabase implements PackageDatabase {
  readonly manager = "dpkg";
  readonly #directory: string;
  readonly #cache: SealedFile | undefined;
  #key: string | undefined;
  #answers = new Map<string, HostPackage | null>();
  #index: ReadonlyMap<string, HostPackage> | undefined;
  #changed = false;

  constructor(directory: string, cache: string | undefined) {
    this.#directory = directory;
    this.#cache = cache === undefined ? undefined : new SealedFile(cache);
  }

  owner(path: string): HostPackage | undefined {
    this.#open();
    let answer = this.#answers.get(path);
    if (answer === undefined) {
      this.#index ??= readIndex(this.#directory);
      // Since /usr was merged, packages list /lib/x and the kernel says /usr/lib/x.
      answer = this.#index.get(path) ?? (path.startsWith("/usr/") ? this.#index.get(path.slice(4)) : undefined) ?? null;
      this.#answers.set(path, answer);
      this.#changed = true;
    }
    return answer ?? undefined;
  }

  save(): void {
    if (this.#cache === undefined || !this.#changed) return;
    this.#cache.write(`${FORMAT}\n${this.#key}\n${JSON.stringify([...this.#answers])}`);
    this.#changed = false;
  }

  /** Answers count for one state of the database: its list of packages and versions, and of diversions. */
  #open(): void {
    if (this.#key !== undefined) return;
    const read = (name: string) => {
      try {
        return readFileSync(join(this.#directory, name));
      } catch {
        return Buffer.alloc(0);
      }
    };
    this.#key = `${sha256(read("status"))} ${sha256(read("diversions"))}`;
    const [format, key, answers] = (this.#cache?.read() ?? "").split("\n");
    if (format === FORMAT && key === this.#key && answers !== undefined)
      this.#answers = new Map(JSON.parse(answers) as [string, HostPackage | null][]);
  }
}

function readIndex(directory: string): Map<string, HostPackage> {
  const packages = readStatus(readFileSync(join(directory, "status"), "utf8"));
  const diversions = readDiversions(directory);
  const index = new Map<string, HostPackage>();
  for (const file of readdirSync(join(directory, "info"))) {
    if (!file.endsWith(".list")) continue;
    const found = packages.get(file.slice(0, -5));
    if (found === undefined) continue;
    for (const listed of readFileSync(join(directory, "info", file), "utf8").split("\n")) {
      const diversion = diversions.get(listed);
      const path = diversion !== undefined && diversion.by !== found.name ? diversion.to : listed;
      if (path !== "" && !index.has(path)) index.set(path, found);
    }
  }
  return index;
}

/** Installed packages by the name of their file list: `name` or `name:architecture`. */
function readStatus(text: string): Map<string, HostPackage> {
  const packages = new Map<string, HostPackage>();
  for (const paragraph of text.split("\n\n")) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(paragraph)?.[1];
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    if (name === undefined || version === undefined || architecture === undefined) continue;
    if (!/ (?:installed|triggers-awaited|triggers-pending)$/.test(field("Status") ?? "")) continue;
    const found = { name, version, architecture };
    if (!packages.has(name)) packages.set(name, found);
    packages.set(`${name}:${architecture}`, found);
  }
  return packages;
}

/** Files that one package moves out of the way of its own: three lines each. */
function readDiversions(directory: string): Map<string, { to: string; by: string }> {
  const diversions = new Map<string, { to: string; by: string }>();
  let lines: string[] = [];
  try {
    lines = readFileSync(join(directory, "diversions"), "utf8").split("\n");
  } catch {
    return diversions;
  }
  for (let i = 0; i + 2 < lines.length; i += 3)
    diversions.set(lines[i] as string, { to: lines[i + 1] as string, by: lines[i + 2] as string });
  return diversions;
}
