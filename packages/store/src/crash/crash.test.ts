import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDigest } from "@touchmark/core";
import { canInjectCrashes, crashAt, forEachCrashPoint, needsSpace, recordCrashPoints } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { backup } from "../backup.ts";
import { fsck } from "../fsck.ts";
import { openHome } from "../home.ts";
import { versionText } from "../migrations.ts";
import { restore } from "../restore.ts";
import { openStores, sampleRun } from "../sample-run.ts";
import { codeOf, temporaryDirectory } from "../temporary-home.ts";

const scenario = fileURLToPath(new URL("./scenario.ts", import.meta.url));
const hasStrace = canInjectCrashes();

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
  const words = (copy: string) => [scenario, command, join(copy, "home")];
  const clean = await recordCrashPoints(words(at("clean")), join(base, "..", "clean"));
  expect(clean.lines.at(-1)).toBe("done");
  expect(clean.points.length).toBeGreaterThan(5);
  let killed = 0;
  await forEachCrashPoint(clean.points, async (point, number) => {
    const copy = at(`kill-${number}`);
    const { lines, signal } = await crashAt(words(copy), copy, point, "kill");
    if (signal === "SIGKILL") killed++;
    await checkAfter(name, copy, lines, number);
    rmSync(copy, { recursive: true, force: true });
  });
  // A few calls move between kinds of threads from one execution to the next; nearly all must really have been hit.
  expect(killed).toBeGreaterThan(clean.points.length * 0.8);
});

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
    const words = (copy: string) => [scenario, command, join(copy, "home")];
    const { points } = await recordCrashPoints(words(at("clean")), join(base, "..", "clean"));
    const codes = new Set<string>();
    await forEachCrashPoint(points.filter(needsSpace), async (point, number) => {
      const copy = at(`full-${number}`);
      const { lines } = await crashAt(words(copy), copy, point, "full");
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
