import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, fixedClock } from "@touchmark/core";
import { expect, test } from "vitest";
import { readBundle } from "./bundle-subjects.ts";
import { fsck } from "./fsck.ts";
import { prune } from "./prune.ts";
import type { RunRecord } from "./run-record.ts";
import { bundleAbout, openStores, type Stores, sampleRun } from "./sample-run.ts";
import { codeOf, temporaryHome } from "./temporary-home.ts";

const DAY = 86_400;

/** Three runs, on three days, and the clock a week later. */
async function threeRuns() {
  const clock = fixedClock("2026-11-01T00:00:00Z");
  const stores = await openStores(await temporaryHome(), clock);
  const records: RunRecord[] = [];
  for (const [day, word] of ["one", "two", "three"].entries()) {
    clock.set(new Date(Date.UTC(2026, 10, 1 + day)));
    records.push(await sampleRun(stores, word));
  }
  // Content has the real time: the prune must see it as old.
  clock.set(new Date(Date.now() + 7 * DAY * 1000));
  return { clock, stores, records: records as [RunRecord, RunRecord, RunRecord] };
}

/** Everything that a run's evidence reaches is there. */
async function wholeChain(stores: Stores, record: RunRecord): Promise<boolean> {
  const pending: Digest[] = [record.artifacts[0]?.digest ?? "sha256:", record.bundles[0]?.digest ?? "sha256:"];
  for (const digest of pending) {
    if (await stores.trees.has(digest)) await stores.trees.verify(digest);
    else {
      const read = readBundle(await stores.content.get(digest));
      for (const next of read?.mentions ?? []) if (!pending.includes(next)) pending.push(next);
    }
  }
  // Artifact, two bundles, the material and the tree.
  return pending.length === 5;
}

test("P1: runs go by age with all that is theirs; the newest of each pipeline stays", async () => {
  const { clock, stores, records } = await threeRuns();
  const [one, two, three] = records;
  const dry = await prune(stores, { olderThanSeconds: 1, clock, dryRun: true });
  expect(await wholeChain(stores, one)).toBe(true);
  const report = await prune(stores, { olderThanSeconds: 1, clock });
  expect(report).toEqual({ ...dry, dryRun: false });
  expect(report.runs).toEqual([one.id, two.id]);
  expect([report.blobs.length, report.trees.length]).toEqual([8, 2]);
  expect(report.freedBytes).toBeGreaterThan(1000);
  expect(report.kept).toEqual([{ run: three.id, reason: "it is among the newest of its pipeline" }]);
  expect(await wholeChain(stores, three)).toBe(true);
  expect(stores.runs.ids()).toEqual([three.id]);
  expect(stores.index.runs().map((run) => run.id)).toEqual([three.id]);
  expect(stores.index.bundlesOf(one.id)).toEqual([]);
  expect((await fsck(stores.home, stores)).findings).toEqual([]);
  const again = await prune(stores, { olderThanSeconds: 1, clock });
  expect([again.freedBytes, again.runs, again.blobs]).toEqual([0, [], []]);
  expect((await prune(stores, { olderThanSeconds: 1, keepRuns: 0, clock })).runs).toEqual([three.id]);
});

test("P1: runs go by size, oldest first, until the rest is small enough", async () => {
  const { clock, stores, records } = await threeRuns();
  const before = (await prune(stores, { clock, dryRun: true })).bytesBefore;
  expect((await prune(stores, { maxBytes: before, clock })).runs).toEqual([]);
  const report = await prune(stores, { maxBytes: before - 1, clock });
  expect([report.runs, report.aboveMaxBytes]).toEqual([[records[0].id], false]);
  const most = await prune(stores, { maxBytes: 1, clock });
  expect([most.runs, most.aboveMaxBytes]).toEqual([[records[1].id], true]);
  expect(await wholeChain(stores, records[2])).toBe(true);
});

test("P1: without age and size only what nothing refers to goes", async () => {
  const { clock, stores } = await threeRuns();
  const { digest } = await stores.content.put(Buffer.from("nobody's"));
  expect((await prune(stores, { clock: fixedClock(new Date()) })).blobs).toEqual([]);
  const report = await prune(stores, { clock });
  expect([report.blobs, report.runs, report.trees]).toEqual([[digest], [], []]);
});

test("P2: what a project, a trust root, another run or a bundle without a run refers to stays", async () => {
  const { clock, stores, records } = await threeRuns();
  const [one, two, three] = records;
  const artifact = one.artifacts[0]?.digest ?? "sha256:";
  const tree = two.steps[0]?.output ?? "sha256:";
  const material = await stores.content.put(Buffer.from("named by a project"));
  writeFileSync(join(stores.home.paths.projects, "p.json"), JSON.stringify({ material: material.digest }));
  writeFileSync(join(stores.home.paths.trust, "root.json"), JSON.stringify({ tree }));
  const review = await stores.content.put(bundleAbout(artifact, { type: "https://example.com/review" }));
  writeFileSync(join(stores.home.paths.log, "checkpoint"), "log");
  writeFileSync(join(stores.home.paths.cache, "hit"), JSON.stringify({ output: one.steps[0]?.output }));
  writeFileSync(join(stores.home.paths.cache, "other"), JSON.stringify({ output: tree }));
  const report = await prune(stores, { maxBytes: 1, clock });
  expect(report.runs).toEqual([one.id, two.id]);
  expect(await stores.trees.has(tree)).toBe(true);
  for (const digest of [artifact, material.digest, review.digest]) expect(await stores.content.has(digest)).toBe(true);
  expect(existsSync(join(stores.home.paths.log, "checkpoint"))).toBe(true);
  expect(report.cacheEntries).toBe(1);
  expect([
    existsSync(join(stores.home.paths.cache, "hit")),
    existsSync(join(stores.home.paths.cache, "other")),
  ]).toEqual([false, true]);
  expect(await wholeChain(stores, three)).toBe(true);
  const aged = await prune(stores, { olderThanSeconds: 1, clock });
  expect(aged.blobs).toContain(review.digest);
  expect(await stores.content.has(material.digest)).toBe(true);
});

test("P2: a record that cannot be read keeps its content", async () => {
  const { clock, stores, records } = await threeRuns();
  const [one] = records;
  writeFileSync(join(stores.runs.directory(one.id), "run.json"), `{"from the future": ["${one.bundles[0]?.digest}"]}`);
  const report = await prune(stores, { olderThanSeconds: 1, clock });
  expect(report.kept).toContainEqual({ run: one.id, reason: "its record cannot be read" });
  expect(await stores.content.has(one.bundles[0]?.digest ?? "sha256:")).toBe(true);
});

test("P3: a run that is going on keeps what it put or used, and the run that this came from", async () => {
  const { clock, stores, records } = await threeRuns();
  const [one, two] = records;
  const live = await stores.runs.create({ project: "live", pipeline: "default" });
  // The clock of the live run lies ahead: everything is older, except what is used from now on.
  const { digest } = await stores.content.put(Buffer.from("not yet in any record"));
  await stores.trees.use(two.steps[0]?.output ?? "sha256:");
  const at = clock.now().getTime() / 1000 + 1;
  const { utimesSync } = await import("node:fs");
  utimesSync(stores.content.path(digest), at, at);
  utimesSync(join(stores.trees.root(two.steps[0]?.output ?? "sha256:"), "..", "list"), at, at);
  const report = await prune(stores, { olderThanSeconds: 1, graceSeconds: 0, clock });
  expect(report.kept).toContainEqual({ run: live.id, reason: "it is going on" });
  expect(report.kept).toContainEqual({ run: two.id, reason: "a run that is going on uses its content" });
  expect(report.runs).toEqual([one.id]);
  expect(await stores.content.has(digest)).toBe(true);
  expect(await wholeChain(stores, two)).toBe(true);
  await live.finish("succeeded");
});

test("P3: writers beside a prune lose nothing that they were told is stored", async () => {
  const { clock, stores } = await threeRuns();
  const words = Array.from({ length: 40 }, (_, i) => Buffer.from(`word ${i}`));
  for (const word of words) await stores.content.put(word);
  await new Promise((resolve) => setTimeout(resolve, 5));
  // To the prune everything put until now is old; only its second look protects what is put again meanwhile.
  const began = fixedClock(new Date());
  const stored = new Set<string>();
  const lost: string[] = [];
  let puts = 0;
  const writer = async () => {
    for (; puts < 400; puts++) {
      const { digest } = await stores.content.put(words[puts % words.length] as Buffer);
      stored.add(digest);
      if (!(await stores.content.has(digest))) lost.push(digest);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const written = writer();
  let pruned = 0;
  while (puts < 400) {
    pruned += (await prune(stores, { graceSeconds: 0, clock: began })).blobs.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await written;
  expect([lost, stored.size]).toEqual([[], 40]);
  expect(pruned).toBeGreaterThan(0);
  expect((await prune(stores, { clock })).blobs.length).toBe(40);
});

test("P3: one prune at a time", async () => {
  const { clock, stores } = await threeRuns();
  const both = await Promise.all([
    prune(stores, { olderThanSeconds: 1, clock }),
    prune(stores, { olderThanSeconds: 1, clock }),
  ]);
  expect(both.map((report) => report.runs.length).sort()).toEqual([0, 2]);
  const held = await stores.home.lock("prune");
  held.release();
  expect(await codeOf(prune(stores, { clock }))).toBe("no error");
});
