import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findRepositoryRoot } from "@touchmark/source";
import { cliErrors } from "../../errors.ts";

/** Files below a directory, and how they were listed. */
export interface ListedFiles {
  /** Relative to the directory, with `/`, in byte order. */
  readonly paths: readonly string[];
  /** `git`: what is tracked, or neither tracked nor ignored. `walk`: everything but what tools make. */
  readonly by: "git" | "walk";
}

const MAX_FILES = 200_000;
const MAX_DEPTH = 40;
const made = new Set([".git", "node_modules", ".hg", ".svn", "__pycache__", ".venv"]);

/** Lists the files of a directory. @throws CLI_USAGE when there are too many */
export function listFiles(directory: string): ListedFiles {
  const listed = listByGit(directory);
  const paths = listed ?? walk(directory);
  if (paths.length > MAX_FILES) {
    throw cliErrors.make("CLI_USAGE", `expected at most ${MAX_FILES} files below ${directory}`, {
      hint: "Name the directories to look at.",
    });
  }
  return { paths: paths.sort((a, b) => (a < b ? -1 : 1)), by: listed === undefined ? "walk" : "git" };
}

/**
 * Asks git, from an empty repository of ours beside the index of theirs: nothing that their configuration names is
 * started. Undefined where there is no repository, or git cannot read it.
 */
function listByGit(directory: string): string[] | undefined {
  const root = findRepositoryRoot(directory);
  const gitDirectory = root === undefined ? undefined : gitDirectoryOf(root);
  if (root === undefined || gitDirectory === undefined) return undefined;
  const skeleton = mkdtempSync(join(tmpdir(), "touchmark-lint-"));
  try {
    for (const name of ["objects", "refs"]) mkdirSync(join(skeleton, name));
    writeFileSync(join(skeleton, "HEAD"), "ref: refs/heads/none\n");
    writeFileSync(join(skeleton, "config"), "[core]\n\trepositoryformatversion = 0\n");
    const out = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: directory,
      env: {
        PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
        HOME: skeleton,
        LC_ALL: "C",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_OPTIONAL_LOCKS: "0",
        GIT_DIR: skeleton,
        GIT_WORK_TREE: root,
        GIT_INDEX_FILE: join(gitDirectory, "index"),
      },
      maxBuffer: 64 * 1024 * 1024,
      timeout: 60_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return [...new Set(out.toString("utf8").split("\0"))].filter(
      (path) => path !== "" && isFile(join(directory, path)),
    );
  } catch {
    return undefined;
  } finally {
    rmSync(skeleton, { recursive: true, force: true });
  }
}

function gitDirectoryOf(root: string): string | undefined {
  const dotGit = join(root, ".git");
  try {
    if (lstatSync(dotGit).isDirectory()) return dotGit;
    const [, pointer] = /^gitdir: (.{1,4096}?)\r?\n?$/.exec(readFileSync(dotGit, "utf8")) ?? [];
    return pointer === undefined ? undefined : resolve(root, pointer);
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function walk(directory: string): string[] {
  const found: string[] = [];
  const open: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  for (let each = open.pop(); each !== undefined && found.length <= MAX_FILES; each = open.pop()) {
    for (const entry of readdirSync(join(directory, each.path), { withFileTypes: true })) {
      const path = each.path === "" ? entry.name : `${each.path}/${entry.name}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && !made.has(entry.name) && each.depth < MAX_DEPTH) {
        open.push({ path, depth: each.depth + 1 });
      }
    }
  }
  return found;
}

/** True for a directory, links followed: the user named it. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
