import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fetchSource } from "@touchmark/source";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestRepository } from "../../packages/source/src/repository.fixture.ts";

/*
 * Trees that no well-behaved client makes, in real repositories. Each is first unpacked by `naive`, which does what a
 * simple exporter does: for each path of the tree, make the directories and write the file.
 */

let repo: TestRepository;
let payload: string;
beforeEach(() => {
  repo = new TestRepository();
  payload = repo.blob("owned\n");
});
afterEach(() => repo.remove());

function naive(commit: string): string {
  const directory = repo.directory();
  const rows = execFileSync("git", ["-c", "core.quotePath=false", "ls-tree", "-r", "-z", commit], { cwd: repo.path });
  for (const row of rows.toString().split("\0").filter(Boolean)) {
    const [head = "", path = ""] = row.split("\t");
    const [mode, type, id = ""] = head.split(" ");
    if (type !== "blob") continue;
    const content = execFileSync("git", ["cat-file", "blob", id], { cwd: repo.path });
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    if (mode === "120000") symlinkSync(content.toString(), join(directory, path));
    else writeFileSync(join(directory, path), content);
  }
  return directory;
}

async function refused(code: string, limits = {}): Promise<void> {
  const options = { ...repo.fetch, limits };
  await expect(fetchSource(options)).rejects.toMatchObject({ code, nature: "refused" });
}

test("a path with `..` writes outside of the tree", async () => {
  const up = repo.tree([["100644", "escaped", payload]]);
  const commit = repo.commitTree(repo.tree([["40000", "..", up]]));
  const directory = naive(commit);
  expect(existsSync(join(directory, "..", "escaped"))).toBe(true);
  await refused("SOURCE_PATH_UNSAFE");
});

test("a name with slashes writes outside of the tree", async () => {
  const commit = repo.commitTree(repo.tree([["100644", "../slashed", payload]]));
  const directory = naive(commit);
  expect(existsSync(join(directory, "..", "slashed"))).toBe(true);
  await refused("SOURCE_PATH_UNSAFE");
});

test("a tree that holds `.git/config` makes the next git command execute a program (CVE-2014-9390)", async () => {
  const mark = join(repo.root, "executed");
  const config = repo.blob(`[core]\n\trepositoryformatversion = 0\n\tfsmonitor = "touch ${mark}; false"\n`);
  const git = repo.tree([
    ["100644", "HEAD", repo.blob("ref: refs/heads/main\n")],
    ["100644", "config", config],
    ["40000", "objects", repo.tree([["100644", "x", payload]])],
    ["40000", "refs", repo.tree([["100644", "x", payload]])],
  ]);
  const directory = naive(repo.commitTree(repo.tree([["40000", ".git", git]])));
  spawnSync("git", ["status"], { cwd: directory });
  expect(existsSync(mark)).toBe(true);
  await refused("SOURCE_PATH_DOTGIT");
});

test.each([
  ".GIT",
  "git~1",
  "GIT~2",
  ".git ",
  ".git.",
  ".git::$INDEX_ALLOCATION",
  ".g\u200cit",
  "\u200e.git",
  ".Git\ufeff",
  ".git:x",
])("the name %j is `.git` to another file system", async (name) => {
  const commit = repo.commitTree(repo.tree([["40000", name, repo.tree([["100644", "config", payload]])]]));
  expect(readdirSync(naive(commit))).toEqual([name]);
  await refused("SOURCE_PATH_DOTGIT");
});

test.each(["/etc/passwd", "../../outside", "a/../../outside", "sub/../../x", "..", "dir\\..\\..\\x", ""])(
  "a link to %j leads out of the tree",
  async (target) => {
    const link = repo.blob(target);
    const commit = repo.commitTree(
      repo.tree([
        ["40000", "dir", repo.tree([["100644", "f", payload]])],
        ["120000", "link", link],
      ]),
    );
    if (target !== "") expect(lstatSync(join(naive(commit), "link")).isSymbolicLink()).toBe(true);
    await refused("SOURCE_LINK_OUTSIDE");
  },
);

test("a link inside leads outside by way of another link", async () => {
  // deep/up -> ../..  is the root seen from deep/er; through `hop` it is one level higher.
  const deep = repo.tree([["120000", "up", repo.blob("../hop/../..")]]);
  const commit = repo.commitTree(
    repo.tree([
      ["40000", "deep", deep],
      ["120000", "hop", repo.blob("deep/..")],
    ]),
  );
  naive(commit);
  await refused("SOURCE_LINK_OUTSIDE");
});

test("a link, then a file through it, writes into another directory", async () => {
  const victim = join(repo.root, "victim");
  mkdirSync(victim);
  const through = repo.tree([["100644", "file", payload]]);
  // Two entries of one name: a tree object may say so, git's own index may not.
  const commit = repo.commitTree(
    repo.tree([
      ["120000", "a", repo.blob(victim)],
      ["40000", "a", through],
    ]),
  );
  naive(commit);
  expect(readFileSync(join(victim, "file"), "utf8")).toBe("owned\n");
  await refused("SOURCE_TREE_MALFORMED");
});

test.each([
  ["README", "readme"],
  ["straße", "STRASSE"],
  ["caf\u00e9", "cafe\u0301"],
  ["a\u200cb", "ab"],
])("the names %j and %j are one name elsewhere, where the second replaces the first", async (one, other) => {
  const rows = [one, other]
    .map((name) => ["100644", name, payload] as const)
    .sort((a, b) => Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])));
  const commit = repo.commitTree(repo.tree(rows));
  expect(readdirSync(naive(commit))).toHaveLength(2);
  await refused("SOURCE_PATH_COLLISION");
});

test.each(["a\nb", "a\u001b[2Jb", "a\\b", "\u0085", "a\u007f"])(
  "the name %j deceives terminals, scripts or other systems",
  async (name) => {
    const commit = repo.commitTree(repo.tree([["100644", name, payload]]));
    expect(readdirSync(naive(commit))).toEqual([name]);
    await refused("SOURCE_PATH_UNSAFE");
  },
);

test("a name that is no UTF-8 has different spellings for different readers", async () => {
  repo.commitTree(repo.tree([["100644", Buffer.from([0x66, 0xff, 0xfe]), payload]]));
  await refused("SOURCE_PATH_ENCODING");
});

test.each([
  ["100664", "SOURCE_MODE_REFUSED"],
  ["104755", "SOURCE_MODE_REFUSED"],
  ["0100644", "SOURCE_TREE_MALFORMED"],
  ["060000", "SOURCE_MODE_REFUSED"],
])("the mode %s would be a set-user-id program, a device or a second spelling", async (mode, code) => {
  repo.commitTree(repo.tree([[mode, "f", payload]]));
  await refused(code);
});

test("an unsorted tree shows different files to different readers", async () => {
  repo.commitTree(
    repo.tree([
      ["100644", "b", payload],
      ["100644", "a", payload],
    ]),
  );
  await refused("SOURCE_TREE_MALFORMED");
});

test("a cut tree, and a file where a tree should be", async () => {
  repo.commitTree(repo.object("tree", Buffer.from("100644 cut\0short")));
  await refused("SOURCE_TREE_MALFORMED");
  repo.commitTree(repo.tree([["40000", "d", payload]]));
  await refused("SOURCE_TREE_MALFORMED");
});

test("ten trees of ten trees of ten trees expand to billions of files", async () => {
  let id = repo.tree([["100644", "f", payload]]);
  for (let level = 0; level < 10; level++) {
    const same = id;
    id = repo.tree(Array.from({ length: 10 }, (_, i) => ["40000", `d${i}`, same] as const));
  }
  repo.commitTree(id);
  // A naive exporter works on this for years; git itself is stopped here after it has named a million files.
  const lister = spawnSync("git", ["ls-tree", "-r", "--name-only", "main"], { cwd: repo.path, maxBuffer: 20_000_000 });
  expect(lister.stdout.length).toBeGreaterThan(10_000_000);
  await refused("SOURCE_TOO_MANY_FILES");
});

test("huge files, very many bytes, deep and long paths meet their limits", async () => {
  repo.commitTree(repo.tree([["100644", "huge", repo.blob(Buffer.alloc(5_000_000))]]));
  await refused("SOURCE_TOO_LARGE", { fileBytes: 1_000_000 });
  const same = repo.blob(Buffer.alloc(100_000));
  repo.commitTree(
    repo.tree(Array.from({ length: 30 }, (_, i) => ["100644", `f${String(i).padStart(2, "0")}`, same] as const)),
  );
  await refused("SOURCE_TOO_LARGE", { totalBytes: 2_000_000 });
  let id = repo.tree([["100644", "f", payload]]);
  for (let level = 0; level < 70; level++) id = repo.tree([["40000", "d", id]]);
  repo.commitTree(id);
  await refused("SOURCE_TOO_DEEP");
  repo.commitTree(repo.tree([["100644", "n".repeat(300), payload]]));
  await refused("SOURCE_TOO_DEEP");
  repo.commitTree(repo.tree([["120000", "l", repo.blob("x/".repeat(4000))]]));
  await refused("SOURCE_LINK_OUTSIDE");
});
