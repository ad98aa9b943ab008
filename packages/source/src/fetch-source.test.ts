import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fetchSource } from "./fetch-source.ts";
import { readAtRevision } from "./read-at-revision.ts";
import { TestRepository } from "./repository.fixture.ts";
import { resolveRevision } from "./repository.ts";

let made: TestRepository[] = [];
function repository(format?: "sha1" | "sha256"): TestRepository {
  const one = new TestRepository(format);
  made.push(one);
  return one;
}
afterEach(() => {
  for (const one of made) one.remove();
  made = [];
});

function project(format?: "sha1" | "sha256"): TestRepository {
  const repo = repository(format);
  repo.write("README.md", "hello\n");
  repo.write("src/deep/er/main.c", "int main(void) { return 0; }\n");
  repo.write("run.sh", "#!/bin/sh\n");
  chmodSync(join(repo.path, "run.sh"), 0o755);
  symlinkSync("../README.md", join(repo.path, "src/link"));
  return repo;
}

test.each(["sha1", "sha256"] as const)(
  "C6: a %s repository gives files, executables and links with the commit's time",
  async (format) => {
    const repo = project(format);
    const commit = repo.commit();
    const options = repo.fetch;
    const record = await fetchSource(options);
    expect(record).toMatchObject({
      commit,
      objectFormat: format,
      workingTree: false,
      reference: "refs/heads/main",
      submodules: [],
      lfs: [],
    });
    expect(record.tree).toBe(repo.git(["rev-parse", "HEAD^{tree}"]));
    expect(record.committedAt.getTime()).toBe(1_700_000_000_000);
    expect(record.entries.map((entry) => `${entry.kind} ${entry.path}`)).toEqual([
      "file README.md",
      "executable run.sh",
      "file src/deep/er/main.c",
      "symlink src/link",
    ]);
    expect(readFileSync(join(options.directory, "README.md"), "utf8")).toBe("hello\n");
    expect(readlinkSync(join(options.directory, "src/link"))).toBe("../README.md");
    expect(statSync(join(options.directory, "run.sh")).mode & 0o777).toBe(0o755);
    for (const path of ["README.md", "src", "src/deep", "src/link", "."]) {
      expect(lstatSync(join(options.directory, path)).mtimeMs).toBe(1_700_000_000_000);
    }
    const again = await fetchSource({ ...options, directory: repo.directory(), revision: commit });
    expect(again.treeDigest).toBe(record.treeDigest);
  },
);

test("C6: the same files in SHA-1 and SHA-256 repositories have one tree digest", async () => {
  const digests = [];
  for (const format of ["sha1", "sha256"] as const) {
    const repo = project(format);
    repo.commit();
    digests.push((await fetchSource(repo.fetch)).treeDigest);
  }
  expect(digests[0]).toBe(digests[1]);
});

test("C4: attributes, line endings and packed objects change no byte; equal files and large files are whole", async () => {
  const repo = repository();
  repo.write(".gitattributes", "* text eol=crlf ident\n*.bin -text\n");
  repo.write("a.txt", "one\n$Id$\n");
  repo.write("b.txt", "one\n$Id$\n");
  const large = Buffer.alloc(3_000_000, "abcdefghijklmnopqrstuvwxyz");
  repo.write("large.bin", large);
  repo.write("empty.bin", "");
  repo.commit();
  repo.git(["gc", "-q"]);
  const options = repo.fetch;
  await fetchSource(options);
  expect(readFileSync(join(options.directory, "a.txt"), "latin1")).toBe("one\n$Id$\n");
  expect(readFileSync(join(options.directory, "b.txt"), "latin1")).toBe("one\n$Id$\n");
  expect(readFileSync(join(options.directory, "large.bin")).equals(large)).toBe(true);
  expect(readFileSync(join(options.directory, "empty.bin"))).toHaveLength(0);
});

test("C2: branches, tags, references, ids and ancestors lead to commits", async () => {
  const repo = project();
  const first = repo.commit("first");
  repo.write("more", "1");
  const second = repo.commit("second");
  repo.git(["tag", "v1", first]);
  repo.git(["tag", "-a", "-m", "annotated", "v2", second]);
  const lookup = async (revision: string) =>
    (await resolveRevision({ location: repo.path, repositoryStore: repo.store, revision })).commit;
  for (const revision of ["HEAD", "main", "refs/heads/main", "v2", "refs/tags/v2", second])
    expect(await lookup(revision)).toBe(second);
  for (const revision of ["v1", "HEAD~1", "HEAD^", "main^1", "HEAD~0^"]) expect(await lookup(revision)).toBe(first);
  repo.git(["pack-refs", "--all"]);
  expect(await lookup("v1")).toBe(first);
  expect(await lookup("main")).toBe(second);
  await expect(lookup("HEAD~7")).rejects.toMatchObject({ code: "SOURCE_REVISION_UNKNOWN" });
  await expect(lookup("nowhere")).rejects.toMatchObject({ code: "SOURCE_REVISION_UNKNOWN" });
  await expect(lookup("0".repeat(40))).rejects.toMatchObject({ code: "SOURCE_REVISION_UNKNOWN" });
  await expect(lookup(repo.git(["rev-parse", "HEAD^{tree}"]))).rejects.toMatchObject({ code: "SOURCE_NOT_A_COMMIT" });
});

test("C2: a linked working tree and a bare repository are read alike", async () => {
  const repo = project();
  const commit = repo.commit();
  repo.git(["worktree", "add", "-q", "-b", "side", join(repo.root, "linked")]);
  repo.git(["clone", "-q", "--bare", repo.path, join(repo.root, "bare")]);
  for (const name of ["linked", "bare"]) {
    const found = await resolveRevision({
      location: join(repo.root, name),
      repositoryStore: repo.store,
      revision: "HEAD",
    });
    expect(found.commit).toBe(commit);
  }
  await expect(fetchSource({ ...repo.fetch, location: repo.root })).rejects.toMatchObject({
    code: "SOURCE_NOT_A_REPOSITORY",
  });
  repo.git(["config", "extensions.refstorage", "reftable"]);
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_REPOSITORY_UNSUPPORTED" });
  expect((await fetchSource({ ...repo.fetch, revision: commit })).commit).toBe(commit);
});

test("C14: a directory that is missing or holds something is refused", async () => {
  const repo = project();
  repo.commit();
  const options = repo.fetch;
  writeFileSync(join(options.directory, "old"), "");
  await expect(fetchSource(options)).rejects.toMatchObject({ code: "SOURCE_DIRECTORY_NOT_EMPTY" });
  await expect(fetchSource({ ...options, directory: join(repo.root, "none") })).rejects.toMatchObject({
    code: "SOURCE_DIRECTORY_NOT_EMPTY",
  });
});

test("C12: one file of a commit is read by its path, and links and directories are no files", async () => {
  const repo = project();
  const commit = repo.commit();
  const bytes = await readAtRevision(repo.path, commit, "src/deep/er/main.c", { repositoryStore: repo.store });
  expect(Buffer.from(bytes).toString()).toBe("int main(void) { return 0; }\n");
  expect(Buffer.from(await readAtRevision(repo.path, commit, "README.md")).toString()).toBe("hello\n");
  for (const path of ["src", "src/link", "none", "README.md/x"]) {
    await expect(readAtRevision(repo.path, commit, path)).rejects.toMatchObject({ code: "SOURCE_FILE_UNKNOWN" });
  }
  await expect(readAtRevision(repo.path, "main", "README.md")).rejects.toMatchObject({
    code: "SOURCE_REVISION_INVALID",
  });
  await expect(readAtRevision(repo.path, commit, "README.md", { limitBytes: 2 })).rejects.toMatchObject({
    code: "SOURCE_TOO_LARGE",
  });
});

test("C9: declared submodules come at the pinned commit, also relative ones; undeclared and unusable ones are refused", async () => {
  const inner = project();
  const pinned = inner.commit("pinned");
  inner.write("later", "not pinned");
  inner.commit("later");
  const repo = repository();
  const outer = (url: string) => {
    repo.write(".gitmodules", `[submodule "lib"]\n\tpath = lib\n\turl = ${url}\n`);
    repo.git(["add", ".gitmodules"]);
    repo.git(["update-index", "--add", "--cacheinfo", `160000,${pinned},lib`]);
    repo.git(["commit", "-q", "-m", "with a submodule"]);
  };
  outer(inner.path);
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_SUBMODULE_UNDECLARED" });
  const declared = { submodules: true, lfs: false };
  const options = repo.fetch;
  const record = await fetchSource({ ...options, declared });
  expect(record.submodules).toMatchObject([{ path: "lib", commit: pinned }]);
  expect(readdirSync(join(options.directory, "lib"))).toEqual(["README.md", "run.sh", "src"]);
  expect(record.entries.map((entry) => entry.path)).toContain("lib/src/link");
  outer("no-location");
  await expect(fetchSource({ ...repo.fetch, declared })).rejects.toMatchObject({ code: "SOURCE_SUBMODULE_UNSAFE" });
});

test("C9: declared LFS content is taken by its digest; undeclared, missing and altered content is refused", async () => {
  const repo = repository();
  const content = "a large file";
  const digest = createHash("sha256").update(content).digest("hex");
  repo.write("big.bin", `version https://git-lfs.github.com/spec/v1\noid sha256:${digest}\nsize ${content.length}\n`);
  repo.commit();
  const declared = { submodules: false, lfs: true };
  await expect(fetchSource(repo.fetch)).rejects.toMatchObject({ code: "SOURCE_LFS_UNDECLARED" });
  await expect(fetchSource({ ...repo.fetch, declared })).rejects.toMatchObject({ code: "SOURCE_LFS_UNAVAILABLE" });
  const place = join(repo.path, ".git/lfs/objects", digest.slice(0, 2), digest.slice(2, 4));
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, digest), "another file");
  await expect(fetchSource({ ...repo.fetch, declared })).rejects.toMatchObject({ code: "SOURCE_LFS_CORRUPT" });
  writeFileSync(join(place, digest), content);
  const options = repo.fetch;
  const record = await fetchSource({ ...options, declared });
  expect(record.lfs).toEqual([{ path: "big.bin", digest: `sha256:${digest}`, size: content.length }]);
  expect(readFileSync(join(options.directory, "big.bin"), "utf8")).toBe(content);
  truncateSync(join(place, digest), 3);
  await expect(fetchSource({ ...repo.fetch, declared })).rejects.toMatchObject({ code: "SOURCE_LFS_CORRUPT" });
});
