import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { createLogKeys, fsckLog, openLog } from "./index.ts";
import { openLock } from "./lock.ts";

const fixture = join(import.meta.dirname, "appender.fixture.ts");
const home = mkdtempSync(join(tmpdir(), "touchmark-log-"));
const holders: ChildProcess[] = [];
afterAll(() => {
  for (const holder of holders) holder.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

const appender = (directory: string, ...words: string[]) => {
  const child = spawn(process.execPath, [fixture, directory, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  holders.push(child);
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const done = new Promise<string>((resolve) => child.on("close", () => resolve(out)));
  return { child, done, seen: () => out };
};
const acknowledged = (out: string) =>
  out
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name, n, index] = line.split(" ");
      return { text: `${name} ${n}`, index: Number(index) };
    });

test("A4: three processes append at once: every acknowledged entry appears exactly once, and each gets its turn", async () => {
  const directory = join(home, "three");
  const keys = createLogKeys(join(directory, "keys"), { origin: "log.example" });
  const go = join(directory, "go");
  const running = ["a", "b", "c"].map((name) => appender(directory, name, "300", "8", go));
  await sleep(300);
  writeFileSync(go, "");
  const outs = await Promise.all(running.map((one) => one.done));
  const entries = outs.flatMap(acknowledged);
  expect(entries).toHaveLength(900);
  const report = await fsckLog(join(directory, "log"), keys.signer);
  expect(report.size).toBe(900);
  const log = await openLog({ directory: join(directory, "log"), keys });
  for (const { text, index } of entries) expect(Buffer.from(await log.entry(index)).toString()).toBe(text);
  expect(new Set(entries.map((entry) => entry.index)).size).toBe(900);
  // Nobody waited until the others were done: each had an entry before any had its last.
  const firsts = outs.map((out) => Math.min(...acknowledged(out).map((entry) => entry.index)));
  const lasts = outs.map((out) => Math.max(...acknowledged(out).map((entry) => entry.index)));
  expect(Math.max(...firsts)).toBeLessThan(Math.min(...lasts));
  await log.close();
});

test("A4: a writer that is killed with the lock held holds nobody up, and one that is stopped is waited for in vain", async () => {
  const directory = join(home, "killed");
  const keys = createLogKeys(join(directory, "keys"), { origin: "log.example" });
  const log = await openLog({ directory: join(directory, "log"), keys, lockTimeoutMs: 100 });
  const holder = spawn(
    process.execPath,
    [
      "-e",
      `import(${JSON.stringify(join(import.meta.dirname, "lock.ts"))}).then(async ({ openLock }) => {
      globalThis.lock = await openLock(process.argv[1]); await globalThis.lock.acquire(1000); console.log("held"); setInterval(() => {}, 1000); })`,
      join(directory, "log/lock"),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  holders.push(holder);
  await expect(log.append(Buffer.from("one"))).rejects.toMatchObject({ code: "LOG_LOCKED" });
  const pending = log.append(Buffer.from("two"));
  holder.kill("SIGKILL");
  expect((await pending).index).toBe(0);
  await log.close();
});

test("A4: two logs open in one process exclude each other as two processes do", async () => {
  const directory = join(home, "one");
  const keys = createLogKeys(join(directory, "keys"), { origin: "log.example" });
  const logs = await Promise.all([1, 2].map(() => openLog({ directory: join(directory, "log"), keys })));
  const inclusions = await Promise.all(
    Array.from({ length: 200 }, (_, n) => (logs[n % 2] as (typeof logs)[0]).append(Buffer.from(`${n}`))),
  );
  expect(new Set(inclusions.map((inclusion) => inclusion.index)).size).toBe(200);
  for (const log of logs) await log.close();
  expect((await fsckLog(join(directory, "log"), keys.signer)).size).toBe(200);
  const lock = await openLock(join(directory, "lock"));
  const other = await openLock(join(directory, "lock"));
  await lock.acquire(10);
  await expect(other.acquire(20)).rejects.toMatchObject({ code: "LOG_LOCKED" });
  expect(other.contended()).toBe(true);
  lock.release();
  await other.acquire(20);
  other.release();
  lock.close();
  other.close();
  expect(readFileSync(join(directory, "lock"))).toHaveLength(0);
});
