import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readVex } from "@touchmark/advisories";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leftFlaw, lockOf, openScanScene, type ScanScene } from "../scan.fixture.ts";
import { vexTable } from "../vex.ts";

let scene: ScanScene;
beforeAll(async () => {
  scene = openScanScene();
  scene.write("shop/package-lock.json", lockOf("1.2.0"));
  scene.write("feed.json", [leftFlaw]);
  await scene.tell("advisories", "import", "feed.json");
});
afterAll(() => scene.close());

const left = ["--vulnerability", "CVE-2026-1001", "--product", "pkg:npm/left@1.2.0", "--author", "Ada"];
const unaffected = ["--status", "not_affected", "--justification", "vulnerable_code_not_present"];
const decision = ["--approver", "Grace", "--reason", "looked at it"];

test("X56: every subcommand has help with examples", async () => {
  for (const row of vexTable) {
    const said = await scene.tell("vex", row.name, "--help");
    expect([row.name, said.code]).toEqual([row.name, 0]);
    expect(said.out).toMatch(/Examples:\n {2}touchmark vex/);
  }
});

test.each(["openvex", "csaf", "cyclonedx"] as const)(
  "X56: create writes %s that says what was meant",
  async (format) => {
    const { code, out } = await scene.tell("vex", "create", ...left, ...unaffected, "--format", format);
    expect(code).toBe(0);
    expect(readVex(Buffer.from(out))).toMatchObject({
      ...{ format, statements: [{ vulnerability: ["CVE-2026-1001"], status: "not_affected" }] },
    });
  },
);

test.each([
  ["no author", [...left.slice(0, 4), ...unaffected]],
  ["no status", left],
  ["no reason", [...left, "--status", "not_affected"]],
  ["affected without what to do", [...left, "--status", "affected"]],
  ["a status that there is not", [...left, "--status", "harmless"]],
])("X56: create refuses %s with exit 2", async (_, words) => {
  expect(await scene.tell("vex", "create", ...words)).toMatchObject({ code: 2, out: "" });
});

test("X56: what a person added counts in scans until it is removed", async () => {
  await scene.tell("vex", "create", ...left, ...unaffected, "--output", "vex.json");
  expect((await scene.tell("vex", "list")).out).toBe("no VEX documents\n");
  const scan = async () => (await scene.tell("scan", "shop", "--fail-on", "high")).code;
  expect(await scan()).toBe(3);
  const added = await scene.tell("vex", "add", "vex.json", ...decision, "--json");
  const { digest, statements } = JSON.parse(added.out) as { digest: string; statements: number };
  expect([added.code, statements, await scan()]).toEqual([0, 1, 0]);
  const listed = await scene.tell("vex", "list");
  expect(listed).toMatchObject({
    code: 0,
    out: expect.stringContaining("let in by Grace: looked at it; for everything, without end"),
  });
  expect(await scene.tell("vex", "remove", digest)).toMatchObject({ code: 0, out: `forgot ${digest}\n` });
  expect(await scan()).toBe(3);
  expect((await scene.tell("vex", "remove", digest)).code).toBe(2);
  expect((await scene.tell("vex", "remove", "vex.json")).code).toBe(2);
});

test("X56: a decision for other artifacts, or over, counts for nothing here", async () => {
  await scene.tell("vex", "create", ...left, ...unaffected, "--output", "scoped.json");
  const scopes = [
    ["--project", "other"],
    ["--artifact", `sha256:${"1".repeat(64)}`],
    ["--expires", "2020-01-01"],
  ];
  for (const more of scopes) {
    const added = await scene.tell("vex", "add", "scoped.json", ...decision, ...more, "--json");
    const { digest } = JSON.parse(added.out) as { digest: string };
    expect([more, (await scene.tell("scan", "shop", "--fail-on", "high")).code]).toEqual([more, 3]);
    if (more[0] === "--expires") expect((await scene.tell("vex", "list")).out).toContain("expired 2020-01-01");
    await scene.tell("vex", "remove", digest);
  }
});

test("X56: a document that was changed is named by list with exit 3, and by a scan", async () => {
  await scene.tell("vex", "create", ...left, ...unaffected, "--output", "vex.json");
  const added = await scene.tell("vex", "add", "vex.json", ...decision, "--json");
  const { digest } = JSON.parse(added.out) as { digest: string };
  writeFileSync(join(scene.directory, "home", "vex", `${digest.slice(7)}.json`), "{}");
  expect(await scene.tell("vex", "list")).toMatchObject({
    code: 3,
    out: expect.stringContaining("VEX_DOCUMENT_CHANGED"),
  });
  expect(JSON.parse((await scene.tell("vex", "list", "--json")).out)).toMatchObject({
    kept: [],
    ignored: [{ digest }],
  });
  const scan = await scene.tell("scan", "shop", "--fail-on", "high");
  expect([scan.code, scan.err]).toEqual([3, expect.stringContaining(`VEX document ${digest} does not count`)]);
  await scene.tell("vex", "remove", digest);
});

test.each([
  ["nobody who answers for it", ["--reason", "x"], "--approver NAME"],
  ["no reason", ["--approver", "Grace"], "--reason TEXT"],
  ["a day that there is not", [...decision, "--expires", "2027-13-01"], "--expires like"],
  ["an artifact that is no digest", [...decision, "--artifact", "shop"], "--artifact sha256:"],
])("X56: add refuses %s with exit 2", async (_, words, said) => {
  await scene.tell("vex", "create", ...left, ...unaffected, "--output", "vex.json");
  expect(await scene.tell("vex", "add", "vex.json", ...words)).toMatchObject({
    ...{ code: 2, out: "", err: expect.stringContaining(said) },
  });
});

test("X56: explain tells what a document says of a source, and the nearest miss of what it does not", async () => {
  const wrong = ["--vulnerability", "CVE-2026-1001", "--product", "pkg:npm/left@9.9.9", "--author", "Ada"];
  await scene.tell("vex", "create", ...left, ...unaffected, "--output", "right.json");
  await scene.tell("vex", "create", ...wrong, ...unaffected, "--output", "wrong.json");
  const { code, out } = await scene.tell("vex", "explain", "right.json", "shop");
  expect([code, out]).toEqual([0, expect.stringContaining("not_affected CVE-2026-1001 in pkg:npm/left@1.2.0")]);
  const missed = await scene.tell("vex", "explain", "wrong.json", "shop");
  expect(missed.out).toContain("no effect CVE-2026-1001 not_affected pkg:npm/left@9.9.9: it is about version 9.9.9");
  const json = JSON.parse((await scene.tell("vex", "explain", "wrong.json", "shop", "--json")).out) as unknown;
  expect(json).toMatchObject({ applied: [], unmatched: [{ why: expect.stringContaining("9.9.9") }] });
});
