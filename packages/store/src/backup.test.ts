import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backup } from "./backup.ts";
import { fsck } from "./fsck.ts";
import { openHome } from "./home.ts";
import { filesBelow } from "./references.ts";
import { restore } from "./restore.ts";
import { openStores, sampleRun } from "./sample-run.ts";
import { codeOf, temporaryDirectory, temporaryHome } from "./temporary-home.ts";

const posix = process.platform !== "win32";

async function filledHome() {
  const home = await temporaryHome();
  const stores = await openStores(home);
  const record = await sampleRun(stores, "one");
  mkdirSync(join(home.paths.log, "tile", "0"), { recursive: true });
  writeFileSync(join(home.paths.log, "checkpoint"), "checkpoint 1");
  writeFileSync(join(home.paths.log, "tile", "0", "000"), "tile");
  writeFileSync(join(home.paths.log, "lock"), "");
  writeFileSync(join(home.paths.identity, "root.key"), "sealed", { mode: 0o600 });
  writeFileSync(join(home.paths.cache, "entry"), "{}");
  writeFileSync(join(home.path, "images.yaml"), "touchmark: images/v1\n", { mode: 0o600 });
  return { home, stores, record, directory: temporaryDirectory() };
}

test("B1: a restored home has the same records, blobs, trees, keys and log", async () => {
  const { home, stores, record, directory } = await filledHome();
  const file = join(directory, "home.tar");
  const report = await backup(home, file);
  expect(report.bytes).toBe(statSync(file).size);
  if (posix) expect(statSync(file).mode & 0o777).toBe(0o600);
  const restored = await restore(file, join(directory, "new"));
  expect(restored).toMatchObject({ home: join(directory, "new"), entries: report.entries });
  const other = await openStores(await openHome(restored.home));
  expect(await other.runs.get(record.id)).toEqual(record);
  expect((await fsck(other.home, other)).findings).toEqual([]);
  expect(other.index.runs().map((run) => run.id)).toEqual([record.id]);
  expect(Buffer.from(await other.runs.readLog(record.id, "build")).toString()).toBe("building one\n");
  const relative = (base: string) =>
    filesBelow(base)
      .map((path) => path.slice(base.length))
      .filter((path) => !/lock$|index\.sqlite|CACHEDIR|^\/cache|^\/work/.test(path));
  expect(relative(restored.home)).toEqual(relative(home.path));
  for (const path of relative(home.path)) {
    expect(readFileSync(restored.home + path)).toEqual(readFileSync(home.path + path));
  }
  if (posix) expect(statSync(join(restored.home, "identity", "root.key")).mode & 0o777).toBe(0o600);
  const again = await backup(other.home, join(directory, "again.tar"));
  expect(again.digest).toBe(report.digest);
  expect(readdirSync(directory).sort()).toEqual(["again.tar", "home.tar", "new"]);
  await stores.home.close();
});

test("B1: trees can be left out, caches taken along", async () => {
  const { home, record, directory } = await filledHome();
  await backup(home, join(directory, "thin.tar"), { withoutTrees: true, withCaches: true });
  const { home: path } = await restore(join(directory, "thin.tar"), join(directory, "thin"));
  const thin = await openStores(await openHome(path));
  expect(await thin.trees.has(record.steps[0]?.output ?? "sha256:")).toBe(false);
  expect(existsSync(join(path, "cache", "entry"))).toBe(true);
  expect((await fsck(thin.home, thin)).findings).toEqual([]);
});

test("B2: a backup holds whatever it mentions while others write, and pauses whom it is told to", async () => {
  const { home, stores, directory } = await filledHome();
  const order: string[] = [];
  let writing = true;
  const writer = async () => {
    for (let i = 0; writing && i < 50; i++) {
      await sampleRun(stores, `more ${i}`.replace(" ", "-"));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const written = writer();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const quiesce = async () => {
    order.push("paused");
    return () => {
      order.push("resumed");
    };
  };
  await backup(home, join(directory, "busy.tar"), { quiesce });
  writing = false;
  await written;
  expect(order).toEqual(["paused", "resumed"]);
  const { home: path } = await restore(join(directory, "busy.tar"), join(directory, "busy"));
  const other = await openStores(await openHome(path));
  expect((await fsck(other.home, other)).findings).toEqual([]);
});

test("B3: nothing that exists is overwritten", async () => {
  const { home, directory } = await filledHome();
  const file = join(directory, "home.tar");
  writeFileSync(file, "mine");
  expect(await codeOf(backup(home, file))).toBe("STORE_BACKUP_EXISTS");
  rmSync(file);
  await backup(home, file);
  mkdirSync(join(directory, "full"));
  writeFileSync(join(directory, "full", "mine"), "mine");
  expect(await codeOf(restore(file, join(directory, "full")))).toBe("STORE_RESTORE_EXISTS");
  expect(await codeOf(restore(file, home.path))).toBe("STORE_RESTORE_EXISTS");
  mkdirSync(join(directory, "empty"));
  await restore(file, join(directory, "empty"));
  expect(readdirSync(join(directory, "full"))).toEqual(["mine"]);
});

test("B3: any altered byte of an archive is noticed, and leaves nothing behind", async () => {
  const { home, directory } = await filledHome();
  const file = join(directory, "home.tar");
  await backup(home, file);
  const bytes = readFileSync(file);
  const codes = new Set<string>();
  for (let i = 0; i < 60; i++) {
    const altered = Buffer.from(bytes);
    const at = Math.floor(((i + 0.5) / 60) * (bytes.length - 1536));
    altered[at] = (altered[at] as number) ^ 1;
    writeFileSync(join(directory, "altered.tar"), altered);
    const code = await codeOf(restore(join(directory, "altered.tar"), join(directory, "new")));
    codes.add(code);
    expect([at, code]).not.toEqual([at, "no error"]);
    rmSync(join(directory, "altered.tar"));
  }
  expect([...codes].every((code) => code.startsWith("STORE_"))).toBe(true);
  expect(readdirSync(directory)).toEqual(["home.tar"]);
});

test("B2: damaged content is not backed up as if it were sound", async () => {
  const { home, stores, record, directory } = await filledHome();
  const blob = stores.content.path(record.artifacts[0]?.digest ?? "sha256:");
  chmodSync(blob, 0o600);
  writeFileSync(blob, "flipped");
  expect(await codeOf(backup(home, join(directory, "home.tar")))).toBe("STORE_BLOB_CORRUPT");
  expect(readdirSync(directory)).toEqual([]);
});

test("F1: a check names everything that is damaged or missing", async () => {
  const { home, stores, record } = await filledHome();
  const second = await sampleRun(stores, "two");
  const artifact = record.artifacts[0]?.digest ?? "sha256:";
  const tree = record.steps[0]?.output ?? "sha256:";
  chmodSync(stores.content.path(artifact), 0o600);
  writeFileSync(stores.content.path(artifact), "flipped");
  writeFileSync(join(stores.trees.root(tree), "lib", "file"), "other");
  await stores.content.delete(record.bundles[0]?.digest ?? "sha256:");
  writeFileSync(join(home.paths.store, "blobs", "sha256", "stray"), "x");
  writeFileSync(join(stores.runs.directory(second.id), "run.json"), "{");
  const report = await fsck(home, stores);
  expect(report.findings.map(({ code, subject }) => [code, subject]).sort()).toEqual(
    [
      ["STORE_BLOB_CORRUPT", artifact],
      ["STORE_BLOB_CORRUPT", join(home.paths.store, "blobs", "sha256", "stray")],
      ["STORE_BLOB_MISSING", artifact],
      ["STORE_BLOB_MISSING", record.bundles[0]?.digest],
      ["STORE_RUN_CORRUPT", second.id],
      ["STORE_TREE_CORRUPT", tree],
    ].sort(),
  );
  expect([report.blobs, report.trees, report.runs]).toEqual([7, 2, 2]);
});
