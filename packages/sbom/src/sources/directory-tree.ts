import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats, statfsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expandArchives } from "./archive-expansion.ts";
import { TreeCollector } from "./collector.ts";
import { reasonOf } from "./content.ts";
import { sourceErrors } from "./errors.ts";
import { headLength, needsHead } from "./interest.ts";
import type { CollectedTree, CollectRequest, ScannedTree } from "./scanned-tree.ts";

/** A directory of this machine. Links are not followed; other file systems below it are, but not the kernel's own. */
export function openDirectoryTree(path: string): ScannedTree {
  return { kind: "directory", collect: (request) => collectDirectory(resolve(path), path, request) };
}

async function collectDirectory(root: string, shown: string, request: CollectRequest): Promise<CollectedTree> {
  const facts = statOfSource(root, shown);
  if (!facts.isDirectory()) {
    throw sourceErrors.make("SBOM_SOURCE_KIND", `expected a directory at ${shown}, found another kind of file`);
  }
  const collector = new TreeCollector(request);
  try {
    new DirectoryWalk(root, collector).walk(facts.dev);
    await expandArchives(collector);
    return collector.finish([]);
  } catch (error) {
    collector.abandon();
    throw error;
  }
}

/** @throws SBOM_SOURCE_MISSING */
export function statOfSource(path: string, shown: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw sourceErrors.make(
      "SBOM_SOURCE_MISSING",
      `expected something to scan at ${shown}, found: ${reasonOf(cause)}`,
      {
        cause,
      },
    );
  }
}

/** Magic numbers of file systems that the kernel makes up: proc, sysfs, cgroup, devpts, debugfs, tracefs, securityfs, bpf. */
const pseudo = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11, 0x19800202,
]);
const unreadable = /[\u0000-\u001f\u007f\ufffd]/;

interface Pending {
  readonly path: string;
  readonly depth: number;
  readonly device: number;
}

class DirectoryWalk {
  readonly #root: string;
  readonly #collector: TreeCollector;
  readonly #pending: Pending[] = [];

  constructor(root: string, collector: TreeCollector) {
    this.#root = root;
    this.#collector = collector;
  }

  walk(device: number): void {
    this.#pending.push({ path: "", depth: 0, device });
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) this.#directory(next);
  }

  #directory(directory: Pending): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(this.#host(directory.path), { withFileTypes: true });
    } catch (cause) {
      this.#collector.loseBy(directory.path, cause);
      return;
    }
    for (const entry of entries) {
      const path = directory.path === "" ? entry.name : `${directory.path}/${entry.name}`;
      this.#collector.entry();
      if (unreadable.test(entry.name)) {
        const shown = JSON.stringify(path.slice(-200));
        this.#collector.lose(directory.path, "SBOM_SOURCE_NAME", `expected names in UTF-8, found ${shown}`);
        continue;
      }
      try {
        this.#entry(path, entry, directory);
      } catch (cause) {
        this.#collector.loseBy(path, cause);
      }
    }
  }

  #entry(path: string, entry: Dirent, directory: Pending): void {
    const { paths } = this.#collector;
    if (entry.isSymbolicLink()) {
      paths.link(path, readlinkSync(this.#host(path)), 0);
    } else if (entry.isDirectory()) {
      paths.directory(path, 0);
      this.#enter(path, directory);
    } else if (entry.isFile()) {
      this.#file(path, entry.name);
    } else {
      paths.other(path, 0);
    }
  }

  #enter(path: string, parent: Pending): void {
    const { limits } = this.#collector.request;
    const depth = parent.depth + 1;
    if (depth > limits.depth) {
      const message = `expected at most ${limits.depth} directories in one another, found more`;
      this.#collector.lose(path, "SBOM_SOURCE_TOO_DEEP", message);
      return;
    }
    const host = this.#host(path);
    const { dev } = lstatSync(host);
    if (dev !== parent.device && pseudo.has(statfsSync(host).type)) {
      const message = "expected files, found a file system that the kernel makes up";
      this.#collector.lose(path, "SBOM_SOURCE_PSEUDO_FILES", message);
      return;
    }
    this.#pending.push({ path, depth, device: dev });
  }

  #file(path: string, name: string): void {
    const collector = this.#collector;
    const host = this.#host(path);
    const { size, mode: full } = lstatSync(host);
    const mode = full & 0o7777;
    collector.paths.file(path, 0);
    const content = collector.disk.content(host, path, size);
    const head = size > 0 && needsHead(name, mode) ? content.read(0, headLength) : undefined;
    const facts = { path, name, size, mode, ...(head !== undefined && { head }) };
    const interest = collector.interest(facts);
    if (interest.claims.length === 0 && interest.archive === undefined && !interest.program) return;
    collector.keep(facts, interest, 0, content);
  }

  #host(path: string): string {
    return path === "" ? this.#root : join(this.#root, path);
  }
}
