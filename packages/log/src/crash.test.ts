import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@touchmark/formats/log";
import { afterAll, expect, test } from "vitest";
import { createLogKeys, fsckLog, openLog, openLogKeys } from "./index.ts";

/** Every durable write of three appends, found by tracing, each once the last thing that the process does, or one that fails. */

const canTrace = spawnSync("strace", ["-e", "trace=fsync", "true"]).status === 0;
const fixture = join(import.meta.dirname, "appender.fixture.ts");
const base = mkdtempSync(join(tmpdir(), "touchmark-log-"));
const template = join(base, "template");
const home = join(base, "home");
afterAll(() => rmSync(base, { recursive: true, force: true }));

const writing = [
  "openat",
  "write",
  "pwrite64",
  "fsync",
  "fdatasync",
  "rename",
  "mkdir",
  "unlink",
  "rmdir",
  "link",
  "ftruncate",
];

/** One write: the n-th time that a call is made on a path, by the thread that makes it. */
interface Point {
  readonly call: string;
  readonly path: string;
  readonly nth: number;
}

/** Appends three entries to a log of 254 in another process: the second fills a tile. */
const run = (...strace: string[]): { out: string; trace: string } => {
  rmSync(home, { recursive: true, force: true });
  cpSync(template, home, { recursive: true });
  const trace = join(base, "trace");
  // One thread for file work makes the order of writes the same each time.
  const environment = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const words = ["-f", "-y", "-o", trace, ...strace, process.execPath, fixture, home, "new", "3"];
  const { stdout } = spawnSync("strace", words, { env: environment, encoding: "utf8", timeout: 120_000 });
  return { out: stdout, trace: readFileSync(trace, "utf8") };
};

const enumerate = (): Point[] => {
  const counts = new Map<string, number>();
  const points: Point[] = [];
  for (const line of run("-e", `trace=${writing.join(",")}`).trace.split("\n")) {
    const [, thread, call = "", words = ""] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    const paths = [...words.matchAll(/["<]([^">]+)[">]/g)]
      .map((match) => match[1] ?? "")
      .filter((path) => path.startsWith(home));
    // Of a rename the first path: strace does not look at the second. The lock is opened, and never written.
    const path = call === "rename" ? paths[0] : paths.at(-1);
    if (path === undefined || path.endsWith("/lock")) continue;
    const key = `${thread} ${call} ${path}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    if (call !== "openat" || /O_WRONLY|O_RDWR|O_CREAT/.test(words)) points.push({ call, path, nth });
  }
  return points;
};

const prepare = async (): Promise<Point[]> => {
  const log = await openLog({
    directory: join(template, "log"),
    keys: createLogKeys(join(template, "keys"), { origin: "log.example" }),
  });
  await Promise.all(Array.from({ length: 254 }, (_, n) => log.append(Buffer.from(`old ${n}`))));
  await log.close();
  return enumerate();
};

/** Nothing acknowledged is lost, the log is whole, it extends what it was, and the next append works. */
const judge = async (out: string): Promise<number> => {
  const keys = openLogKeys(join(home, "keys"));
  const before = openCheckpoint(readFileSync(join(template, "log/checkpoint"), "utf8"), { log: keys.signer });
  const { size } = await fsckLog(join(home, "log"), keys.signer);
  const log = await openLog({ directory: join(home, "log"), keys });
  const acknowledged = [...out.matchAll(/^(new \d+) (\d+)$/gm)];
  for (const [, text, index] of acknowledged) {
    expect(Buffer.from(await log.entry(Number(index))).toString()).toBe(text);
  }
  expect((await log.append(Buffer.from("next"))).index).toBe(size);
  expect((await log.prove(0, before.size)).rootHash).toEqual(before.root);
  await log.close();
  expect((await fsckLog(join(home, "log"), keys.signer)).size).toBe(size + 1);
  return acknowledged.length;
};

test.skipIf(!canTrace)(
  "A6: killed before each of its writes, the log loses nothing and goes on (needs strace)",
  { timeout: 900_000 },
  async () => {
    const points = await prepare();
    const names = new Set(points.map((point) => `${point.call} ${point.path} ${point.nth}`));
    expect(names.size).toBeGreaterThan(50);
    let killed = 0;
    const outcomes = new Map<number, number>();
    for (const { call, path, nth } of points) {
      const { out, trace } = run("-e", `trace=${call}`, "-P", path, "-e", `inject=${call}:signal=KILL:when=${nth}`);
      expect(trace, `${call} ${path} ${nth}`).toContain("killed by SIGKILL");
      killed++;
      const acknowledged = await judge(out);
      outcomes.set(acknowledged, (outcomes.get(acknowledged) ?? 0) + 1);
    }
    expect(killed).toBe(points.length);
    // Some kills came before the first acknowledgement, some after the second.
    expect([...outcomes.keys()].sort()).toEqual(expect.arrayContaining([0, 1, 2]));
    console.log(
      `killed at ${killed} writes; appends acknowledged before the kill: ${JSON.stringify([...outcomes].sort())}`,
    );
  },
);

test.skipIf(!canTrace)(
  "A7: with a full disk or a broken one at each write, nothing is half done (needs strace)",
  { timeout: 900_000 },
  async () => {
    rmSync(template, { recursive: true, force: true });
    const points = await prepare();
    let failed = 0;
    for (const { call, path, nth } of points) {
      const error = call.startsWith("f") ? "EIO" : "ENOSPC";
      const { out, trace } = run("-e", `trace=${call}`, "-P", path, "-e", `inject=${call}:error=${error}:when=${nth}`);
      expect(trace, `${call} ${path} ${nth}`).toContain("(INJECTED)");
      // Failing to take away a partial tile costs room only; all else fails the append with the one code.
      const sweeps = call === "unlink" || call === "rmdir";
      const errors = [...out.matchAll(/^error (.*)$/gm)].map((match) => match[1]);
      expect(errors, `${call} ${path} ${nth}: ${out}`).toEqual(sweeps ? [] : ["LOG_WRITE_FAILED"]);
      const acknowledged = await judge(out);
      expect(acknowledged).toBe(sweeps ? 3 : 2);
      if (!sweeps) failed++;
    }
    expect(failed).toBeGreaterThan(50);
    console.log(`failed at ${points.length} writes, ${failed} of which an append depends on`);
  },
);
