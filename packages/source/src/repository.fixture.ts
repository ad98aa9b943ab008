import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A git repository for tests, made with plumbing where a well-behaved client would refuse. */
export class TestRepository {
  readonly root: string;
  readonly path: string;
  /** Where fetches may keep their caches. */
  readonly store: string;
  #exports = 0;

  constructor(format: "sha1" | "sha256" = "sha1") {
    this.root = mkdtempSync(join(tmpdir(), "touchmark-source-test-"));
    this.path = join(this.root, "repository");
    this.store = join(this.root, "store");
    mkdirSync(this.path);
    mkdirSync(this.store);
    this.git(["init", "-q", "-b", "main", `--object-format=${format}`]);
  }

  /** Runs git as an ordinary user would, with the repository's own configuration. */
  git(
    args: readonly string[],
    options: { readonly input?: string | Buffer; readonly env?: Record<string, string> } = {},
  ): string {
    return execFileSync("git", args, {
      cwd: this.path,
      input: options.input ?? "",
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: this.root,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_NAME: "Ada",
        GIT_AUTHOR_EMAIL: "ada@example.org",
        GIT_AUTHOR_DATE: "1700000000 +0000",
        GIT_COMMITTER_NAME: "Ada",
        GIT_COMMITTER_EMAIL: "ada@example.org",
        GIT_COMMITTER_DATE: "1700000000 +0000",
        ...options.env,
      },
    })
      .toString()
      .trim();
  }

  write(path: string, content: string | Buffer): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), content);
  }

  /** Commits everything in the working tree. Returns the commit. */
  commit(message = "a change"): string {
    this.git(["add", "-A"]);
    this.git(["commit", "-q", "--allow-empty", "-m", message]);
    return this.git(["rev-parse", "HEAD"]);
  }

  blob(content: string | Buffer): string {
    return this.git(["hash-object", "-w", "--stdin", "-t", "blob"], { input: content });
  }

  /** Writes a tree object as it is given: names and modes that git itself would refuse. */
  tree(entries: readonly (readonly [mode: string, name: string | Buffer, id: string])[]): string {
    const rows = entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, "hex")]),
    );
    return this.object("tree", Buffer.concat(rows));
  }

  /** Writes an object of any content. */
  object(type: "tree" | "commit" | "tag" | "blob", content: Buffer | string): string {
    return this.git(["hash-object", "-w", "--stdin", "--literally", "-t", type], { input: content });
  }

  /** Commits a tree and moves the branch main to it. */
  commitTree(tree: string): string {
    const commit = this.git(["commit-tree", "-m", "made by hand", tree]);
    this.git(["update-ref", "refs/heads/main", commit]);
    return commit;
  }

  /** A new empty directory to fetch into. */
  directory(): string {
    const path = join(this.root, `export-${this.#exports++}`);
    mkdirSync(path);
    return path;
  }

  /** The options of a fetch of `main` into a new directory. */
  get fetch() {
    return { location: this.path, revision: "main", directory: this.directory(), repositoryStore: this.store };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
