import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { findProgram } from "./program.ts";

/** Registries of others: distribution 2.8 knows no referrers, crane's knows some of them, distribution 3 is the current one. */
export type PeerRegistryKind = "docker-registry" | "crane" | "distribution";

/** A registry of others that runs. */
export interface PeerRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  close(): Promise<void>;
}

const programs: Readonly<Record<PeerRegistryKind, string>> = {
  "docker-registry": "docker-registry",
  crane: "crane",
  distribution: "registry",
};

/** True when the program of a peer is installed. */
export const hasPeerRegistry = (kind: PeerRegistryKind): boolean => findProgram(programs[kind]) !== undefined;

/** Starts a registry of others in a directory of its own. */
export async function startPeerRegistry(kind: PeerRegistryKind): Promise<PeerRegistry> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-peer-"));
  const host = `127.0.0.1:${await freePort()}`;
  const configuration = join(directory, "config.yml");
  mkdirSync(join(directory, "data"));
  writeFileSync(
    configuration,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${join(directory, "data")} }, delete: { enabled: true } }
http: { addr: "${host}" }
`,
  );
  const words = kind === "crane" ? ["registry", "serve", "--address", host] : ["serve", configuration];
  const child = spawn(findProgram(programs[kind]) ?? "", words, {
    stdio: "ignore",
    env: { ...process.env, HOME: directory },
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for (let waits = 0; !(await answers(host)); waits++) {
    if (waits === 200 || child.exitCode !== null) throw new Error(`${kind} does not answer`);
    await setTimeout(50);
  }
  return {
    host,
    close: async () => {
      child.kill();
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    request(`http://${host}/v2/`, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", () => resolve(false))
      .end();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
