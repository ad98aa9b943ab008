import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { gitHttpServer } from "./git-server.fixture.ts";
import { fetchTwice, type LiveFetch, reasonAgainst } from "./live-fetch.fixture.ts";
import { onPath } from "./programs.fixture.ts";

const root = mkdtempSync(join(tmpdir(), "git-live-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A repository with two commits; answers the first, which no branch points to. */
function newRepository(): string {
  const environment = {
    ...{ PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
    ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.com", GIT_AUTHOR_DATE: "2024-01-01T00:00:00Z" },
    ...{ GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com", GIT_COMMITTER_DATE: "2024-01-01T00:00:00Z" },
  };
  const git = (...words: string[]) => execFileSync("git", words, { cwd: root, env: environment, encoding: "utf8" });
  git("init", "-q", "-b", "main", "work");
  const commits = ["one\n", "two\n"].map((text) => {
    writeFileSync(join(root, "work/file.txt"), text.repeat(1000));
    git("-C", "work", "add", ".");
    git("-C", "work", "commit", "-q", "-m", text.trim());
    return git("-C", "work", "rev-parse", "HEAD").trim();
  });
  git("clone", "-q", "--bare", "work", "tool.git");
  return commits[0] ?? "";
}

const isHere = onPath("git") && onPath("bwrap");
const server = isHere ? await gitHttpServer(root) : undefined;
const commit = isHere ? newRepository() : "";
afterAll(() => server?.close());
const url = `${server?.url ?? "http://127.0.0.1:1"}/tool.git`;

const live: LiveFetch = {
  ecosystem: "git",
  programs: ["git"],
  toolchains: [],
  upstreams: [{ name: "git", ecosystem: "git", url: `${url}/`, exclusive: [], order: 0 }],
  project: { commit },
  script: [
    "git init -q /tmp/clone && cd /tmp/clone",
    `git fetch -q --depth 1 ${url} $(cat /work/project/commit)`,
    'git archive FETCH_HEAD | tar -x -C "$TOUCHMARK_OUTPUT"',
    'git rev-parse FETCH_HEAD > "$TOUCHMARK_OUTPUT/commit"',
  ].join("\n"),
  check: ({ door }) => {
    expect(door.asked.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "index GET",
      "index POST",
      "git POST",
    ]);
  },
};
const reason = reasonAgainst(live);

test.skipIf(reason !== "")(`E20: git fetch of a commit by its id${reason}`, { timeout: 300_000 }, () =>
  fetchTwice(live),
);
