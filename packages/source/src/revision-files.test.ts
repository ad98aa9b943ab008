import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestRepository } from "./repository.fixture.ts";
import { openRevisionFiles } from "./revision-files.ts";

const repo = new TestRepository();
afterAll(() => repo.remove());

test("C12: a few files of a revision are read through one process; links and directories are no files", async () => {
  repo.write("one.txt", "one\n");
  repo.write("below/two.txt", "two\n");
  symlinkSync("one.txt", join(repo.path, "link"));
  const commit = repo.commit();
  const files = await openRevisionFiles({ location: repo.path, repositoryStore: repo.store, revision: "main" });
  try {
    expect([files.commit, await files.names()]).toEqual([commit, ["one.txt"]]);
    expect(Buffer.from((await files.read("below/two.txt")) ?? "").toString()).toBe("two\n");
    for (const path of ["below", "link", "none", "one.txt/x", "below/none"])
      expect(await files.read(path)).toBeUndefined();
    await expect(files.read("../one.txt")).rejects.toMatchObject({ code: "TREE_PATH_INVALID" });
    await expect(files.read("one.txt", { limitBytes: 2 })).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
  } finally {
    files.close();
  }
  await expect(
    openRevisionFiles({ location: repo.path, repositoryStore: repo.store, revision: "nowhere" }),
  ).rejects.toMatchObject({ code: "SOURCE_REVISION_UNKNOWN" });
});
