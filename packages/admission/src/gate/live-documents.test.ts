import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { liveDocuments } from "./live-documents.ts";

/** A file of names, one a line, that a service follows. */
async function scene(first: string) {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-live-"));
  const path = join(directory, "names");
  writeFileSync(path, first);
  const told: string[] = [];
  let loads = 0;
  const live = await liveDocuments({
    stamp: () => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? "absent" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    },
    load: async () => {
      loads++;
      const text = readFileSync(path, "utf8");
      if (text.includes("?")) throw new Error("unreadable");
      return text.split("\n").filter((line) => line !== "");
    },
    onProblem: (message) => told.push(message),
  });
  const write = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const close = (): void => rmSync(directory, { recursive: true });
  return { path, live, write, told, loads: () => loads, close };
}

test("C15: a file that changes is in force whole at the next question, and read once", async () => {
  const { live, write, loads, close } = await scene("a\n");
  expect(await live.current()).toEqual(["a"]);
  write("a\nb\n");
  const all = await Promise.all(Array.from({ length: 10 }, () => live.current()));
  expect(all).toEqual(Array.from({ length: 10 }, () => ["a", "b"]));
  expect(loads()).toBe(2);
  close();
});

test("C15: a file that cannot be read keeps the former in force and says so, once; an empty one is in force", async () => {
  const { live, write, told, path, close } = await scene("a\n");
  write("?");
  expect([await live.current(), await live.current()]).toEqual([["a"], ["a"]]);
  expect(live.problem()).toMatch(/cannot be used, the former stay in force: .*unreadable/);
  expect(told).toHaveLength(1);
  rmSync(path);
  expect(await live.current()).toEqual(["a"]);
  expect(told).toHaveLength(2);
  write("");
  expect(await live.current()).toEqual([]);
  expect(live.problem()).toBeUndefined();
  close();
});

test("C15: what cannot be read at the start is thrown", async () => {
  await expect(scene("?")).rejects.toThrow("unreadable");
});
