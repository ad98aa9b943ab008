import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDigest } from "@touchmark/core";
import { expect, test } from "vitest";
import { backup } from "../backup.ts";
import { fsck } from "../fsck.ts";
import { openHome } from "../home.ts";
import { versionText } from "../migrations.ts";
import { restore } from "../restore.ts";
import { openStores, sampleRun } from "../sample-run.ts";
import { codeOf, temporaryDirectory } from "../temporary-home.ts";

const scenario = fileURLToPath(new URL("./scenario.ts", import.meta.url));
const hasStrace = spawnSync("strace", ["-V"]).status === 0;
// Everything that changes a file system; which of them occur differs between architectures.
const durable =
  "write,pwrite64,fsync,fdatasync,ftruncate,?mkdir,mkdirat,?rename,renameat,renameat2,?link,linkat,?unlink,unlinkat,?rmdir,?symlink,symlinkat,?utimensat,fchmod,?chmod,fchmodat";

interface Point {
  readonly call: string;
  readonly when: number;
}

/**
 * Runs a scenario under strace. One thread pool thread, so that the order of calls is the same every time. (strace's
 * seccomp filter would be faster, but then version 6.1 injects no signals.)
 */
async function traced(
  name: string,
  home: string,
  options: readonly string[],
): Promise<{ lines: string[]; trace: string; signal: string | null }> {
  const trace = `${home}.trace`;
  const node = [process.execPath, "--v8-pool-size=0", scenario, name, home];
  const child = spawn("strace", ["-f", "-qq", "-y", "-s", "0", "-o", trace, ...options, ...node], {
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  return { lines: output.split("\n").filter(Boolean), trace: readFileSync(trace, "utf8"), signal };
}

/** Plays every point, a few at a time. */
async function forEachPoint(
  points: readonly Point[],
  play: (point: Point, number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const player = async (): Promise<void> => {
    for (let number = next++; number < points.length; number = next++) await play(points[number] as Point, number);
  };
  await Promise.all([player(), player(), player()]);
}

/** The durable writes of a scenario: for each call that touches the directory, which one of its kind and thread it is. */
function enumerate(trace: string, directory: string): Point[] {
  const counts = new Map<string, number>();
  const points = new Map<string, Point>();
  for (const line of trace.split("\n")) {
    const match = /^(\d+) +([a-z0-9]+)\((.*)/.exec(line);
    if (match === null) continue;
    const [, thread, call, rest] = match as unknown as [string, string, string, string];
    const when = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, when);
    // Strings are cut to nothing by -s 0, except paths, which strace always shows whole.
    if (rest.includes(directory)) points.set(`${call} ${when}`, { call, when });
  }
  return [...points.values()];
}

/** A home as each scenario finds it, in a directory of its own. */
async function prepared(name: string): Promise<string> {
  const base = join(temporaryDirectory(), "base");
  mkdirSync(base);
  if (name === "create") return base;
  const stores = await openStores(await openHome(join(base, "home"), { create: true }));
  await sampleRun(stores, "one");
  // A prune needs a second run to delete; archives are read and written alike however many entries they have.
  if (name === "prune") await sampleRun(stores, "two");
  if (name === "restore") await backup(stores.home, join(base, "given.tar"));
  if (name === "migrate") {
    writeFileSync(stores.home.paths.version, versionText(1));
    for (const part of ["cache", "work"]) rmSync(join(stores.home.path, part, "CACHEDIR.TAG"));
  }
  stores.index.close();
  await stores.home.close();
  return base;
}

/** Nothing acknowledged is lost, nothing is half there, and the next command works. */
async function checkAfter(name: string, base: string, lines: readonly string[], number: number): Promise<void> {
  const home = await openHome(join(base, "home"), { create: true });
  const stores = await openStores(home);
  expect((await fsck(home, stores)).findings).toEqual([]);
  for (const line of lines) {
    const [kind, what = "", state] = line.split(" ");
    if (kind === "blob") expect((await stores.content.get(parseDigest(what))).length).toBe(3);
    if (kind === "tree") await stores.trees.verify(parseDigest(what));
    if (kind === "file") expect(existsSync(join(base, what))).toBe(true);
    if (kind === "run" && state === "succeeded") expect((await stores.runs.get(what)).state).toBe("succeeded");
    if (kind === "run" && state === "running") expect((await stores.runs.get(what)).state).not.toBe("running");
  }
  if (existsSync(join(base, "backup.tar"))) await restore(join(base, "backup.tar"), join(base, "from-backup"));
  if (existsSync(join(base, "restored"))) {
    const other = await openStores(await openHome(join(base, "restored")));
    expect((await fsck(other.home, other)).findings).toEqual([]);
    other.index.close();
  }
  stores.index.close();
  await home.close();
  expect(readdirSync(home.paths.work)).toEqual(["CACHEDIR.TAG"]);
  // Opening and checking above were the next commands; the same one again takes a process, so every fourth point does.
  if (number % 4 !== 0) return;
  const command = name === "create" || name === "migrate" ? "open" : name;
  for (const file of ["backup.tar", "restored"]) rmSync(join(base, file), { recursive: true, force: true });
  const next = spawnSync(process.execPath, [scenario, command, join(base, "home")]);
  expect(next.stdout.toString().trim().split("\n").at(-1)).toBe("done");
}

const names = ["create", "migrate", "put", "ingest", "run", "prune", "backup", "restore"];

test.skipIf(!hasStrace).each(names)("K1: kill -9 at every durable write: %s", { timeout: 900_000 }, async (name) => {
  const base = await prepared(name);
  const command = name === "create" || name === "migrate" ? "open" : name;
  const at = (label: string) => {
    const copy = join(base, "..", label);
    cpSync(base, copy, { recursive: true, preserveTimestamps: true });
    return copy;
  };
  const clean = await traced(command, join(at("clean"), "home"), ["-e", `trace=${durable}`]);
  expect(clean.lines.at(-1)).toBe("done");
  const points = enumerate(clean.trace, join(base, "..", "clean"));
  expect(points.length).toBeGreaterThan(5);
  let killed = 0;
  await forEachPoint(points, async ({ call, when }, number) => {
    const copy = at(`kill-${number}`);
    const options = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${when}`];
    const { lines, signal } = await traced(command, join(copy, "home"), options);
    if (signal === "SIGKILL") killed++;
    await checkAfter(name, copy, lines, number);
    rmSync(copy, { recursive: true, force: true });
  });
  // A few calls move between kinds of threads from one execution to the next; nearly all must really have been hit.
  expect(killed).toBeGreaterThan(points.length * 0.8);
});

const filling = /^(?:p?write(?:64)?|fsync|mkdir(?:at)?|rename(?:at2?)?|link(?:at)?|symlink(?:at)?)$/;

test.skipIf(!hasStrace).each(names)(
  "K2: a full disk at every durable write: %s",
  { timeout: 900_000 },
  async (name) => {
    const base = await prepared(name);
    const command = name === "create" || name === "migrate" ? "open" : name;
    const at = (label: string) => {
      const copy = join(base, "..", label);
      cpSync(base, copy, { recursive: true, preserveTimestamps: true });
      return copy;
    };
    const clean = await traced(command, join(at("clean"), "home"), ["-e", `trace=${durable}`]);
    const points = enumerate(clean.trace, join(base, "..", "clean")).filter(({ call }) => filling.test(call));
    const codes = new Set<string>();
    await forEachPoint(points, async ({ call, when }, number) => {
      const copy = at(`full-${number}`);
      const options = ["-e", `trace=${call}`, "-e", `inject=${call}:error=ENOSPC:when=${when}`];
      const { lines } = await traced(command, join(copy, "home"), options);
      codes.add(lines.at(-1) ?? "silence");
      await checkAfter(name, copy, lines, number);
      rmSync(copy, { recursive: true, force: true });
    });
    // A step that has another way, as a link that fails and becomes a rename, may also go on and be done.
    expect([...codes].filter((code) => code !== "done")).toEqual(["error STORE_DISK_FULL"]);
  },
);

test("K1: the scenarios are the commands that they claim to be", async () => {
  const base = await prepared("put");
  const { stdout } = spawnSync(process.execPath, [scenario, "put", join(base, "home")]);
  expect(stdout.toString().trim().split("\n").at(-1)).toBe("done");
  expect(await codeOf(openHome(join(base, "none")))).toBe("STORE_HOME_MISSING");
});
