import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { gitWants } from "../../packages/materials/src/ecosystems/git-request.ts";
import { gitHttpServer } from "../../packages/materials/src/ecosystems/git-server.fixture.ts";
import { onPath } from "../../packages/materials/src/ecosystems/programs.fixture.ts";
import type { Upstream } from "../../packages/materials/src/material.ts";
import { proxyFixture } from "../../packages/materials/src/proxy/fixture.ts";
import { type SceneOptions, type SessionScene, sessionScene } from "../../packages/materials/src/session/fixture.ts";

const hasGit = onPath("git");
const root = mkdtempSync(join(tmpdir(), "attack-git-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const environment = {
  ...{ PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
  ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.com", GIT_AUTHOR_DATE: "2024-01-01T00:00:00Z" },
  ...{ GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com", GIT_COMMITTER_DATE: "2024-01-01T00:00:00Z" },
  ...{ GIT_TERMINAL_PROMPT: "0" },
};
const git = (...words: string[]) =>
  execFileSync("git", words, { cwd: root, env: environment, encoding: "utf8", stdio: "pipe" });

/** For what asks the server, which lives in this very process. */
const direct = (...words: string[]) =>
  promisify(execFile)("git", words, { cwd: root, env: environment, timeout: 20_000 });

/** Two commits: the reviewed one, and what came after. */
function newRepository(): readonly [reviewed: string, evil: string] {
  git("init", "-q", "-b", "main", "work");
  const [reviewed = "", evil = ""] = ["reviewed", "evil"].map((text) => {
    writeFileSync(join(root, "work/file.txt"), `${text}\n`);
    git("-C", "work", "add", ".");
    git("-C", "work", "commit", "-q", "-m", text);
    return git("-C", "work", "rev-parse", "HEAD").trim();
  });
  git("clone", "-q", "--bare", "work", "tool.git");
  return [reviewed, evil];
}

const [reviewed, evil] = hasGit ? newRepository() : ["", ""];
const server = hasGit ? await gitHttpServer(root, true) : undefined;
afterAll(() => server?.close());
const url = `${server?.url}/tool.git`;
const upstream: Upstream = { name: "git", ecosystem: "git", url: `${url}/`, exclusive: [], order: 0 };
let count = 0;

/** Runs git in a fresh clone, through a proxy whose session pins the reviewed commit. */
async function throughProxy(
  words: readonly string[],
  more: readonly string[] = [],
  options: Partial<SceneOptions> = {},
): Promise<SessionScene & { failed: boolean }> {
  const scene = sessionScene({ upstreams: [upstream], commits: [{ url, commit: reviewed }], served: {}, ...options });
  const fixture = await proxyFixture(scene.session);
  try {
    const directory = join(root, `clone-${++count}`);
    mkdirSync(directory);
    git("-C", directory, "init", "-q");
    const settings = ["-c", `http.proxy=${fixture.address}`, "-c", "protocol.version=2", ...more];
    const run = promisify(execFile)("git", [...settings, ...words], {
      cwd: directory,
      env: environment,
      timeout: 20_000,
    });
    const failed = await run.then(
      () => false,
      () => true,
    );
    return { ...scene, failed };
  } finally {
    await fixture.close();
  }
}

const codes = (scene: SessionScene) => scene.session.report().refused.map(({ code }) => code);

test.skipIf(!hasGit)("attack: the harness lets the pinned commit in, and again from the mirror alone", async () => {
  const words = ["fetch", "-q", "--depth", "1", url, reviewed];
  const scene = await throughProxy(words);
  expect([scene.failed, codes(scene)]).toEqual([false, []]);
  const again = await throughProxy(words, [], { mirror: scene.mirror, offline: true });
  expect([again.failed, codes(again)]).toEqual([false, []]);
  const other = await throughProxy([...words.slice(0, -1), "main"], [], { mirror: scene.mirror, offline: true });
  expect([other.failed, codes(other)]).toEqual([true, ["SESSION_OFFLINE_MISSING"]]);
});

test.skipIf(!hasGit)("attack: a step fetches a commit that nobody reviewed", async () => {
  await direct("-C", join(root, "work"), "fetch", "-q", "--depth", "1", url, evil);
  const scene = await throughProxy(["fetch", "-q", "--depth", "1", url, evil]);
  expect([scene.failed, codes(scene)]).toEqual([true, ["SESSION_COMMIT_UNPINNED"]]);
});

test.skipIf(!hasGit)("attack: a step fetches whatever the branch is now", async () => {
  const scene = await throughProxy(["fetch", "-q", url, "main"]);
  expect([scene.failed, codes(scene)]).toEqual([true, ["SESSION_COMMIT_UNPINNED"]]);
});

test.skipIf(!hasGit)("attack: a step asks in the oldest protocol, whose requests name branches' heads", async () => {
  const scene = await throughProxy(["fetch", "-q", url, "main"], ["-c", "protocol.version=0"]);
  expect([scene.failed, codes(scene)]).toEqual([true, ["MATERIAL_GIT_UNSUPPORTED"]]);
});

test.skipIf(!hasGit)("attack: a step carries a secret out by pushing it", async () => {
  const push = ["-C", join(root, "work"), "push", "-q", url];
  await direct(...push, `${reviewed}:refs/heads/direct`);
  expect(git("-C", join(root, "tool.git"), "branch", "--list", "direct").trim()).toBe("direct");
  const scene = await throughProxy([...push, `${reviewed}:refs/heads/secret`]);
  expect([scene.failed, codes(scene)]).toEqual([true, ["MATERIAL_GIT_PUSH"]]);
  expect(git("-C", join(root, "tool.git"), "branch", "--list", "secret")).toBe("");
});

const line = (text: string) => `${(text.length + 5).toString(16).padStart(4, "0")}${text}\n`;
const wanted = `${line("command=fetch")}0001`;
const body = (rest: string) => Buffer.from(wanted + rest);
const hidden = line(`want ${"2".repeat(40)}`);

/** A reader that looks for wants wherever they stand. */
const naive = (bytes: Uint8Array) =>
  [
    ...Buffer.from(bytes)
      .toString("latin1")
      .matchAll(/want ([0-9a-f]{40})/g),
  ].map(([, id]) => id);
/** One that follows the lengths, and stops without a word where they are wrong. */
function follows(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
    const [, id] = /^want ([0-9a-f]{40})/.exec(bytes.toString("latin1", at + 4, at + length)) ?? [];
    if (id !== undefined) found.push(id);
    if (Number.isNaN(length)) break;
    at += Math.max(length, 4);
  }
  return found;
}

test.each<[string, Buffer]>([
  [
    "a length that swallows the next packet",
    body(`${(line("done").length + hidden.length).toString(16).padStart(4, "0")}done\n${hidden}0000`),
  ],
  ["a length beyond the body", body(`ffff${hidden}`)],
  ["a length in another spelling", body(`003D${hidden.slice(4)}0000`)],
  ["a length of nothing", body(`0003${hidden}0000`)],
  ["a request behind the end", Buffer.concat([body("0000"), body(`${hidden}0000`)])],
  ["no end", body(hidden)],
])("attack: a fetch hides what it wants by %s", (_, bytes) => {
  // Two naive readers disagree, or both follow what a server would not.
  expect([naive(bytes), follows(bytes)].some((ids) => ids.length > 0)).toBe(true);
  expect(() => gitWants(bytes)).toThrow(expect.objectContaining({ code: "MATERIAL_GIT_MALFORMED" }));
});
