import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256, systemClock } from "@touchmark/core";
import { fsck, openContentStore, openHome, openRunStore, openTreeStore } from "@touchmark/store";
import { canInjectCrashes, crashAt, forEachCrashPoint, needsSpace, recordCrashPoints } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { freshDirectory } from "../mirror.fixture.ts";
import { openMirror } from "../open-mirror.ts";
import { verifyMirror } from "../verify-mirror.ts";

const scenario = fileURLToPath(new URL("./scenario.ts", import.meta.url));
const hasStrace = canInjectCrashes();

function play(name: string, base: string): string {
  const said = spawnSync(process.execPath, [scenario, name, join(base, "home")]);
  return said.stdout.toString().trim().split("\n").at(-1) ?? "silence";
}

/** A home as each scenario finds it, in a directory of its own. */
async function prepared(name: string): Promise<string> {
  const base = join(freshDirectory(), "base");
  mkdirSync(base);
  if (name === "commit") await (await openHome(join(base, "home"), { create: true })).close();
  else expect(play("prepare", base)).toBe("done");
  if (name === "import") {
    expect(play("export", base)).toBe("done");
    rmSync(join(base, "home"), { recursive: true });
    await (await openHome(join(base, "home"), { create: true })).close();
  }
  if (name === "repair") rmSync(join(base, "home", "materials", "seen"), { recursive: true });
  return base;
}

/** Nothing acknowledged is lost, no record is without its body, and the next command works. */
async function checkAfter(name: string, base: string, lines: readonly string[], number: number): Promise<void> {
  const home = await openHome(join(base, "home"), { create: true });
  const content = await openContentStore(home);
  const options = { directory: home.paths.materials, content, clock: systemClock };
  const mirror = await openMirror(options);
  const damaged = (await verifyMirror(options)).faults.filter(
    ({ code }) => name !== "repair" || code !== "MIRROR_LEDGER_CORRUPT",
  );
  expect(damaged).toEqual([]);
  for (const line of lines) {
    const [kind, key = "", digest] = line.split(" ");
    if (kind === "file") expect(existsSync(join(base, key))).toBe(true);
    if (kind !== "record") continue;
    const found: string[] = [];
    for await (const record of mirror.records()) {
      expect(sha256(readFileSync(await mirror.body(record)))).toBe(record.digest);
      if (record.key === key) found.push(record.digest);
    }
    expect(found).toContain(digest);
    const seen = await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz");
    expect(seen.map((one) => one.digest)).toContain(digest);
  }
  await (await mirror.lease("pewter", { timeoutMs: 1000 })).release();
  await mirror.close();
  expect(readdirSync(join(home.paths.materials, "incoming"))).toEqual([]);
  const stores = { content, trees: await openTreeStore(home), runs: openRunStore(home) };
  expect((await fsck(home, stores)).findings).toEqual([]);
  await home.close();
  // Opening and checking above were the next commands; the same one again takes a process, so every fourth point does.
  if (number % 4 !== 0) return;
  if (name === "export") rmSync(join(base, "archive.tar"), { force: true });
  expect(play(name, base)).toBe("done");
}

const names = ["commit", "export", "import", "repair", "prune"];

test.skipIf(!hasStrace).each(names)("M7: kill -9 at every durable write: %s", { timeout: 900_000 }, async (name) => {
  const base = await prepared(name);
  const at = copier(base);
  const clean = await recordCrashPoints(wordsOf(name, at("clean")), join(base, "..", "clean"));
  expect(clean.lines.at(-1)).toBe("done");
  expect(clean.points.length).toBeGreaterThan(5);
  let killed = 0;
  await forEachCrashPoint(clean.points, async (point, number) => {
    const copy = at(`kill-${number}`);
    const { lines, signal } = await crashAt(wordsOf(name, copy), copy, point, "kill");
    if (signal === "SIGKILL") killed++;
    await checkAfter(name, copy, lines, number);
    rmSync(copy, { recursive: true, force: true });
  });
  // A few calls move between kinds of threads from one execution to the next; nearly all must really have been hit.
  expect(killed).toBeGreaterThan(clean.points.length * 0.8);
});

test.skipIf(!hasStrace).each(names)(
  "M7: a full disk at every durable write: %s",
  { timeout: 900_000 },
  async (name) => {
    const base = await prepared(name);
    const at = copier(base);
    const { points } = await recordCrashPoints(wordsOf(name, at("clean")), join(base, "..", "clean"));
    const codes = new Set<string>();
    await forEachCrashPoint(points.filter(needsSpace), async (point, number) => {
      const copy = at(`full-${number}`);
      const { lines, signal } = await crashAt(wordsOf(name, copy), copy, point, "full");
      // The call of the same number in another thread fails too: where that was libuv waking a thread, it aborts.
      codes.add(signal === "SIGABRT" ? "done" : (lines.at(-1) ?? "silence"));
      await checkAfter(name, copy, lines, number);
      rmSync(copy, { recursive: true, force: true });
    });
    // A step that has another way, as a link that fails and becomes a rename, may also go on and be done.
    expect([...codes].filter((code) => code !== "done")).toEqual(["error STORE_DISK_FULL"]);
  },
);

function copier(base: string): (label: string) => string {
  return (label) => {
    const copy = join(base, "..", label);
    cpSync(base, copy, { recursive: true, preserveTimestamps: true });
    return copy;
  };
}

function wordsOf(name: string, copy: string): string[] {
  return [scenario, name, join(copy, "home")];
}
