import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findControlGroups, makeControlGroup, reclaimControlGroups } from "./control-group.ts";

const root = mkdtempSync(join(tmpdir(), "touchmark-cgroup-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A directory that looks like a control group file system; its files are plain. */
function tree(name: string, files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, name, file, ".."), { recursive: true });
    writeFileSync(join(root, name, file), text);
  }
  return join(root, name);
}

test("W8: version 1 groups are made below our own of each controller", () => {
  const at = tree("one", { "memory/own/x": "", "pids/x": "", "cpu,cpuacct/own/x": "" });
  const found = findControlGroups(at, "4:memory:/own\n8:pids:/\n3:cpu,cpuacct:/own\n0::/\n");
  expect(found).toEqual({
    version: 1,
    parents: { memory: join(at, "memory/own"), pids: join(at, "pids"), cpu: join(at, "cpu,cpuacct/own") },
  });
});

test("W8: version 2 groups are made below the closest one that delegates", () => {
  const at = tree("two", {
    "cgroup.subtree_control": "cpu memory pids",
    "user/cgroup.subtree_control": "memory pids",
    "user/app/cgroup.subtree_control": "",
  });
  expect(findControlGroups(at, "0::/user/app\n")).toEqual({
    version: 2,
    parents: { memory: join(at, "user"), pids: join(at, "user") },
  });
  expect(findControlGroups(at, "")).toBeNull();
  expect(findControlGroups(join(root, "nothing"), "0::/user\n")).toBeNull();
});

test("W8: bounds and counters of version 2 are written and read where they are", () => {
  const at = tree("bounds", { "cgroup.subtree_control": "cpu memory pids" });
  const host = findControlGroups(at, "0::/\n");
  if (host === null) throw new Error("expected groups");
  const group = makeControlGroup(host, "step", { memoryBytes: 1000, pids: 7, cpus: 1.5 });
  const path = join(at, "touchmark-step");
  expect(group.paths).toEqual([path]);
  expect(group.joinFiles).toEqual([join(path, "cgroup.procs")]);
  expect(["memory.max", "pids.max", "cpu.max"].map((file) => readFileSync(join(path, file), "utf8"))).toEqual([
    "1000",
    "7",
    "150000 100000",
  ]);
  expect(group.events()).toEqual({ outOfMemory: 0, processesRefused: 0 });
  writeFileSync(join(path, "memory.events"), "low 0\noom 3\noom_kill 2\n");
  writeFileSync(join(path, "pids.events"), "max 4\n");
  writeFileSync(join(path, "memory.peak"), "900\n");
  expect(group.events()).toEqual({ outOfMemory: 2, processesRefused: 4 });
  expect(group.peakMemoryBytes()).toBe(900);
  expect(group.members()).toEqual([]);
});

test("W10: only groups of runs that are gone are reclaimed", async () => {
  const at = tree("reclaim", { "cgroup.subtree_control": "memory", "touchmark-live/.keep": "", "other/x": "" });
  mkdirSync(join(at, "touchmark-dead"));
  const host = { version: 2 as const, parents: { memory: at } };
  expect(await reclaimControlGroups(host, (name) => name === "live")).toBe(1);
});
