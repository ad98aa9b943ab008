import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "./main.ts";
import type { Terminal } from "./terminal.ts";

/** What a command line did. Used by tests only. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const plain = (text: string): string => text;

/** Runs a command line in this process, on a terminal that only remembers. */
export async function say(argv: readonly string[], more: Partial<Terminal> = {}): Promise<Said> {
  let out = "";
  let err = "";
  const terminal: Terminal = {
    print: (line) => {
      out += `${line}\n`;
    },
    note: (line) => {
      err += `${line}\n`;
    },
    write: (bytes) => {
      out += Buffer.from(bytes as Uint8Array).toString("utf8");
    },
    draw: (text) => {
      err += text;
    },
    live: false,
    columns: 100,
    style: { good: plain, bad: plain, warn: plain, dim: plain, bold: plain },
    environment: process.env,
    directory: process.cwd(),
    signal: new AbortController().signal,
    stdin: process.stdin,
    screen: false,
    lend: () => () => undefined,
    ...more,
  };
  const code = await main(argv, terminal);
  return { code, out, err };
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));
let built: string | undefined;

/**
 * The command as a program: bundled once a test file where the bundler is there, since a start from sources costs ten
 * times as much.
 */
export function program(): string {
  if (built !== undefined) return built;
  const source = join(repository, "packages", "cli", "src", "main.ts");
  const builder = join(repository, "tools", "build.ts");
  if (existsSync(builder)) {
    const place = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-dist-")));
    process.once("exit", () => rmSync(place, { recursive: true, force: true }));
    const out = join(place, "dist");
    if (spawnSync(process.execPath, [builder, "--out", out], { stdio: "ignore" }).status === 0) {
      built = join(out, "main.js");
      return built;
    }
  }
  built = source;
  return source;
}

/** Starts the command as a process of its own. */
export function start(home: string, directory: string, words: readonly string[], detached = false): ChildProcess {
  return spawn(process.execPath, [program(), ...words], {
    cwd: directory,
    env: { ...process.env, TOUCHMARK_HOME: home, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached,
  });
}

/** Waits for a process; gives its exit code or signal, and what it said. */
export async function ended(child: ChildProcess): Promise<Omit<Said, "code"> & { code: number | string | null }> {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | string | null>((resolve) =>
    child.once("close", (status, signal) => resolve(status ?? signal)),
  );
  return { code, out, err };
}

/** Waits until something is so, at most a while. */
export async function until(what: () => boolean, milliseconds = 20_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!what()) {
    if (performance.now() > deadline) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
