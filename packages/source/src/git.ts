import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sourceErrors } from "./errors.ts";
import type { ObjectFormat } from "./object.ts";

/** Settings of the user's network and keys that may reach git when it talks to a remote. Nothing else does. */
const transportVariables = [
  "HTTPS_PROXY",
  "https_proxy",
  "NO_PROXY",
  "no_proxy",
  "ALL_PROXY",
  "all_proxy",
  "GIT_SSL_CAINFO",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SSH_AUTH_SOCK",
  "GIT_ASKPASS",
  "SSH_ASKPASS",
  "SSH_ASKPASS_REQUIRE",
  "DISPLAY",
] as const;

/** Picks the variables that a remote needs out of an environment. Values may hold credentials: never record them. */
export function transportEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of transportVariables) {
    const value = environment[name];
    if (value !== undefined && value !== "") chosen[name] = value;
  }
  return chosen;
}

/**
 * The environment of every git that we start: no system or user configuration, no hooks, no replaced objects, no
 * lazy fetching, no questions, and no transport but the two that a remote may use.
 */
export function isolatedEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "/dev/null",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "https:ssh",
    GIT_PROTOCOL_FROM_USER: "0",
    GIT_SSH_COMMAND:
      "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oForwardAgent=no -oClearAllForwardings=yes -oPermitLocalCommand=no",
  };
}

/**
 * An empty repository of ours. git reads other repositories' objects from within it, by GIT_OBJECT_DIRECTORY, so that
 * the configuration, hooks, attributes, replacements and grafts that lie beside those objects are never looked at.
 */
export function skeletonRepository(store: string, format: ObjectFormat): string {
  const path = join(store, `skeleton-${format}`);
  makeBareRepository(path, format);
  return path;
}

/** Makes a bare repository of known configuration, whole or not at all. Harmless when it exists. */
export function makeBareRepository(path: string, format: ObjectFormat): void {
  const parent = join(path, "..");
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const config = [
    "[core]",
    `\trepositoryformatversion = ${format === "sha1" ? 0 : 1}`,
    "\tbare = true",
    "\thooksPath = /dev/null",
    "\tfsmonitor = false",
    "\tattributesFile = /dev/null",
    ...(format === "sha1" ? [] : ["[extensions]", "\tobjectformat = sha256"]),
    "[transfer]\n\tfsckObjects = true",
    "[fetch]\n\tfsckObjects = true\n\twriteCommitGraph = false\n\trecurseSubmodules = false",
    "[protocol]\n\tversion = 2\n\tallow = never",
    '[protocol "https"]\n\tallow = always',
    '[protocol "ssh"]\n\tallow = always',
    "[gc]\n\tauto = 0",
    "[maintenance]\n\tauto = false",
    "",
  ].join("\n");
  const fresh = mkdtempSync(join(parent, "new-"));
  try {
    for (const directory of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "home"]) {
      mkdirSync(join(fresh, directory), { recursive: true });
    }
    writeFileSync(join(fresh, "config"), config);
    writeFileSync(join(fresh, "HEAD"), "ref: refs/heads/none\n");
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** Starts git inside a repository of ours. */
export function startGit(
  gitDirectory: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  return spawn("git", ["--git-dir", gitDirectory, ...args], {
    cwd: gitDirectory,
    env: { ...isolatedEnvironment(join(gitDirectory, "home")), ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

export interface GitResult {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  /** At most the last 4 KiB. */
  readonly stderr: string;
}

/** Runs git to its end. @throws SOURCE_GIT_MISSING, SOURCE_GIT_FAILED when it answers too much or too late */
export function runGit(
  gitDirectory: string,
  args: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
    readonly limitBytes?: number;
    readonly timeoutMs?: number;
  } = {},
): Promise<GitResult> {
  const child = startGit(gitDirectory, args, options.environment);
  const limit = options.limitBytes ?? 64 * 2 ** 20;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = "";
    let fault: Error | undefined;
    const stop = (error: Error) => {
      fault ??= error;
      child.kill("SIGKILL");
    };
    const failed = (why: string) => sourceErrors.make("SOURCE_GIT_FAILED", `git ${args[0]}: ${why}`);
    const timer = setTimeout(() => stop(failed("no end in time")), options.timeoutMs ?? 600_000);
    const abort = () => stop(failed("cancelled"));
    options.signal?.addEventListener("abort", abort, { once: true });
    if (options.signal?.aborted) abort();
    child.stdin.on("error", () => {});
    child.stdin.end();
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) stop(failed(`answered more than ${limit} bytes`));
      else chunks.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("latin1")).slice(-4096);
    });
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(spawnFailure(cause));
    });
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      if (fault) reject(fault);
      else resolve({ exitCode, stdout: Buffer.concat(chunks), stderr });
    });
  });
}

export function spawnFailure(cause: Error): Error {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
    return sourceErrors.make("SOURCE_GIT_MISSING", "expected the program git on PATH, found none", { cause });
  }
  return sourceErrors.make("SOURCE_GIT_FAILED", `git could not be started: ${cause.message}`, { cause });
}
