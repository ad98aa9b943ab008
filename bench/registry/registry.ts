import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Our registry beside distribution's and crane's in one session: `node bench/registry/registry.ts [ROUNDS] [BYTES]`, JSON
 * and a table. Each round starts each registry anew on an empty directory, in turn, and puts the same load on it
 * (`load.ts`), with the client on the same processors; then `wrk` asks for one manifest through eight connections. Ours is
 * the bundled command, its writes durable, every digest checked.
 */
const rounds = Number(process.argv[2] ?? 3);
const bytes = process.argv[3] ?? String(1024 ** 3);
const repository = join(import.meta.dirname, "..", "..");
const peers = join(process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers"), "bin");
const base = mkdtempSync(join(tmpdir(), "touchmark-bench-registry-"));

interface Registry {
  readonly name: string;
  /** Program and arguments for an address and a directory; undefined: not here. */
  command(address: string, directory: string): readonly string[] | undefined;
}

function find(name: string): string | undefined {
  return [peers, ...(process.env["PATH"] ?? "").split(delimiter)]
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}

const registries: readonly Registry[] = [
  {
    name: "touchmark",
    command: (address, directory) => [
      ...[process.execPath, join(repository, "dist", "main.js"), "registry", "serve"],
      ...["--listen", address, "--dir", directory, "--insecure-anonymous-write"],
    ],
  },
  {
    name: "distribution",
    command: (address, directory) => {
      const program = find("registry");
      if (program === undefined) return undefined;
      const file = join(directory, "config.yml");
      const storage = `filesystem: { rootdirectory: ${join(directory, "data")} }, delete: { enabled: true }`;
      writeFileSync(file, `version: 0.1\nlog: { level: error }\nstorage: { ${storage} }\nhttp: { addr: ${address} }\n`);
      return [program, "serve", file];
    },
  },
  {
    name: "crane",
    command: (address, directory) => {
      const program = find("crane");
      return program === undefined
        ? undefined
        : [program, "registry", "serve", "--address", address, "--disk", directory];
    },
  },
];

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function memory(pid: number, name: "VmHWM" | "VmRSS"): number {
  const line = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(line ?? 0) / 1024;
}

/** One registry, from its start to its end. Seconds, MiB, requests a second. */
async function measure(registry: Registry, round: number): Promise<Record<string, number> | undefined> {
  const directory = join(base, `${registry.name}-${round}`);
  mkdirSync(directory, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const [program, ...words] = registry.command(address, directory) ?? [];
  if (program === undefined) return undefined;
  const begun = performance.now();
  const env = { ...process.env, TOUCHMARK_HOME: join(base, "home") };
  const server = spawn(program, words, { stdio: "ignore", env });
  try {
    for (;;) {
      const answer = await fetch(`http://${address}/v2/`).catch(() => undefined);
      if (answer?.ok === true) break;
      if (performance.now() - begun > 30_000) throw new Error(`${registry.name} did not start`);
      await sleep(2);
    }
    const start = performance.now() - begun;
    const pid = server.pid ?? 0;
    const idle = memory(pid, "VmRSS");
    const load = join(import.meta.dirname, "load.ts");
    const said = execFileSync(process.execPath, [load, `http://${address}`, bytes], { encoding: "utf8" });
    const figures = JSON.parse(said) as Record<string, number>;
    const target = `http://${address}/v2/bench/load/manifests/latest`;
    const header = "Accept: application/vnd.oci.image.manifest.v1+json";
    const wrk = find("wrk");
    const told = wrk && spawnSync(wrk, ["-t1", "-c8", "-d5s", "-H", header, target], { encoding: "utf8" }).stdout;
    const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(told ?? "")?.[1] ?? Number.NaN);
    return { ...figures, "manifest-gets": rate, "start-ms": start, "idle-mib": idle, "peak-mib": memory(pid, "VmHWM") };
  } finally {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

execFileSync(process.execPath, [join(repository, "tools", "build.ts")], { stdio: ["ignore", "ignore", "inherit"] });
mkdirSync(join(base, "home"), { recursive: true });
const all = new Map<string, Record<string, number>[]>();
for (let round = 0; round < rounds; round++) {
  for (const registry of registries) {
    const figures = await measure(registry, round);
    if (figures === undefined) continue;
    all.set(registry.name, [...(all.get(registry.name) ?? []), figures]);
    process.stderr.write(`${registry.name}: ${JSON.stringify(figures)}\n`);
  }
}
rmSync(base, { recursive: true, force: true });
const names = Object.keys(all.get("touchmark")?.[0] ?? {});
const table = names.map((name) => ({
  name,
  ...Object.fromEntries(
    [...all].map(([registry, rows]) => [registry, median(rows.map((row) => row[name] ?? Number.NaN))]),
  ),
}));
console.table(table);
process.stdout.write(`${JSON.stringify({ rounds, bytes: Number(bytes), table })}\n`);
