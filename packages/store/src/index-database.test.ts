import { existsSync, writeFileSync } from "node:fs";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { findBundles, findRuns } from "./evidence.ts";
import { deleteIndex, openIndex } from "./index-database.ts";
import { rebuildIndex } from "./rebuild-index.ts";
import { bundleAbout, openStores, sampleRun } from "./sample-run.ts";
import { codeOf, temporaryHome } from "./temporary-home.ts";

test("I1: deleting or damaging the index loses nothing", async () => {
  const home = await temporaryHome();
  const stores = await openStores(home);
  const records = [await sampleRun(stores, "one"), await sampleRun(stores, "two", "other")];
  const free = await stores.content.put(
    bundleAbout(sha256("elsewhere"), { type: "https://example.com/review", logIndex: 9 }),
  );
  await rebuildIndex(stores.index, stores.runs, stores.content);
  const answers = (index: typeof stores.index) => ({
    runs: index.runs(),
    one: index.artifacts(records[0]?.artifacts[0]?.digest ?? "sha256:"),
    two: index.artifactsNamed("two.tgz"),
    about: index.bundlesAbout(records[0]?.artifacts[0]?.digest ?? "sha256:"),
    of: records.map((record) => index.bundlesOf(record.id)),
    free: index.bundlesAbout(sha256("elsewhere"), "https://example.com/review"),
  });
  const before = answers(stores.index);
  expect(before.runs.map((run) => run.id)).toEqual(records.map((record) => record.id).reverse());
  expect(before.about).toMatchObject([
    { predicateType: "https://slsa.dev/provenance/v1", run: records[0]?.id, logIndex: 1 },
  ]);
  expect(before.free).toMatchObject([{ digest: free.digest, run: null, logIndex: 9 }]);
  stores.index.close();
  const damages = [
    () => deleteIndex(home),
    () => {
      deleteIndex(home);
      writeFileSync(home.paths.index, "this is no database at all, though long enough to look like one".repeat(20));
    },
    () => {
      deleteIndex(home);
      writeFileSync(home.paths.index, "");
    },
  ];
  for (const damage of damages) {
    damage();
    const index = await openIndex(home);
    expect(answers(index)).toEqual(before);
    index.close();
    index.close();
  }
  deleteIndex(home);
  expect(existsSync(home.paths.index)).toBe(false);
});

test("I1: an index of another version is made again", async () => {
  const home = await temporaryHome();
  const stores = await openStores(home);
  await sampleRun(stores, "one");
  stores.index.close();
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(home.paths.index);
  database.exec('PRAGMA user_version = 77; CREATE TABLE "odd ""name" (x); DROP TABLE steps');
  database.close();
  const index = await openIndex(home);
  expect(index.runs().length).toBe(1);
});

test("I1: runs are listed in pages and by project; what is deleted is forgotten", async () => {
  const stores = await openStores(await temporaryHome());
  const records = [];
  for (const word of ["a", "b", "c"]) records.push(await sampleRun(stores, word, word === "b" ? "other" : "sample"));
  const [a, b, c] = records.map((record) => record.id) as [string, string, string];
  const ids = (options: object) => stores.index.runs(options).map((run) => run.id);
  expect(ids({ limit: 2 })).toEqual([c, b]);
  expect(ids({ before: b })).toEqual([a]);
  expect(ids({ project: "other" })).toEqual([b]);
  const bundle = stores.index.bundlesOf(b)[0]?.digest ?? "sha256:";
  stores.index.deleteRun(b);
  expect(ids({})).toEqual([c, a]);
  expect(stores.index.bundlesOf(b)).toEqual([]);
  stores.index.deleteBundle(bundle);
  expect(await codeOf(() => stores.index.batch(() => stores.index.runs({ limit: {} as number })))).not.toBe("no error");
  expect(ids({})).toEqual([c, a]);
});

test("I2: a false or silent index is found out, and made again", async () => {
  const stores = await openStores(await temporaryHome());
  const record = await sampleRun(stores, "one");
  const artifact = record.artifacts[0]?.digest ?? "sha256:";
  const bundle = record.bundles[0]?.digest ?? "sha256:";
  const other = await stores.content.put(bundleAbout(sha256("other")));
  const content = {
    predicateType: "https://slsa.dev/provenance/v1",
    subjects: [{ name: "x", digest: artifact }],
    logIndex: 0,
    mentions: new Set<never>(),
  };
  const lies = [
    () => stores.index.putBundle(other.digest, content),
    () => stores.index.putBundle(sha256("not there"), content),
    () => stores.index.putBundle(bundle, { ...content, predicateType: "https://example.com/review" }),
    () => stores.index.clear(),
    () => stores.index.deleteRun(record.id),
    () => stores.index.putRun({ ...record, id: "20260102-030405006-00000000" }),
  ];
  for (const lie of lies) {
    lie();
    expect((await findBundles(stores, artifact, "https://slsa.dev/provenance/v1")).map((one) => one.digest)).toEqual([
      bundle,
    ]);
    expect((await findBundles(stores, artifact, "https://example.com/review")).length).toBe(0);
    expect((await findRuns(stores, artifact)).map((one) => one.id)).toEqual([record.id]);
  }
  expect(await findBundles(stores, sha256("nowhere"))).toEqual([]);
});

test("I2: who asks about many strange digests has a silent index made again once, and a false one each time", async () => {
  const stores = { ...(await openStores(await temporaryHome())), mending: {} };
  const record = await sampleRun(stores, "one");
  const artifact = record.artifacts[0]?.digest ?? "sha256:";
  stores.index.clear();
  const strange = await Promise.all([1, 2, 3].map((i) => findRuns(stores, sha256(`nowhere ${i}`))));
  expect(strange).toEqual([[], [], []]);
  expect((await findRuns(stores, artifact)).map((one) => one.id)).toEqual([record.id]);
  stores.index.clear();
  expect(await findRuns(stores, artifact)).toEqual([]);
  stores.index.putRun(record);
  stores.index.putRun({ ...record, id: "20260102-030405006-00000000" });
  expect((await findRuns(stores, artifact)).map((one) => one.id)).toEqual([record.id]);
  expect(stores.index.artifacts(artifact).map(({ run }) => run)).toEqual([record.id]);
});
