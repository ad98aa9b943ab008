import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readLockfile } from "@touchmark/formats/lockfiles";
import { openFactory } from "@touchmark/pipeline";
import { makeProject, openFetchNetwork, openRunMaterials } from "@touchmark/pipeline/fixture";
import { clientMounts, clientsDirectory, haveClients } from "@touchmark/test-kit/clients";
import { bubblewrapWorker, type StepJob } from "@touchmark/worker";
import { median } from "../interleave.ts";
import { describeMachine, isShort } from "../machine.ts";
import { type Peer, startPeers } from "./peers.ts";

/**
 * What the recording proxy costs a real client: `node bench/materials/fetch.ts [--rounds N] [--only npm|pip] [--json]`.
 * The same locked installation in the same sandbox, without an observer: with the host's network (direct), through the
 * proxy with an empty mirror (cold) and with a full one (warm), and through the proxies of others where
 * `bench/peers/install.sh proxies` brought them. In turns; medians; ratios to direct, round by round.
 */
const { values } = parseArgs({
  options: { rounds: { type: "string" }, only: { type: "string" }, json: { type: "boolean" } },
});
const rounds = Number(values.rounds ?? (isShort ? 1 : 5));
const base = mkdtempSync(join(tmpdir(), "touchmark-bench-fetch-"));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** One client's installation. */
interface Workload {
  readonly name: "npm" | "pip";
  readonly lockfile: string;
  readonly files: Readonly<Record<string, string>>;
  readonly script: string;
  /** Makes the lockfile on this host, once. */
  readonly lock: readonly string[];
  /** Environment that sends the client to another repository. */
  readonly via: (url: string) => Readonly<Record<string, string>>;
}

const python = join(clientsDirectory, "python", "bin", "python");
const wheels = ["requests", "flask", "rich", "httpx", "pydantic", "jinja2", "pytest", "attrs", "click", "sqlalchemy"];
const workloads: readonly Workload[] = [
  {
    name: "npm",
    lockfile: "package-lock.json",
    files: {
      "package.json": JSON.stringify({
        ...{ name: "bench", version: "1.0.0", private: true },
        dependencies: { eslint: "9.39.1", webpack: "5.103.0", express: "4.21.2", mocha: "11.7.5" },
      }),
    },
    lock: ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"],
    script: "npm ci --ignore-scripts --no-audit --no-fund --cache /tmp/cache",
    via: (url) => ({ npm_config_registry: url }),
  },
  {
    name: "pip",
    lockfile: "requirements.txt",
    files: {},
    lock: [python, "-c", pipLock()],
    script:
      "/work/clients/python/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --no-cache-dir -d /tmp/wheels -r requirements.txt",
    via: (url) => ({ PIP_INDEX_URL: url, PIP_TRUSTED_HOST: "localhost" }),
  },
];

/** A Python program that resolves the wheels and writes requirements with hashes. */
function pipLock(): string {
  return [
    "import json, subprocess, sys",
    `names = ${JSON.stringify(wheels)}`,
    "words = [sys.executable, '-m', 'pip', 'install', '--quiet', '--dry-run', '--ignore-installed', '--only-binary', ':all:', '--report', '-']",
    "report = json.loads(subprocess.run(words + names, check=True, capture_output=True).stdout)",
    "with open('requirements.txt', 'w') as out:",
    "    for each in report['install']:",
    "        hashes = each['download_info']['archive_info']['hashes']",
    "        meta = each['metadata']",
    "        out.write(meta['name'] + '==' + meta['version'] + ' --hash=sha256:' + hashes['sha256'] + '\\n')",
  ].join("\n");
}

/** What one arm took. */
interface Sample {
  readonly wallMs: number;
  /** Of the control plane, while the client ran. */
  readonly cpuMs?: number;
  readonly peakMiB?: number;
}

const worker = bubblewrapWorker({ stateDirectory: made("state") });
let count = 0;

function made(name: string): string {
  const path = join(base, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function job(workload: Workload, project: string, more: Partial<StepJob>): StepJob {
  return {
    id: `bench-${process.pid}-${++count}`,
    command: ["/bin/sh", "-eu", "-c", workload.script],
    directory: "/work/project",
    mounts: [{ host: project, at: "/work/project", access: "copy-on-write" }, ...clientMounts()],
    output: { host: made(`output-${count}`), at: "/work/output" },
    view: { toolchains: [] },
    network: "open",
    limits: { memoryBytes: 4 * 2 ** 30, pids: 1024, seconds: 600, outputBytes: 2 ** 31, logBytes: 1 << 20 },
    sourceDateEpoch: 1_700_000_000,
    ...more,
    environment: { PATH: "/work/node:/usr/local/bin:/usr/bin:/bin", ...more.environment },
  };
}

async function perform(what: StepJob): Promise<number> {
  const said: Uint8Array[] = [];
  const begun = performance.now();
  const result = await worker.run({ ...what, onOutput: (chunk) => void said.push(Uint8Array.from(chunk)) });
  const wallMs = performance.now() - begun;
  rmSync(what.output.host, { recursive: true, force: true });
  if (result.outcome !== "succeeded") throw new Error(Buffer.concat(said).toString().slice(-2000) || result.outcome);
  return wallMs;
}

/** The user's own settings, for a client with the host's network. */
const own: Record<string, string> = {};
for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "PIP_CERT", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]) {
  const value = process.env[name];
  if (value !== undefined) own[name] = value;
}

async function throughProxy(workload: Workload, project: string, home: string): Promise<Sample> {
  const factory = await openFactory({ home, create: true });
  const environment = process.env;
  const request = {
    environment,
    offline: false,
    trusted: true,
    project: {},
    note: () => undefined,
    advisories: async () => undefined,
  };
  const materials = await openRunMaterials(factory, request);
  const path = workload.lockfile;
  const bytes = readFileSync(join(project, path));
  const lockfile = { ...readLockfile(path, bytes), digest: `sha256:${"0".repeat(64)}` as const };
  const step = { name: "fetch", definition: { materials: {} } };
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const network = await openFetchNetwork(materials, step, [lockfile], await factory.home.scratch("fetch"));
  const { bridge, provided } = network;
  await perform(job(workload, project, { network: "proxy", bridge, provided, environment: network.environment }));
  const report = await network.close();
  const wallMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(timer);
  await materials.close();
  await factory.close();
  const refused = report.session.refused.find((each) => !each.harmless);
  if (refused !== undefined) throw new Error(`${refused.code}: ${refused.message}`);
  return { wallMs, cpuMs: (user + system) / 1000, peakMiB: peak / 2 ** 20 };
}

async function direct(workload: Workload, project: string, via: Readonly<Record<string, string>>): Promise<Sample> {
  return { wallMs: await perform(job(workload, project, { environment: { ...own, ...via } })) };
}

async function measure(workload: Workload): Promise<object> {
  const { directory } = makeProject(base, workload.name, '  steps: { s: { command: ["true"] } }', workload.files);
  const [program = "", ...words] = workload.lock;
  const locked = spawnSync(program, words, { cwd: directory, encoding: "utf8" });
  if (locked.status !== 0) throw new Error(`${program}: ${locked.stderr}`);
  const lockfile = readLockfile(workload.lockfile, readFileSync(join(directory, workload.lockfile)));
  const upstream = firstUpstream(workload.name);
  const peers: readonly Peer[] = await startPeers(workload.name, upstream, made(`peers-${workload.name}`));
  const warm = made(`warm-${workload.name}`);
  const warmHome = join(warm, "home");
  const samples = new Map<string, Sample[]>();
  const take = async (name: string, work: () => Promise<Sample>, counted: boolean): Promise<void> => {
    const sample = await work();
    say(`${workload.name} ${name}: ${Math.round(sample.wallMs)} ms${counted ? "" : " (not counted)"}`);
    if (counted) samples.set(name, [...(samples.get(name) ?? []), sample]);
  };
  try {
    for (let round = 0; round <= rounds; round++) {
      const counted = round > 0;
      const cold = join(made(`cold-${workload.name}-${round}`), "home");
      await take("direct", () => direct(workload, directory, {}), counted);
      await take("proxy, cold", () => throughProxy(workload, directory, cold), counted);
      await take("proxy, warm", () => throughProxy(workload, directory, warmHome), counted);
      rmSync(cold, { recursive: true, force: true });
      for (const peer of peers) {
        if (round === 0 || peer.forget !== undefined) await peer.forget?.();
        await take(`${peer.name}, cold`, () => direct(workload, directory, workload.via(peer.url)), counted);
        if (peer.forget !== undefined)
          await take(`${peer.name}, warm`, () => direct(workload, directory, workload.via(peer.url)), counted);
      }
    }
  } finally {
    for (const peer of peers) await peer.close();
  }
  const base0 = samples.get("direct") ?? [];
  const rows = [...samples].map(([name, taken]) => ({
    name,
    medianMs: Math.round(median(taken.map((each) => each.wallMs))),
    ratio: Math.round(100 * median(taken.map((each, i) => each.wallMs / (base0[i]?.wallMs ?? Number.NaN)))) / 100,
    ...(taken[0]?.cpuMs === undefined ? {} : { cpuMs: Math.round(median(taken.map((each) => each.cpuMs ?? 0))) }),
    ...(taken[0]?.peakMiB === undefined
      ? {}
      : { peakMiB: Math.round(Math.max(...taken.map((each) => each.peakMiB ?? 0))) }),
  }));
  return { workload: workload.name, packages: lockfile.packages.length, rounds, rows };
}

/** The repository that this host's client uses; asked of the factory's configuration, which asked the client. */
function firstUpstream(name: Workload["name"]): string {
  const words = name === "npm" ? ["npm", "config", "get", "registry"] : [python, "-c", indexOfPip];
  const [program = "", ...rest] = words;
  return spawnSync(program, rest, { encoding: "utf8" }).stdout.trim();
}
const indexOfPip = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";

try {
  if (!haveClients()) throw new Error("bench/peers/install.sh clients has not run");
  if (!existsSync(python)) throw new Error(`no Python of the clients at ${python}`);
  const results: object[] = [];
  for (const workload of workloads) {
    if (values.only === undefined || values.only === workload.name) results.push(await measure(workload));
  }
  const answer = { machine: describeMachine(), results };
  process.stdout.write(`${JSON.stringify(answer, undefined, values.json === true ? undefined : 2)}\n`);
} finally {
  await worker.close?.();
  writeFileSync(join(base, "done"), "");
  rmSync(base, { recursive: true, force: true });
}
