import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { systemClock } from "@touchmark/core";
import {
  allClientSettings,
  type EcosystemAdapter,
  javaKeyStore,
  startProxy,
  type Upstream,
  upstreamSettings,
} from "@touchmark/materials";
import { bubblewrapWorker, type StepMount } from "@touchmark/worker";
import { type ExpectedOf, RecordingDoor } from "./recording-door.ts";

/** Where the clients of live tests lie: `bench/peers/install.sh clients`. */
export const clientsDirectory = join(
  process.env.TOUCHMARK_PEERS ?? join(homedir(), ".cache", "touchmark-peers"),
  "clients",
);

/** True when the installer has finished. */
export function haveClients(): boolean {
  return existsSync(join(clientsDirectory, ".installed"));
}

/** A client in a real sandbox, whose only way out is the proxy. */
export interface ClientSandbox {
  readonly door: RecordingDoor;
  /** Runs a script of `/bin/sh -eu` at `/work/project`, a copy of `project`; what it leaves in `$TOUCHMARK_OUTPUT` is at `output`. */
  run(script: string, project: string): Promise<{ exitCode: number | null; text: string; output: string }>;
  /** A directory for the caller with files in it. */
  directoryOf(files: Readonly<Record<string, string>>): string;
  close(): Promise<void>;
}

/** Opens a sandbox for the clients of one ecosystem. */
export async function clientSandbox(
  adapter: EcosystemAdapter,
  upstreams: readonly Upstream[],
  more: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly mounts?: readonly StepMount[];
    /** As `StepView.toolchains`. */
    readonly toolchains?: readonly string[];
    /** What lockfile or upstream say of an archive, where no index does. */
    readonly expected?: ExpectedOf;
    /** File with the authority of a server of the test's own. */
    readonly authority?: string;
  } = {},
): Promise<ClientSandbox> {
  const root = mkdtempSync(join(tmpdir(), "touchmark-live-"));
  chmodSync(root, 0o711);
  const made = (name: string): string => {
    const path = join(root, name);
    mkdirSync(path);
    return path;
  };
  const worker = bubblewrapWorker({ stateDirectory: made("state") });
  const door = new RecordingDoor(made("answers"), adapter, upstreams, more.expected);
  const control = made("control");
  chmodSync(control, 0o700);
  const socketPath = join(control, "proxy.sock");
  const authority = more.authority === undefined ? {} : { SSL_CERT_FILE: more.authority };
  const upstream = upstreamSettings({ ...process.env, ...authority });
  const proxy = await startProxy({ socketPath, door, clock: systemClock, upstream });
  const at = "/run/touchmark/materials";
  const settings = allClientSettings([adapter], {
    proxy: "http://127.0.0.1:3128",
    proxyPort: 3128,
    authorityPem: `${at}/authority.pem`,
    authorityKeystore: `${at}/authority.jks`,
    directory: at,
    home: "/home/builder",
    upstreams,
  });
  const provided = made("provided");
  for (const [name, text] of Object.entries({ ...settings.files, "authority.pem": proxy.authorityPem })) {
    mkdirSync(dirname(join(provided, name)), { recursive: true });
    writeFileSync(join(provided, name), text);
  }
  writeFileSync(join(provided, "authority.jks"), javaKeyStore(proxy.authorityDer));
  const placed = Object.entries(settings.placed ?? {}).map(([path, text], index) => {
    const host = join(made(`placed-${index}`), "file");
    writeFileSync(host, text);
    return { host, at: path };
  });
  let count = 0;
  return {
    door,
    directoryOf: (files) => {
      const directory = made(`files-${++count}`);
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), text);
      }
      return directory;
    },
    run: async (script, project) => {
      const chunks: Uint8Array[] = [];
      const output = made(`output-${++count}`);
      const result = await worker.run({
        id: `live-${process.pid}-${count}`,
        command: ["/bin/sh", "-eu", "-c", script],
        directory: "/work/project",
        environment: { ...settings.environment, ...more.environment },
        mounts: [{ host: project, at: "/work/project", access: "copy-on-write" }, ...(more.mounts ?? [])],
        output: { host: output, at: "/work/output" },
        view: { toolchains: more.toolchains ?? [] },
        network: "proxy",
        bridge: { port: 3128, socket: socketPath },
        provided: [{ host: provided, at }, ...placed],
        limits: { memoryBytes: 2 ** 31, pids: 512, seconds: 120, outputBytes: 512 << 20, logBytes: 4 << 20 },
        sourceDateEpoch: 1_700_000_000,
        onOutput: (chunk) => void chunks.push(Uint8Array.from(chunk)),
      });
      return { exitCode: result.exitCode, text: Buffer.concat(chunks).toString(), output };
    },
    close: async () => {
      await proxy.close();
      await worker.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Node of this process, and what `bench/peers/install.sh clients` brings, as a sandbox sees them. */
export function clientMounts(): readonly StepMount[] {
  const own = dirname(process.execPath);
  return [
    { host: clientsDirectory, at: "/work/clients", access: "read-only" },
    ...(own.startsWith("/usr/") ? [] : [{ host: own, at: "/work/node", access: "read-only" } as const]),
  ];
}

/** `mode type digest path` of everything below a directory but what `leftOut` names; sorted. */
export function treeOf(directory: string, leftOut: RegExp): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(directory, path);
      if (entry.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      if (!entry.isFile()) return `${name}/`;
      const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
      return `${name} ${lstatSync(path).mode & 0o111 ? "x" : "-"} ${digest}`;
    })
    .filter((line) => !leftOut.test(line))
    .sort();
}

/** Copies a project so that a run's files can be added to it. */
export function withFiles(project: string, from: string, names: readonly string[]): string {
  for (const name of names) cpSync(join(from, name), join(project, name), { recursive: true });
  return project;
}
