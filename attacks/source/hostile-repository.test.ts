import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { fetchSource, requireCleanWorkingTree, resolveRevision } from "@touchmark/source";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestRepository } from "../../packages/source/src/repository.fixture.ts";

/* Repositories whose configuration, hooks, references or objects lie. Each first harms an ordinary client. */

let repo: TestRepository;
let mark: string;
beforeEach(() => {
  repo = new TestRepository();
  mark = join(repo.root, "executed");
  repo.write("file.txt", "honest\n");
  repo.commit();
});
afterEach(() => repo.remove());

const executed = () => {
  const found = existsSync(mark);
  rmSync(mark, { force: true });
  return found;
};
const clone = (...args: string[]) =>
  spawnSync("git", ["clone", "-q", ...args, repo.path, join(repo.root, `clone-${Math.random()}`)], { stdio: "ignore" });

test("a smudge filter of the user's configuration changes what is checked out", async () => {
  repo.write(".gitattributes", "*.txt filter=evil\n");
  repo.git(["config", "filter.evil.smudge", `touch ${mark}; tr a-z A-Z`]);
  repo.git(["config", "filter.evil.clean", "cat"]);
  repo.commit();
  rmSync(join(repo.path, "file.txt"));
  repo.git(["checkout", "--", "file.txt"]);
  expect(executed()).toBe(true);
  expect(readFileSync(join(repo.path, "file.txt"), "utf8")).toBe("HONEST\n");
  const options = repo.fetch;
  await fetchSource(options);
  expect(executed()).toBe(false);
  expect(readFileSync(join(options.directory, "file.txt"), "utf8")).toBe("honest\n");
});

test("hooks and programs named in the repository's own configuration execute for whoever works in it", async () => {
  writeFileSync(join(repo.path, ".git/hooks/post-checkout"), `#!/bin/sh\ntouch ${mark}\n`);
  chmodSync(join(repo.path, ".git/hooks/post-checkout"), 0o755);
  repo.git(["checkout", "-q", "-b", "other"]);
  expect(executed()).toBe(true);
  repo.git(["config", "core.fsmonitor", `touch ${mark}; false`]);
  repo.git(["config", "core.sshCommand", `touch ${mark}; false`]);
  repo.git(["config", "core.alternateRefsCommand", `touch ${mark}; false`]);
  repo.git(["config", "uploadpack.packObjectsHook", `touch ${mark}; false`]);
  repo.git(["config", "include.path", join(repo.root, "more")]);
  repo.git(["status"]);
  expect(executed()).toBe(true);
  await fetchSource(repo.fetch);
  await requireCleanWorkingTree({ location: repo.path, repositoryStore: repo.store });
  expect(executed()).toBe(false);
});

test("a promisor remote makes an ordinary reader fetch a missing object by a program (CVE-2024-32004)", async () => {
  const id = repo.git(["rev-parse", "HEAD:file.txt"]);
  rmSync(join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2)));
  repo.git(["config", "core.repositoryFormatVersion", "1"]);
  repo.git(["config", "extensions.partialClone", "origin"]);
  repo.git(["config", "remote.origin.url", `ext::sh -c touch%%20x`]);
  repo.git(["config", "remote.origin.promisor", "true"]);
  repo.git(["config", "remote.origin.uploadpack", "x"]);
  repo.git(["config", "protocol.ext.allow", "always"]);
  repo.git(["config", "remote.origin.url", `ext::touch ${mark}`]);
  spawnSync("git", ["cat-file", "blob", id], { cwd: repo.path });
  expect(executed()).toBe(true);
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_OBJECT_MISSING" });
  expect(executed()).toBe(false);
});

test("a replacement object shows other content under the same commit id", async () => {
  const id = repo.git(["rev-parse", "HEAD:file.txt"]);
  repo.git(["replace", id, repo.blob("replaced\n")]);
  expect(repo.git(["show", "HEAD:file.txt"])).toBe("replaced");
  const options = repo.fetch;
  await fetchSource(options);
  expect(readFileSync(join(options.directory, "file.txt"), "utf8")).toBe("honest\n");
});

test("a graft gives a commit other parents", async () => {
  const parent = repo.git(["rev-parse", "HEAD"]);
  repo.write("file.txt", "two\n");
  const commit = repo.commit();
  const stranger = repo.git(["commit-tree", "-m", "stranger", "HEAD^{tree}"]);
  writeFileSync(join(repo.path, ".git/info/grafts"), `${commit} ${stranger}\n`);
  expect(repo.git(["rev-parse", "HEAD~1"])).toBe(stranger);
  expect((await resolveRevision({ location: repo.path, repositoryStore: repo.store, revision: "HEAD~1" })).commit).toBe(
    parent,
  );
});

test("a file of the object database is exchanged: an ordinary reader shows the forged bytes", async () => {
  const id = repo.git(["rev-parse", "HEAD:file.txt"]);
  const path = join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2));
  chmodSync(path, 0o644);
  writeFileSync(path, deflateSync("blob 7\0forged\n"));
  const naive = execFileSync("git", ["cat-file", "--batch"], { cwd: repo.path, input: `${id}\n` }).toString();
  expect(naive).toContain("forged");
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_OBJECT_CORRUPT" });
  writeFileSync(path, "no zlib at all");
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ nature: "refused" });
});

test("AT2 (Webmin): a file is edited outside git, its time and size restored, the change hidden in the index", async () => {
  const path = join(repo.path, "file.txt");
  const { atime, mtime } = statSync(path);
  repo.git(["update-index", "--skip-worktree", "file.txt"]);
  writeFileSync(path, "h0nest\n");
  utimesSync(path, atime, mtime);
  expect(repo.git(["status", "--porcelain"])).toBe("");
  expect(readFileSync(path, "utf8")).toBe("h0nest\n");
  await expect(requireCleanWorkingTree({ location: repo.path, repositoryStore: repo.store })).rejects.toMatchObject({
    code: "SOURCE_WORKING_TREE_CHANGED",
  });
  const options = repo.fetch;
  await fetchSource(options);
  expect(readFileSync(join(options.directory, "file.txt"), "utf8")).toBe("honest\n");
});

test("AT12 (PHP): a commit in the maintainer's name is not the maintainer's signature", async () => {
  repo.write("file.txt", "backdoor\n");
  repo.git(["add", "-A"]);
  const author = {
    GIT_AUTHOR_NAME: "Rasmus",
    GIT_AUTHOR_EMAIL: "maintainer@example.org",
    GIT_COMMITTER_NAME: "Rasmus",
    GIT_COMMITTER_EMAIL: "maintainer@example.org",
  };
  repo.git(["commit", "-q", "-m", "Fix typo"], { env: author });
  expect(repo.git(["log", "-1", "--format=%an <%ae>"])).toBe("Rasmus <maintainer@example.org>");
  const record = await fetchSource(repo.fetch);
  expect(record.committer.email).toBe("maintainer@example.org");
  expect(record.signature).toMatchObject({ kind: "none", verification: "unsigned" });
});

test("a revision that begins with a dash is an option to git", async () => {
  const spoiled = spawnSync("git", ["log", `--output=${mark}`], { cwd: repo.path });
  expect(spoiled.status).toBe(0);
  expect(executed()).toBe(true);
  for (const revision of [
    `--output=${mark}`,
    "-h",
    "",
    "a..b",
    "HEAD@{1}",
    "a b",
    "refs/../../secret",
    ":/message",
    "x\ny",
    "HEAD^{tree}",
    "a.lock",
  ]) {
    await expect(fetchSource({ ...repo.fetch, revision })).rejects.toMatchObject({ code: "SOURCE_REVISION_INVALID" });
  }
  expect(executed()).toBe(false);
});

test("a tag and a branch of one name: which one is built depends on the command", async () => {
  const first = repo.git(["rev-parse", "HEAD"]);
  repo.write("file.txt", "two\n");
  repo.commit();
  repo.git(["branch", "release"]);
  repo.git(["tag", "release", first]);
  expect(repo.git(["rev-parse", "release"])).toBe(first);
  await expect(fetchSource({ ...repo.fetch, revision: "release" })).rejects.toMatchObject({
    code: "SOURCE_REVISION_AMBIGUOUS",
  });
  expect((await fetchSource({ ...repo.fetch, revision: "refs/tags/release" })).commit).toBe(first);
});

test("an abbreviated id can come to mean another commit; a branch can be called like an id", async () => {
  const commit = repo.git(["rev-parse", "HEAD"]);
  expect(repo.git(["rev-parse", commit.slice(0, 7)])).toBe(commit);
  await expect(fetchSource({ ...repo.fetch, revision: commit.slice(0, 7) })).rejects.toMatchObject({
    code: "SOURCE_REVISION_ABBREVIATED",
  });
  repo.write("file.txt", "other\n");
  repo.commit();
  repo.git(["update-ref", `refs/heads/${commit}`, "HEAD"]);
  expect((await fetchSource({ ...repo.fetch, revision: commit })).commit).toBe(commit);
});

test("a tag is moved between looking and building", async () => {
  repo.git(["tag", "v1"]);
  const expectedCommit = repo.git(["rev-parse", "v1"]);
  expect((await fetchSource({ ...repo.fetch, revision: "v1", expectedCommit })).commit).toBe(expectedCommit);
  repo.write("file.txt", "moved\n");
  repo.commit();
  repo.git(["tag", "-f", "v1"]);
  clone("--branch=v1");
  await expect(fetchSource({ ...repo.fetch, revision: "v1", expectedCommit })).rejects.toMatchObject({
    code: "SOURCE_REVISION_MOVED",
  });
});

test("a reference is a link to a secret, or leads out of the repository", async () => {
  writeFileSync(join(repo.root, "secret"), "the secret\n");
  mkdirSync(join(repo.path, ".git/refs/heads/x"), { recursive: true });
  writeFileSync(join(repo.path, ".git/refs/heads/out"), "ref: refs/../../../secret\n");
  execFileSync("ln", ["-s", join(repo.root, "secret"), join(repo.path, ".git/refs/heads/link")]);
  for (const revision of ["out", "link"]) {
    await expect(fetchSource({ ...repo.fetch, revision })).rejects.toMatchObject({
      code: "SOURCE_REVISION_UNKNOWN",
      message: expect.not.stringContaining("the secret"),
    });
  }
});

test.each([
  ["ext::sh -c touch% x", "SOURCE_TRANSPORT_REFUSED"],
  ["--upload-pack=touch x", "SOURCE_SUBMODULE_UNSAFE"],
  ["-oProxyCommand=x", "SOURCE_SUBMODULE_UNSAFE"],
  ["ssh://-oProxyCommand=x/y", "SOURCE_SUBMODULE_UNSAFE"],
  ["http://git.example.org/x", "SOURCE_TRANSPORT_REFUSED"],
])(
  "a submodule at %j executes a program on a careless client (CVE-2017-1000117, CVE-2018-17456)",
  async (url, code) => {
    const pinned = repo.git(["rev-parse", "HEAD"]);
    const modules = repo.blob(`[submodule "x"]\n\tpath = x\n\turl = ${url}\n\tupdate = !touch ${mark}\n`);
    repo.commitTree(
      repo.tree([
        ["100644", ".gitmodules", modules],
        ["160000", "x", pinned],
      ]),
    );
    await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_SUBMODULE_UNDECLARED" });
    const declared = { submodules: true, lfs: false };
    await expect(fetchSource({ ...repo.fetch, declared })).rejects.toMatchObject({ code });
    expect(executed()).toBe(false);
  },
);

test(".gitmodules is a link to a file outside", async () => {
  repo.commitTree(repo.tree([["120000", ".gitmodules", repo.blob("../elsewhere")]]));
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_SUBMODULE_UNSAFE" });
});

test("malformed commits: a second tree, a time beyond time, a NUL, a signature twice", async () => {
  const raw = repo.git(["cat-file", "commit", "HEAD"]);
  const tree = repo.git(["rev-parse", "HEAD^{tree}"]);
  for (const bad of [
    raw.replace("author", `tree ${tree}\nauthor`),
    raw.replace(/1700000000/g, "999999999999"),
    raw.replace("Ada", "Ada\0"),
    raw.replace("\n\n", `\nauthor Eve <eve@example.org> 1700000000 +0000\n\n`),
    raw.replace("\n\n", "\ngpgsig a\ngpgsig b\n\n"),
    "nothing",
  ]) {
    repo.git(["update-ref", "refs/heads/main", repo.git(["rev-parse", "HEAD"])]);
    writeFileSync(join(repo.path, ".git/refs/heads/main"), `${repo.object("commit", bad)}\n`);
    await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_COMMIT_MALFORMED" });
    writeFileSync(join(repo.path, ".git/refs/heads/main"), "");
    rmSync(join(repo.path, ".git/refs/heads/main"));
    repo.git(["update-ref", "refs/heads/main", repo.object("commit", raw.endsWith("\n") ? raw : `${raw}\n`)]);
  }
});
