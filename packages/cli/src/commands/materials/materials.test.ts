import { chmodSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { openMirror } from "@touchmark/materials";
import { openContentStore, openHome, openRunStore } from "@touchmark/store";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ended, say, start, until } from "../../fixture.ts";
import { materialsTable } from "../materials.ts";

let directory: string;
let home: string;
const used = sampleMaterial("struck in pewter");
const evil = { name: "\u001b[2Jx", version: "1.0.0", purl: "pkg:generic/x@1.0.0", fileName: "x", upstream: "other" };

beforeEach(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-materials-")));
  home = join(directory, "home");
  process.env["TOUCHMARK_HOME"] = home;
  await filled(async (mirror) => {
    await commitMaterial(mirror, "struck in pewter", used);
    await commitMaterial(
      mirror,
      "wheel",
      sampleMaterial("wheel", {
        path: "/six",
        facts: { ecosystem: "pypi", name: "six", version: "1.0", purl: "pkg:pypi/six@1.0", fileName: "six-1.0.whl" },
      }),
    );
  });
});

afterEach(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

/** Works on the mirror as a run would. */
async function filled(work: (mirror: Awaited<ReturnType<typeof openMirror>>) => Promise<void>): Promise<void> {
  const opened = await openHome(home, { create: true });
  const content = await openContentStore(opened);
  const mirror = await openMirror({ directory: opened.paths.materials, content, clock: systemClock });
  await work(mirror);
  await mirror.close();
  await opened.close();
}

const blob = (digest: string) => join(home, "store", "blobs", "sha256", digest.slice(7));

test("X14: every subcommand has help with examples, and the nearest name is found", async () => {
  for (const row of materialsTable) {
    const said = await say(["materials", row.name, "--help"]);
    expect([row.name, said.code]).toEqual([row.name, 0]);
    expect(said.out).toMatch(new RegExp(`^Usage: touchmark materials ${row.name}`));
    expect(said.out).toMatch(/Examples:\n {2}touchmark materials/);
    expect((await say(["help", "materials", row.name])).out).toBe(said.out);
  }
  const top = await say(["materials", "--help"]);
  for (const row of materialsTable) expect(top.out).toContain(`  ${row.name}`);
  expect((await say(["materials"])).code).toBe(2);
  const wrong = await say(["materials", "lsit"]);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("did you mean: touchmark materials list?")]);
  expect((await say(["materials", "list", "--nmae", "x"])).err).toContain("--name");
});

test("X14: list shows digest, size, first seen, upstream and package, and chooses", async () => {
  const all = await say(["materials", "list"]);
  expect(all.code).toBe(0);
  expect(all.out).toMatch(
    new RegExp(`^${used.digest} +16 B +\\S+Z +main +pkg:npm/pewter@1\\.0\\.0 pewter-1\\.0\\.0\\.tgz$`, "m"),
  );
  expect(all.out.trim().split("\n")).toHaveLength(2);
  for (const [words, count] of [
    [["--ecosystem", "npm"], 1],
    [["--name", "si*"], 1],
    [["--name", "s"], 0],
    [["--purl", "pkg:pypi/*"], 1],
    [["--kind", "index"], 0],
  ] as const) {
    const said = await say(["materials", "list", ...words, "--json"]);
    expect([words, JSON.parse(said.out).length]).toEqual([words, count]);
  }
  await filled(async (mirror) => {
    await commitMaterial(mirror, "cast in lead", sampleMaterial("cast in lead"));
    await commitMaterial(
      mirror,
      "x",
      sampleMaterial("x", { path: "/x", facts: { ...evil, ecosystem: "generic" } }),
    ).catch((cause: { code: string }) => expect(cause.code).toBe("MIRROR_RECORD_INVALID"));
  });
  const marked = await say(["materials", "list", "--name", "pewter"]);
  expect(marked.out).toContain("2 different files were seen under this name");
});

test("X14: verify says whole or names each fault, and repair mends what can be mended", async () => {
  const whole = await say(["materials", "verify"]);
  expect([whole.code, whole.out]).toEqual([0, expect.stringContaining("whole: 2 answers, 2 files")]);
  chmodSync(blob(used.digest), 0o600);
  writeFileSync(blob(used.digest), "Struck in pewter");
  const ledger = join(home, "materials", "seen");
  const [shard = ""] = readdirSync(ledger);
  const [page = ""] = readdirSync(join(ledger, shard));
  writeFileSync(join(ledger, shard, page), "{}");
  const faulty = await say(["materials", "verify", "--json"]);
  expect(faulty.code).toBe(3);
  const codes = JSON.parse(faulty.out).faults.map((fault: { code: string }) => fault.code);
  expect(new Set(codes)).toEqual(new Set(["MIRROR_BODY_CORRUPT", "MIRROR_LEDGER_CORRUPT"]));
  const mended = await say(["materials", "verify", "--repair"]);
  expect([mended.code, mended.err]).toEqual([3, expect.stringContaining("made again from the records")]);
  const left = await say(["materials", "verify"]);
  expect([left.code, left.out]).toEqual([3, expect.stringMatching(/^MIRROR_BODY_MISSING .*\n1 fault:/)]);
});

test("X14: export and import carry the mirror to another home", async () => {
  const out = join(directory, "mirror.tar");
  const wrote = await say(["materials", "export", "--out", "mirror.tar"], { directory });
  expect([wrote.code, wrote.out]).toEqual([0, expect.stringMatching(/wrote .*mirror\.tar: 2 answers.*\nsha256:/)]);
  expect((await say(["materials", "export", "--out", out])).err).toContain("MIRROR_EXPORT_EXISTS");
  expect((await say(["materials", "export"])).code).toBe(2);
  const some = ["materials", "export", "--purl", "pkg:npm/*", "--out", join(directory, "npm.tar"), "--json"];
  expect(JSON.parse((await say(some)).out).records).toBe(1);
  const none = await say(["materials", "export", "--purl", "pkg:deb/*", "--out", join(directory, "deb.tar")]);
  expect([none.code, none.err]).toEqual([2, expect.stringContaining("MIRROR_EXPORT_EMPTY")]);
  process.env["TOUCHMARK_HOME"] = join(directory, "other");
  const came = await say(["materials", "import", out]);
  expect([came.code, came.out]).toEqual([
    0,
    expect.stringContaining("imported 2 answers, 2 files, 21 B; 2 of the files"),
  ]);
  expect(JSON.parse((await say(["materials", "import", out, "--json"])).out)).toMatchObject({ added: 0 });
  expect(JSON.parse((await say(["materials", "list", "--json"])).out)).toHaveLength(2);
  expect((await say(["materials", "import", "nothing.tar"], { directory })).err).toContain("CLI_FILE_UNREADABLE");
  writeFileSync(out, "no archive");
  const refused = await say(["materials", "import", out, "--json"]);
  expect([refused.code, JSON.parse(refused.out).code]).toEqual([2, "MIRROR_ARCHIVE_MALFORMED"]);
});

test("X14: what a run's evidence names is exported by run, and stays in a prune", async () => {
  const opened = await openHome(home);
  const run = await openRunStore(opened).create({ project: "p", pipeline: "default" });
  await run.finish("succeeded", { details: { fetched: [used.digest] } });
  await opened.close();
  const out = join(directory, "run.tar");
  const exported = await say(["materials", "export", "--run", "latest", "--out", out, "--json"]);
  expect(JSON.parse(exported.out)).toMatchObject({ records: 1 });
  expect((await say(["materials", "export", "--run", "nothing", "--out", join(directory, "x")])).code).toBe(2);
  expect((await say(["materials", "prune"])).code).toBe(2);
  expect((await say(["materials", "prune", "--max-size", "huge"])).err).toContain("CLI_USAGE");
  const dry = await say(["materials", "prune", "--older-than", "1s", "--dry-run"]);
  expect([dry.code, dry.out]).toEqual([0, expect.stringMatching(/^would free/)]);
  expect(dry.out).toContain("kept 1: a kept run refers to it");
  expect(JSON.parse((await say(["materials", "prune", "--unused", "--json"])).out).kept).toMatchObject({
    "it was used lately": 1,
  });
  expect(existsSync(blob(used.digest))).toBe(true);
});

test("X14: Ctrl-C ends each of them, and leaves nothing half done", async () => {
  const out = join(directory, "mirror.tar");
  expect((await say(["materials", "export", "--out", out])).code).toBe(0);
  const signal = AbortSignal.abort();
  for (const words of [["list"], ["verify"], ["export", "--out", `${out}.2`], ["import", out]]) {
    expect([words[0], (await say(["materials", ...words], { signal })).code]).toEqual([words[0], 130]);
  }
  expect(readdirSync(directory).sort()).toEqual(["home", "mirror.tar"]);
  expect(readdirSync(join(home, "materials", "incoming"))).toEqual([]);
});

test("X14: progress is a live line on a terminal alone", async () => {
  const live = await say(["materials", "verify"], { live: true });
  expect(live.err).toContain("\r\u001b[Kverified ");
  expect((await say(["materials", "verify"])).err).toBe("");
});

test("X14: as a program it is plain text, and the interrupt signal ends it", async () => {
  const said = await ended(start(home, directory, ["materials", "list"]));
  expect([said.code, said.out.includes("\u001b")]).toEqual([0, false]);
  await filled(async (mirror) => {
    for (let i = 0; i < 8; i++) {
      const bytes = Buffer.alloc(30_000_000, `${i}`);
      await commitMaterial(mirror, bytes, sampleMaterial(bytes, { path: `/big-${i}` }));
    }
  });
  const child = start(home, directory, ["materials", "export", "--out", "big.tar"]);
  const over = ended(child);
  await until(() => readdirSync(directory).some((name) => name.startsWith(".tmp-")));
  child.kill("SIGINT");
  expect((await over).code).toBe(130);
  expect(readdirSync(directory)).toEqual(["home"]);
});
