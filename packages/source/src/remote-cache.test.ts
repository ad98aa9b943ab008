import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { fetchSource } from "./fetch-source.ts";
import { runGit, skeletonRepository, transportEnvironment } from "./git.ts";
import { serveGit, type TestServer } from "./git-server.fixture.ts";
import { readAtRevision } from "./read-at-revision.ts";
import { TestRepository } from "./repository.fixture.ts";
import { resolveRevision } from "./repository.ts";

const unable = spawnSync("openssl", ["version"]).error !== undefined || spawnSync("git", ["http-backend"]).status === 1;

let repo: TestRepository;
let server: TestServer;
let first: string;
beforeAll(async () => {
  repo = new TestRepository();
  repo.write("a.txt", "one\n");
  first = repo.commit();
  repo.write("a.txt", "two\n");
  repo.commit();
  repo.git(["tag", "-a", "-m", "x", "v2"]);
  if (!unable) server = await serveGit(repo.root);
});
afterAll(async () => {
  await server?.close();
  repo.remove();
});
const path = process.env["PATH"];
afterEach(() => {
  process.env["PATH"] = path;
});

const remote = (name = "repository") => ({
  ...repo.fetch,
  location: `${server.url}/${name}/.git`,
  transport: server.transport,
});

test.skipIf(unable)("C13: a remote is fetched by name, alone by id, and from the cache the second time", async () => {
  const options = remote();
  const record = await fetchSource(options);
  expect(record).toMatchObject({ commit: repo.git(["rev-parse", "HEAD"]), reference: "refs/heads/main" });
  expect(record.uri).toBe(`git+${server.url}/repository/.git`);
  const tagged = await fetchSource({ ...remote(), revision: "v2" });
  expect(tagged.treeDigest).toBe(record.treeDigest);

  const old = remote();
  await fetchSource({ ...old, revision: first });
  expect(readFileSync(join(old.directory, "a.txt"), "utf8")).toBe("one\n");
  const cache = join(
    repo.store,
    "remotes",
    readdirSync(join(repo.store, "remotes")).find((name) => name.endsWith(".git")) ?? "",
  );
  expect(existsSync(join(cache, "shallow"))).toBe(true);

  const asked = server.requests.length;
  const bytes = await readAtRevision(old.location, first, "a.txt", {
    repositoryStore: repo.store,
    transport: server.transport,
  });
  expect(Buffer.from(bytes).toString()).toBe("one\n");
  expect(server.requests).toHaveLength(asked);
});

test.skipIf(unable)("C13: what a killed process left in the cache does not stop the next one", async () => {
  await fetchSource(remote());
  const cache = join(
    repo.store,
    "remotes",
    readdirSync(join(repo.store, "remotes")).find((name) => name.endsWith(".git")) ?? "",
  );
  for (const name of [
    "shallow.lock",
    "config.lock",
    "packed-refs.lock",
    "objects/pack/tmp_pack_x",
    "refs/heads/x.lock",
  ]) {
    writeFileSync(join(cache, name), "half");
  }
  repo.write("b.txt", `${Date.now()}`);
  const commit = repo.commit();
  expect((await fetchSource(remote())).commit).toBe(commit);
  expect(existsSync(join(cache, "shallow.lock"))).toBe(false);
});

test.skipIf(unable)("C13: a process killed at any time during a fetch leaves a cache that works", async () => {
  const program = new URL("fetch-source.ts", import.meta.url).href;
  for (const delayMs of [150, 250, 350, 500]) {
    repo.write("big.bin", Buffer.alloc(2_000_000, `${delayMs}`));
    const commit = repo.commit();
    const code = `const { fetchSource } = await import(${JSON.stringify(program)}); await fetchSource(${JSON.stringify(remote())});`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill("SIGKILL");
    await ended;
    expect((await fetchSource(remote())).commit).toBe(commit);
  }
});

test.skipIf(unable)("C13: several processes' worth of fetches at once share one cache", async () => {
  repo.write("c.txt", `${Date.now()}`);
  const commit = repo.commit();
  const records = await Promise.all([remote(), remote(), remote()].map((options) => fetchSource(options)));
  expect(records.map((record) => record.commit)).toEqual([commit, commit, commit]);
});

test.skipIf(unable)("C13: a remote that has no such thing, or does not answer, or is not trusted", async () => {
  await expect(resolveRevision({ ...remote(), revision: "nowhere" })).rejects.toMatchObject({
    code: "SOURCE_REVISION_UNKNOWN",
  });
  await expect(fetchSource({ ...remote(), revision: "0".repeat(40) })).rejects.toMatchObject({
    code: "SOURCE_REVISION_UNKNOWN",
  });
  await expect(fetchSource({ ...remote(), revision: "main~1" })).rejects.toMatchObject({
    code: "SOURCE_REVISION_INVALID",
  });
  await expect(fetchSource(remote("nothing"))).rejects.toMatchObject({
    code: "SOURCE_UNREACHABLE",
    nature: "unavailable",
  });
  await expect(
    fetchSource({ ...remote(), transport: { NO_PROXY: "localhost", no_proxy: "localhost" } }),
  ).rejects.toMatchObject({
    code: "SOURCE_UNREACHABLE",
  });
});

test.skipIf(unable)("C13: an object that git's own checks refuse does not enter the cache", async () => {
  const hostile = new TestRepository();
  const other = await serveGit(hostile.root);
  try {
    const tree = hostile.tree([["40000", ".git", hostile.tree([["100644", "x", hostile.blob("x")]])]]);
    hostile.commitTree(tree);
    const options = { ...hostile.fetch, location: `${other.url}/repository/.git`, transport: other.transport };
    await expect(fetchSource(options)).rejects.toMatchObject({ code: "SOURCE_OBJECT_CORRUPT" });
  } finally {
    await other.close();
    hostile.remove();
  }
});

test("C13: of the user's environment only what transports need is passed on", () => {
  const chosen = transportEnvironment({
    https_proxy: "http://proxy:1",
    SSH_AUTH_SOCK: "/agent",
    GIT_SSH_COMMAND: "evil",
    GIT_CONFIG_COUNT: "1",
    GIT_SSL_NO_VERIFY: "1",
    HOME: "/home/ada",
  });
  expect(chosen).toEqual({ https_proxy: "http://proxy:1", SSH_AUTH_SOCK: "/agent" });
});

test("C13: a host without git, and a git that answers too much, are named", async () => {
  const options = repo.fetch;
  process.env["PATH"] = "/nonexistent";
  await expect(fetchSource(options)).rejects.toMatchObject({ code: "SOURCE_GIT_MISSING", nature: "unavailable" });
  process.env["PATH"] = path;
  const skeleton = skeletonRepository(repo.store, "sha1");
  await expect(runGit(skeleton, ["help", "-a"], { limitBytes: 10 })).rejects.toMatchObject({
    code: "SOURCE_GIT_FAILED",
  });
  await expect(runGit(skeleton, ["cat-file", "--batch"], { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "SOURCE_GIT_FAILED",
  });
});
