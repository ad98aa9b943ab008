import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { say } from "../../fixture.ts";
import { advisoriesTable } from "../advisories.ts";

let directory: string;
let home: string;

const record = (id: string, members: Readonly<Record<string, unknown>> = {}) => ({
  ...{ id, modified: new Date(Date.now() - 86_400_000).toISOString(), aliases: [`CVE-2026-${id.slice(2)}`] },
  summary: `Flaw \u001b[2J${id}`,
  affected: [
    {
      package: { ecosystem: "npm", name: "left" },
      ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }],
    },
  ],
  ...members,
});

function write(path: string, content: unknown): string {
  const file = join(directory, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-advisories-")));
  home = join(directory, "home");
  process.env["TOUCHMARK_HOME"] = home;
});

afterEach(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

test("X50: every subcommand has help with examples, and the nearest name is found", async () => {
  for (const row of advisoriesTable) {
    const said = await say(["advisories", row.name, "--help"]);
    expect([row.name, said.code]).toEqual([row.name, 0]);
    expect(said.out).toMatch(/Examples:\n {2}touchmark advisories/);
  }
  const wrong = await say(["advisories", "updaet"]);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("did you mean: touchmark advisories update?")]);
});

test("X50: a source is imported into a new home without a network, shown with its losses, and looked up", async () => {
  const file = write("feed.json", [record("A-1001"), { id: "A-2" }, record("A-1003")]);
  const imported = await say(["advisories", "import", file, "--licence", "CC0-1.0"]);
  expect([imported.code, imported.out]).toEqual([0, expect.stringContaining("+ A-1001 (feed)")]);
  const status = await say(["advisories", "status", "--losses"]);
  expect(status.code).toBe(0);
  for (const text of [
    "fresh feed: 2 records of osv",
    "licence CC0-1.0",
    "feed.json#1: ADVISORY_MALFORMED",
    "not signed",
  ]) {
    expect(status.out).toContain(text);
  }
  const shown = await say(["advisories", "show", "CVE-2026-1001"]);
  expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("npm left: introduced 0, fixed 2.0.0")]);
  expect(shown.out).not.toContain("\u001b");
  const listed = await say(["advisories", "show", "left", "--ecosystem", "npm", "--json"]);
  expect((JSON.parse(listed.out) as { advisories: { id: string }[] }).advisories.map(({ id }) => id)).toEqual([
    ...["A-1001", "A-1003"],
  ]);
  expect((await say(["advisories", "show", "CVE-1999-0001"])).code).toBe(1);
});

test("X50: an update reads what advisories.yaml names, lists what changed, and ends with 3 for a replayed feed", async () => {
  await say([
    "advisories",
    "import",
    write("kev.json", { vulnerabilities: [{ cveID: "CVE-2026-1001", dateAdded: "2026-01-01" }] }),
    "--kind",
    "kev",
  ]);
  const none = await say(["advisories", "update"]);
  expect([none.code, none.err]).toEqual([2, expect.stringContaining("advisories.yaml")]);
  write("home/advisories.yaml", "touchmark: advisories/v1\nsources:\n  - { name: npm, kind: osv, location: ../npm }\n");
  write("npm/A-1001.json", record("A-1001"));
  const first = await say(["advisories", "update"]);
  expect([first.code, first.out]).toEqual([0, expect.stringContaining("1 advisories of 2 sources; 1 changed")]);
  write("npm/A-1001.json", record("A-1001", { modified: "2020-01-01T00:00:00Z" }));
  const replayed = await say(["advisories", "update"]);
  expect([replayed.code, replayed.out]).toEqual([3, expect.stringContaining("ADVISORY_FEED_ROLLBACK")]);
  const asked = await say(["advisories", "update", "--allow-rollback", "--json"]);
  const report = JSON.parse(asked.out) as { changes: { advisories: unknown }; failures: unknown };
  expect([asked.code, report.failures, report.changes.advisories]).toEqual([
    ...[0, [], [{ source: "npm", id: "A-1001", change: "changed" }]],
  ]);
  expect((await say(["advisories", "show", "CVE-2026-1001"])).out).toContain("known to be exploited since 2026-01-01");
});

test("X50: old data is shown as such and ends with 3; an earlier database is opened by its digest until it is pruned", async () => {
  write("npm/A-1001.json", record("A-1001", { modified: "2026-01-01T00:00:00Z" }));
  mkdirSync(home);
  const configured = "{ name: npm, kind: osv, location: ../npm, maximum-age: { refuse: 1d } }";
  await say(["advisories", "import", join(directory, "npm")]);
  write("home/advisories.yaml", `touchmark: advisories/v1\nsources:\n  - ${configured}\n`);
  const stale = await say(["advisories", "status"]);
  expect([stale.code, stale.out]).toEqual([3, expect.stringContaining("stale npm")]);
  const digest = /sha256:([0-9a-f]{64})/.exec(stale.out)?.[1] ?? "";
  write("npm/A-1002.json", record("A-1002"));
  await say(["advisories", "update"]);
  expect((await say(["advisories", "show", "A-1002", "--database", digest.slice(0, 12)])).code).toBe(1);
  expect((await say(["advisories", "show", "A-1002"])).code).toBe(0);
  expect((await say(["advisories", "prune", "--keep", "0"])).out).toContain("deleted 1 databases");
  const gone = await say(["advisories", "show", "A-1002", "--database", digest]);
  expect([gone.code, gone.err]).toEqual([2, expect.stringContaining("ADVISORY_DATABASE_MISSING")]);
});

test("X50: a database is carried to another home with its digest; without it, or with another, it is not taken", async () => {
  await say(["advisories", "import", write("npm/A-1001.json", record("A-1001")), "--name", "npm"]);
  const [name = ""] = readdirSync(join(home, "advisories", "databases"));
  const file = join(home, "advisories", "databases", name);
  process.env["TOUCHMARK_HOME"] = join(directory, "other");
  expect((await say(["advisories", "import", file])).err).toContain("--digest");
  const wrong = await say(["advisories", "import", file, "--digest", `sha256:${"0".repeat(64)}`]);
  expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining("ADVISORY_DATABASE_DIGEST")]);
  const taken = await say(["advisories", "import", file, "--digest", `sha256:${name.slice(0, 64)}`]);
  expect([taken.code, taken.out]).toEqual([0, expect.stringContaining("1 advisories")]);
  expect((await say(["advisories", "show", "A-1001"])).code).toBe(0);
});
