import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "@touchmark/store";
import { sourceErrors } from "./errors.ts";
import { makeBareRepository, runGit } from "./git.ts";
import type { SourceLocation } from "./location.ts";
import { idBytes, type ObjectFormat } from "./object.ts";

type RemoteLocation = Extract<SourceLocation, { kind: "remote" }>;

/** How a remote is reached. */
export interface TransportOptions {
  /** See `transportEnvironment`. Default: nothing of the caller's environment. */
  readonly transport?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A reference as a remote advertises it. */
export interface AdvertisedReference {
  readonly name: string;
  /** The object; for an annotated tag the commit that it leads to. */
  readonly id: string;
}

/**
 * Objects of one remote, kept below the repository store. It is a cache: no reference in it means anything, every
 * object is hashed again when it is read, and the whole directory can be deleted at any time.
 */
export class RemoteCache {
  readonly #location: RemoteLocation;
  readonly #base: string;
  readonly #options: TransportOptions;

  constructor(store: string, location: RemoteLocation, options: TransportOptions) {
    this.#location = location;
    this.#base = join(store, "remotes", createHash("sha256").update(location.url).digest("hex").slice(0, 32));
    this.#options = options;
  }

  /** The bare repository for an object format. */
  repository(format: ObjectFormat): string {
    const path = `${this.#base}-${format}.git`;
    makeBareRepository(path, format);
    return path;
  }

  /** Asks the remote for references of exact names. @throws SOURCE_UNREACHABLE */
  async advertised(names: readonly string[]): Promise<AdvertisedReference[]> {
    const patterns = names.flatMap((name) => (name.startsWith("refs/tags/") ? [name, `${name}^{}`] : [name]));
    const args = ["ls-remote", "--end-of-options", this.#location.url, ...patterns];
    const { exitCode, stdout, stderr } = await runGit(this.repository("sha1"), args, this.#run());
    if (exitCode !== 0) throw unreachable(this.#location, stderr);
    const ids = new Map<string, string>();
    for (const line of stdout.toString("utf8").split("\n")) {
      const match = /^([0-9a-f]{40}|[0-9a-f]{64})\t(.+)$/.exec(line);
      if (match?.[1] && match[2]) ids.set(match[2], match[1]);
    }
    return names.flatMap((name) => {
      const id = ids.get(`${name}^{}`) ?? ids.get(name);
      return id === undefined ? [] : [{ name, id }];
    });
  }

  /**
   * Brings a commit and its tree, by id, into the cache: alone where the remote serves single objects, else with all
   * its branches and tags. @throws SOURCE_UNREACHABLE, SOURCE_REVISION_UNKNOWN
   */
  async bring(commit: string): Promise<void> {
    const format = formatOf(commit);
    const repository = this.repository(format);
    mkdirSync(join(repository, ".."), { recursive: true });
    const lock = await takeLock(`${this.#base}-${format}.lock`, { timeoutMs: 600_000 });
    try {
      removeLeftovers(repository);
      // A commit is held only when nothing of its tree is missing; another process may have brought it meanwhile.
      if (await this.#holds(repository, commit)) return;
      const fetch = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
      ];
      const single = await runGit(repository, [...fetch, "--depth=1", this.#location.url, commit], this.#run());
      if (single.exitCode === 0) return;
      this.#options.signal?.throwIfAborted();
      const whole = existsSync(join(repository, "shallow")) ? ["--unshallow"] : [];
      const all = ["+refs/heads/*:refs/touchmark/heads/*", "+refs/tags/*:refs/touchmark/tags/*"];
      const full = await runGit(repository, [...fetch, ...whole, "--prune", this.#location.url, ...all], this.#run());
      if (full.exitCode !== 0) throw unreachable(this.#location, `${single.stderr}${full.stderr}`);
      if (!(await this.#holds(repository, commit))) {
        throw sourceErrors.make(
          "SOURCE_REVISION_UNKNOWN",
          `expected the commit ${commit} in ${this.#location.uri}, found none`,
        );
      }
    } finally {
      lock.release();
    }
  }

  async #holds(repository: string, commit: string): Promise<boolean> {
    const args = ["rev-list", "--objects", "--no-walk", "--quiet", "--end-of-options", `${commit}^{commit}`, "--"];
    return (await runGit(repository, args)).exitCode === 0;
  }

  #run() {
    const { transport, signal } = this.#options;
    return {
      ...(transport === undefined ? {} : { environment: transport }),
      ...(signal === undefined ? {} : { signal }),
    };
  }
}

/** The format of a full object id. */
export function formatOf(id: string): ObjectFormat {
  return id.length === idBytes.sha256 * 2 ? "sha256" : "sha1";
}

// Under our lock nobody else works here: what lies there was left by a process that was killed.
function removeLeftovers(repository: string): void {
  const clean = (directory: string, pattern: RegExp) => {
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      if (pattern.test(name)) rmSync(join(directory, name), { force: true, recursive: true });
    }
  };
  clean(repository, /\.lock$/);
  clean(join(repository, "objects"), /^(?:tmp_|incoming-)/);
  clean(join(repository, "objects/pack"), /^(?:tmp_|\.tmp)|\.lock$/);
  const references = join(repository, "refs");
  for (const name of existsSync(references) ? readdirSync(references, { recursive: true, encoding: "utf8" }) : []) {
    if (name.endsWith(".lock")) rmSync(join(references, name), { force: true });
  }
}

function unreachable(location: RemoteLocation, stderr: string) {
  // git repeats the URL, which may hold a user name, and what the server says: one printable line is enough.
  const said = stderr
    .replace(/\/\/[^/@\s]*@/g, "//")
    .replace(/[^\u0020-\u007e\n]/g, "?")
    .trim()
    .split("\n")
    .slice(-3)
    .join("; ");
  if (/fsck|index-pack|unpack|bad object|malformed|hasDot/i.test(said)) {
    return sourceErrors.make(
      "SOURCE_OBJECT_CORRUPT",
      `${location.uri}: git refuses its objects: ${said.slice(0, 300)}`,
    );
  }
  return sourceErrors.make("SOURCE_UNREACHABLE", `${location.uri}: ${said.slice(0, 300)}`);
}
