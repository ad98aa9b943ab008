import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createLogKeys, fsckLog, openLog } from "@touchmark/log";
import { DurableDirectory } from "../../packages/log/src/durable.ts";

/**
 * How fast the log is: every figure is of entries that are durable, published and proven.
 * `node bench/log/log.bench.ts [--seconds N] [--json]`; the directory is made below TMPDIR. With `tessera-bench` among
 * the peers (bench/peers), Tessera's POSIX driver runs in the same session with the same number of writers.
 */
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const seconds = option("--seconds", 5);
const entryBytes = 1_000;
const base = mkdtempSync(join(tmpdir(), "touchmark-bench-"));
let counter = 0;
const body = () => Buffer.from(`entry ${counter++} `.padEnd(entryBytes, "x"));

interface Figure {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const figureOf = (name: string, latencies: number[], elapsedMs: number): Figure => {
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2));
  return { name, perSecond: Math.round((sorted.length / elapsedMs) * 1000), p50Ms: at(0.5), p99Ms: at(0.99) };
};

const newLog = (name: string) => {
  const keys = createLogKeys(join(base, name, "keys"), { origin: "bench.example" });
  return { keys, directory: join(base, name, "log") };
};

/** Callers that each append again as soon as they are answered. */
async function appending(name: string, callers: number): Promise<Figure> {
  const { keys, directory } = newLog(name.replaceAll(" ", "-"));
  const log = await openLog({ directory, keys });
  for (let n = 0; n < 20; n++) await log.append(body());
  const latencies: number[] = [];
  const start = performance.now();
  const caller = async () => {
    while (performance.now() - start < seconds * 1000) {
      const asked = performance.now();
      await log.append(body());
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const figure = figureOf(name, latencies, performance.now() - start);
  await log.close();
  return figure;
}

/** The least that one caller's append must do on this disk: the same three files, five flushes and one rename, no log. */
async function floor(): Promise<Figure> {
  const files = new DurableDirectory(join(base, "floor"));
  const latencies: number[] = [];
  const content = Buffer.alloc(128 * entryBytes);
  const start = performance.now();
  for (let n = 0; performance.now() - start < seconds * 1000; n++) {
    const asked = performance.now();
    const paths = [`tile/0/000.p/${n}`, `tile/entries/000.p/${n}`, "checkpoint.new"];
    await files.write(new Map(paths.map((path) => [path, content])));
    await files.publish("checkpoint.new", "checkpoint");
    latencies.push(performance.now() - asked);
  }
  return figureOf("floor of one caller", latencies, performance.now() - start);
}

/** What a run of one step pays: open, one append, close, in a process that has the code loaded. */
async function cold(): Promise<Figure> {
  const { keys, directory } = newLog("cold");
  const latencies: number[] = [];
  const start = performance.now();
  for (let n = 0; n < 100; n++) {
    const asked = performance.now();
    const log = await openLog({ directory, keys });
    await log.append(body());
    await log.close();
    latencies.push(performance.now() - asked);
  }
  return figureOf("open, append one, close", latencies, performance.now() - start);
}

/** Two processes on one log, each with 128 callers. */
async function together(): Promise<Figure> {
  const { keys, directory } = newLog("together");
  const count = 128 * 60;
  const fixture = join(import.meta.dirname, "../../packages/log/src/appender.fixture.ts");
  const go = join(base, "go");
  const children = ["a", "b"].map((name) =>
    spawn(process.execPath, [fixture, join(base, "together"), name, `${count}`, "128", go], { stdio: "ignore" }),
  );
  const ended = children.map((child) => new Promise((resolve) => child.on("close", resolve)));
  await new Promise((resolve) => setTimeout(resolve, 700));
  const start = performance.now();
  writeFileSync(go, "");
  await Promise.all(ended);
  const elapsed = performance.now() - start;
  const { size } = await fsckLog(directory, keys.signer);
  if (size !== 2 * count) throw new Error(`expected ${2 * count} entries, found ${size}`);
  return {
    name: "two processes, 128 callers each",
    perSecond: Math.round((size / elapsed) * 1000),
    p50Ms: 0,
    p99Ms: 0,
  };
}

async function checking(): Promise<Figure> {
  const { keys, directory } = newLog("fsck");
  const log = await openLog({ directory, keys });
  await Promise.all(Array.from({ length: 20_000 }, () => log.append(body())));
  await log.close();
  const start = performance.now();
  await fsckLog(directory, keys.signer);
  const elapsed = performance.now() - start;
  return { name: "fsck, entries", perSecond: Math.round(20_000 / (elapsed / 1000)), p50Ms: 0, p99Ms: 0 };
}

/** Tessera's POSIX driver, where its small driver program is installed. */
function tessera(writers: number): Figure | undefined {
  const peers = join(process.env.TOUCHMARK_PEERS ?? join(homedir(), ".cache/touchmark-peers"), "bin");
  const folders = [...(process.env.PATH ?? "").split(delimiter), peers];
  const program = folders.map((folder) => join(folder, "tessera-bench")).find(existsSync);
  if (program === undefined) return undefined;
  const words = [join(base, `tessera-${writers}`), `${writers}`, `${seconds}`, `${entryBytes}`];
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8", timeout: seconds * 1000 + 60_000 });
  return status === 0 ? { name: `Tessera POSIX, ${writers} writers`, ...JSON.parse(stdout) } : undefined;
}

const figures: Figure[] = [];
try {
  figures.push(await appending("256 callers", 256), await appending("one caller", 1), await floor(), await cold());
  figures.push(await together(), await checking());
  for (const writers of [256, 1]) {
    const peer = tessera(writers);
    if (peer) figures.push(peer);
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}
const rate = (name: string) => figures.find((figure) => figure.name === name)?.perSecond;
const ratioOf = (ours: string, theirs: string): number | null => {
  const [a, b] = [rate(ours), rate(theirs)];
  return a && b ? Number((a / b).toFixed(2)) : null;
};
const result = {
  machine: `${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`,
  entryBytes,
  seconds,
  peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  figures,
  ratioToFloor: ratioOf("one caller", "floor of one caller"),
  ratioToTessera: {
    "256": ratioOf("256 callers", "Tessera POSIX, 256 writers"),
    "1": ratioOf("one caller", "Tessera POSIX, 1 writers"),
  },
};
if (!process.argv.includes("--json")) {
  for (const { name, perSecond, p50Ms, p99Ms } of figures) {
    console.error(`${name.padEnd(34)} ${`${perSecond}`.padStart(8)}/s  p50 ${p50Ms} ms  p99 ${p99Ms} ms`);
  }
}
console.log(JSON.stringify(result, undefined, 2));
