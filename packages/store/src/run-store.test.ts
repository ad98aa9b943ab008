import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { expect, test } from "vitest";
import { newRunId, openRunStore } from "./run-store.ts";
import { codeOf, temporaryHome } from "./temporary-home.ts";

test("R1: run ids sort by time", () => {
  const times = ["2026-01-02T03:04:05.006Z", "2026-01-02T03:04:05.007Z", "2026-11-21T10:42:31.000Z"];
  const ids = times.map((time) => newRunId(new Date(time)));
  expect([...ids].sort()).toEqual(ids);
  expect(ids[0]).toMatch(/^20260102-030405006-[0-9a-f]{8}$/);
});

test("R1: a record is what was last written, and the list is newest first", async () => {
  const home = await temporaryHome();
  const clock = fixedClock("2026-11-21T10:00:00Z");
  const runs = openRunStore(home, clock);
  const run = await runs.create({ project: "p", pipeline: "default", details: { who: "me" } });
  expect(await runs.get(run.id)).toMatchObject({ state: "running", finishedAt: null, details: { who: "me" } });
  await run.update({ steps: [{ name: "a", status: "running", cached: false, durationMs: null, output: null }] });
  await run.update((record) => ({ details: { count: record.steps.length } }));
  expect(await runs.get(run.id)).toEqual(run.record);
  clock.set("2026-11-21T10:00:05Z");
  const later = await runs.create({ project: "p", pipeline: "default" });
  expect(await run.finish("failed")).toMatchObject({ state: "failed", finishedAt: "2026-11-21T10:00:05.000Z" });
  expect((await runs.list()).map((record) => record.id)).toEqual([later.id, run.id]);
  expect((await runs.list({ limit: 1 })).map((record) => record.id)).toEqual([later.id]);
  expect((await runs.list({ before: later.id })).map((record) => record.id)).toEqual([run.id]);
  expect(await codeOf(runs.delete(later.id))).toBe("STORE_RUN_LIVE");
  await later.finish("cancelled");
  expect(await runs.delete(later.id)).toBeGreaterThan(0);
  expect(await runs.delete(later.id)).toBe(0);
  expect(await codeOf(runs.get(later.id))).toBe("STORE_RUN_MISSING");
});

test("R2: a run whose process was killed is shown as interrupted, whatever is asked", async () => {
  const home = await temporaryHome();
  const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { openHome } = await import(${url("./home.ts")});
    const { openRunStore } = await import(${url("./run-store.ts")});
    const run = await openRunStore(await openHome(${JSON.stringify(home.path)})).create({ project: "p", pipeline: "d" });
    run.log("build").write(Buffer.from("half a li"));
    process.kill(process.pid, "SIGKILL");`;
  spawnSync(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const runs = openRunStore(home);
  const [id] = runs.ids() as [string];
  expect(JSON.parse(readFileSync(join(runs.directory(id), "run.json"), "utf8")).state).toBe("running");
  expect((await runs.get(id)).state).toBe("interrupted");
  expect((await runs.list())[0]?.state).toBe("interrupted");
  expect(await runs.isLive(id)).toBe(false);
  expect(Buffer.from(await runs.readLog(id, "build")).toString()).toBe("half a li");
  expect(await runs.delete(id)).toBeGreaterThan(0);
});

test("R3: logs are appended, and read from their end", async () => {
  const home = await temporaryHome();
  const runs = openRunStore(home);
  const run = await runs.create({ project: "p", pipeline: "default" });
  for (const text of ["one\n", "two\n"]) {
    const log = run.log("build.step-1");
    log.write(Buffer.from(text));
    log.close();
    log.close();
    log.write(Buffer.from("after the end"));
  }
  const read = async (maxBytes?: number) =>
    Buffer.from(await runs.readLog(run.id, "build.step-1", maxBytes === undefined ? {} : { maxBytes })).toString();
  expect([await read(), await read(4)]).toEqual(["one\ntwo\n", "two\n"]);
  expect((await runs.readLog(run.id, "other")).length).toBe(0);
  for (const step of ["../../identity/root", "a/b", "", ".hidden", "x".repeat(300)]) {
    expect(await codeOf(() => run.log(step))).toBe("STORE_RUN_MISSING");
  }
  expect(await codeOf(runs.readLog("20260102-030405006-00000000", "build"))).toBe("STORE_RUN_MISSING");
  expect(await codeOf(runs.get("../../etc"))).toBe("STORE_RUN_MISSING");
});

test("R4: a record that is not one of ours is refused and left out of lists", async () => {
  const home = await temporaryHome();
  const runs = openRunStore(home);
  const run = await runs.create({ project: "p", pipeline: "default" });
  const good = await run.finish("succeeded");
  const bad: unknown[] = [
    { ...good, format: "touchmark run v2" },
    { ...good, id: "20260102-030405006-00000000" },
    { ...good, state: "fine" },
    { ...good, startedAt: "yesterday" },
    { ...good, steps: [{ name: "a", output: "sha256:no" }] },
    { ...good, artifacts: [{ name: "a", digest: "md5:0" }] },
    { ...good, bundles: {} },
    [],
    null,
  ];
  for (const text of [...bad.map((one) => JSON.stringify(one)), "", "{", '{"id":1,"id":2}']) {
    writeFileSync(join(run.directory, "run.json"), text);
    expect(await codeOf(runs.get(run.id))).toBe("STORE_RUN_CORRUPT");
  }
  expect(await runs.list()).toEqual([]);
  expect(existsSync(run.directory)).toBe(true);
});
