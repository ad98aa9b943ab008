import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

/** A package proxy of others, running on this host's loopback. */
export interface Peer {
  readonly name: string;
  /** Repository address for the client. */
  readonly url: string;
  /** Empties its store; absent where it keeps nothing. */
  readonly forget?: () => Promise<void>;
  close(): Promise<void>;
}

const bin = join(process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers"), "bin");

/** Starts whatever proxies for a client are installed; an absent one is no error. */
export async function startPeers(client: "npm" | "pip", upstream: string, directory: string): Promise<readonly Peer[]> {
  if (client === "npm") return existsSync(join(bin, "verdaccio")) ? [await verdaccio(upstream, directory)] : [];
  return existsSync(join(bin, "devpi-server")) ? [await devpi(upstream, directory)] : [];
}

async function verdaccio(upstream: string, directory: string): Promise<Peer> {
  const port = await freePort();
  const storage = join(directory, "storage");
  const configuration = join(directory, "verdaccio.yaml");
  writeFileSync(
    configuration,
    `storage: ${storage}
uplinks: { up: { url: "${upstream}", cache: true } }
packages: { "**": { access: $all, proxy: up } }
log: { type: stdout, level: error }
`,
  );
  let running: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    running = spawn(join(bin, "verdaccio"), ["--config", configuration, "--listen", `127.0.0.1:${port}`], {
      stdio: "ignore",
    });
    await answering(`http://127.0.0.1:${port}/-/ping`);
  };
  await start();
  return {
    name: "Verdaccio",
    url: `http://localhost:${port}/`,
    forget: async () => {
      await ended(running);
      rmSync(storage, { recursive: true, force: true });
      await start();
    },
    close: () => ended(running),
  };
}

async function devpi(upstream: string, directory: string): Promise<Peer> {
  const port = await freePort();
  const data = join(directory, "devpi");
  let running: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    mkdirSync(directory, { recursive: true });
    const made = spawnSync(join(bin, "devpi-init"), ["--serverdir", data], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
    const words = [
      "--serverdir",
      data,
      "--port",
      String(port),
      "--host",
      "127.0.0.1",
      "--mirror-cache-expiry",
      "100000",
    ];
    running = spawn(join(bin, "devpi-server"), words, { stdio: "ignore" });
    await answering(`http://127.0.0.1:${port}/+api`);
  };
  await start();
  void upstream;
  return {
    name: "devpi",
    url: `http://localhost:${port}/root/pypi/+simple/`,
    forget: async () => {
      await ended(running);
      rmSync(data, { recursive: true, force: true });
      await start();
    },
    close: () => ended(running),
  };
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await gone;
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`nothing answers at ${url}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
