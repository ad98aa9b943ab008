import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetchSource } from "./fetch-source.ts";
import { TestRepository } from "./repository.fixture.ts";
import { fetchWorkingTree, requireCleanWorkingTree, workingTreeChanges } from "./working-tree.ts";

let repo: TestRepository;
beforeEach(() => {
  repo = new TestRepository();
  repo.write("a.txt", "one\n");
  repo.write("dir/b.txt", "two\n");
  repo.write(".gitignore", "ignored\n");
  repo.commit();
});
afterEach(() => repo.remove());

const options = () => ({ location: repo.path, repositoryStore: repo.store });

test("C11: a clean tree has no changes, ignored files do not count", async () => {
  repo.write("ignored", "x");
  expect(await workingTreeChanges(options())).toEqual([]);
  await requireCleanWorkingTree(options());
});

test("C11: modified, deleted and untracked files are found, and refused", async () => {
  repo.write("a.txt", "changed\n");
  repo.write("new.txt", "new");
  rmSync(join(repo.path, "dir"), { recursive: true });
  expect(await workingTreeChanges(options())).toEqual([
    { path: "a.txt", change: "modified" },
    { path: "dir/b.txt", change: "deleted" },
    { path: "new.txt", change: "untracked" },
  ]);
  await expect(requireCleanWorkingTree(options())).rejects.toMatchObject({
    code: "SOURCE_WORKING_TREE_CHANGED",
    nature: "refused",
  });
});

test("C11: a change of equal size and time, hidden from the index, is found by content", async () => {
  const path = join(repo.path, "a.txt");
  const { atime, mtime } = statSync(path);
  repo.git(["update-index", "--assume-unchanged", "a.txt"]);
  writeFileSync(path, "eno\n");
  utimesSync(path, atime, mtime);
  expect(execFileSync("git", ["status", "--porcelain"], { cwd: repo.path }).toString()).toBe("");
  expect(await workingTreeChanges(options())).toEqual([{ path: "a.txt", change: "modified" }]);
});

test("C11: line ends of a checkout are no change", async () => {
  repo.write(".gitattributes", "*.txt text eol=crlf\n");
  repo.commit();
  repo.write("a.txt", "one\r\n");
  expect(await workingTreeChanges(options())).toEqual([]);
});

test("C11: a build of the working tree holds the changes, and its record says so", async () => {
  repo.write("a.txt", "changed\n");
  repo.write("new.txt", "new");
  repo.write("ignored", "x");
  const directory = repo.directory();
  const record = await fetchWorkingTree({ ...options(), directory });
  expect(record.workingTree).toBe(true);
  expect(record.changedFiles).toHaveLength(2);
  expect(readFileSync(join(directory, "a.txt"), "utf8")).toBe("changed\n");
  expect(existsSync(join(directory, "new.txt"))).toBe(true);
  expect(existsSync(join(directory, "ignored"))).toBe(false);
  const committed = await fetchSource(repo.fetch);
  expect(committed.treeDigest).not.toBe(record.treeDigest);
});

test("C11: configuration of the repository that names programs is not obeyed", async () => {
  const mark = join(repo.root, "executed");
  repo.git(["config", "core.fsmonitor", `touch ${mark}; false`]);
  repo.git(["status"]);
  expect(existsSync(mark)).toBe(true);
  rmSync(mark);
  await workingTreeChanges(options());
  expect(existsSync(mark)).toBe(false);
});
