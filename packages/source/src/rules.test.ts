import { chmodSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { fetchSource } from "./fetch-source.ts";
import { checkLinks } from "./link-rule.ts";
import { checkName, collisionKey, isDotGit } from "./path-rule.ts";
import { TestRepository } from "./repository.fixture.ts";

let made: TestRepository[] = [];
function repository(): TestRepository {
  const one = new TestRepository();
  made.push(one);
  one.write("file.txt", "honest\n");
  one.commit();
  return one;
}
afterEach(() => {
  for (const one of made) one.remove();
  made = [];
});

test("C3: a revision that leads elsewhere than expected is refused", async () => {
  const repo = repository();
  const expectedCommit = repo.git(["rev-parse", "HEAD"]);
  repo.write("file.txt", "later\n");
  repo.commit();
  await expect(fetchSource({ ...repo.fetch, expectedCommit })).rejects.toMatchObject({ code: "SOURCE_REVISION_MOVED" });
});

test("C5: altered and missing objects of every kind are refused", async () => {
  for (const revision of ["HEAD", "HEAD^{tree}", "HEAD:file.txt"]) {
    const repo = repository();
    const id = repo.git(["rev-parse", revision]);
    const path = join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2));
    chmodSync(path, 0o644);
    writeFileSync(path, deflateSync("blob 7\0forged\n"));
    await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_OBJECT_CORRUPT" });
    rmSync(path);
    const code = revision === "HEAD" ? "SOURCE_REVISION_UNKNOWN" : "SOURCE_OBJECT_MISSING";
    await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code });
  }
});

test("C7: nothing is written when a name or link of the tree is refused", async () => {
  const repo = repository();
  const blob = repo.blob("x");
  repo.commitTree(
    repo.tree([
      ["100644", "a", blob],
      ["40000", "b", repo.tree([["100644", "git~1", blob]])],
    ]),
  );
  const options = repo.fetch;
  await expect(fetchSource(options)).rejects.toMatchObject({ code: "SOURCE_PATH_DOTGIT" });
  expect(readdirSync(options.directory)).toEqual([]);
});

test("C7: ordinary names pass, spellings of .git do not", () => {
  for (const name of [
    ".gitignore",
    ".github",
    "git",
    "git~",
    "a.git",
    "gitmodules",
    "日本語",
    "x y",
    "Makefile",
    "...",
    ".gi",
  ]) {
    expect(() => checkName(name, name)).not.toThrow();
  }
  for (const name of [".git", ".GiT", "git~1", "GIT~12", ".git...", ".git ::$DATA", "\u200d.git", ".g\u206fit"])
    expect(isDotGit(name)).toBe(true);
  expect(collisionKey("A\u0308")).toBe(collisionKey("\u00e4"));
});

test("C7: a link passes exactly when following it never leaves the tree", () => {
  const inside = new Map([
    ["a/b/up", "../../c"],
    ["c", "d/../e"],
    ["loop", "loop"],
    ["dangling", "nothing/here"],
    ["a/self", "."],
  ]);
  expect(() => checkLinks(inside)).not.toThrow();
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("..", "x", ".", "y"), { minLength: 1, maxLength: 12 }),
      fc.nat(4),
      (parts, depth) => {
        let level = depth;
        const leaves = parts.some((part) => {
          level += part === ".." ? -1 : part === "." ? 0 : 1;
          return level < 0;
        });
        const path = `${"d/".repeat(depth)}link`;
        const check = () => checkLinks(new Map([[path, parts.join("/")]]));
        if (leaves) expect(check).toThrow(expect.objectContaining({ code: "SOURCE_LINK_OUTSIDE" }));
        else expect(check).not.toThrow();
      },
    ),
  );
});

test("C8: each limit is a named refusal", async () => {
  const repo = repository();
  repo.write("dir/deep/file", "1234567890");
  repo.commit();
  for (const [limits, code] of [
    [{ entries: 2 }, "SOURCE_TOO_MANY_FILES"],
    [{ fileBytes: 9 }, "SOURCE_TOO_LARGE"],
    [{ totalBytes: 16 }, "SOURCE_TOO_LARGE"],
    [{ depth: 1 }, "SOURCE_TOO_DEEP"],
    [{ pathBytes: 8 }, "SOURCE_TOO_DEEP"],
  ] as const) {
    await expect(fetchSource({ ...repo.fetch, limits })).rejects.toMatchObject({ code, nature: "refused" });
  }
  await fetchSource({ ...repo.fetch, limits: { entries: 4, fileBytes: 10, totalBytes: 17, depth: 2, pathBytes: 13 } });
});
