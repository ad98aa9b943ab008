import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { AskClient, AskedUpstream } from "../ecosystem.ts";
import { ecosystemAdapters } from "./index.ts";

/** Most that a client may say, and the longest that it may think about it. */
const mostBytes = 4 * 1024 * 1024;
const longestMs = 30_000;

/** Upstreams of each ecosystem whose client is installed, in the order in which the client prefers them. */
export type AskedUpstreams = Readonly<Partial<Record<Ecosystem, readonly AskedUpstream[]>>>;

/**
 * Asks the installed clients of this host for their upstreams. No name of a registry stands in this program: a host
 * without a client of an ecosystem gets no upstream of it.
 *
 * @param ask how clients are run; `withHostClients` gives the host's own
 */
export async function askUpstreams(ask: AskClient): Promise<AskedUpstreams> {
  const asked = await Promise.all(
    Object.values(ecosystemAdapters).map(async (adapter) => {
      const upstreams = (await adapter.askClient?.(ask)) ?? [];
      return [adapter.ecosystem, upstreams] as const;
    }),
  );
  return Object.fromEntries(asked.filter(([, upstreams]) => upstreams.length > 0)) as AskedUpstreams;
}

/**
 * Gives `use` a way to run the host's clients: without a shell, in an empty directory made for it, so that no file of
 * a project is read or run, without input, bounded in time and output.
 */
export async function withHostClients<T>(
  environment: Readonly<Record<string, string | undefined>>,
  use: (ask: AskClient) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "touchmark-ask-"));
  try {
    return await use((program, words, options = {}) =>
      run(program, words, directory, { ...environment, ...quiet, ...options.environment }, options.failing === true),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A shim that would first download its client is no installed client. */
const quiet = { COREPACK_ENABLE_NETWORK: "0", NO_UPDATE_NOTIFIER: "1", NO_COLOR: "1", LC_ALL: "C.UTF-8" };

function run(
  program: string,
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  failing: boolean,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = {
      cwd,
      env,
      timeout: longestMs,
      maxBuffer: mostBytes,
      killSignal: "SIGKILL",
      encoding: "utf8",
    } as const;
    const child = execFile(program, [...words], options, (error, stdout, stderr) => {
      if (failing) resolve(error !== null && "code" in error && error.code === "ENOENT" ? undefined : stdout + stderr);
      else resolve(error === null ? stdout : undefined);
    });
    child.stdin?.end();
  });
}
