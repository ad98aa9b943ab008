import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-user-")));
const environment = {
  ...process.env,
  TOUCHMARK_HOME: join(directory, "home"),
  XDG_CONFIG_HOME: join(directory, "own"),
};
const artifact = join(directory, "app.txt");
const keyOf = (name: string) => join(directory, "own", "touchmark", "keys", `${name}.pem`);
const user = (...words: string[]) => say(["user", ...words], { environment, directory });
const approve = (...words: string[]) => say(["approve", artifact, ...words], { environment, directory });

beforeAll(() => {
  process.env["TOUCHMARK_HOME"] = environment.TOUCHMARK_HOME;
  writeFileSync(artifact, "app");
});
afterAll(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

test("X64: a person's key is made with the person's own files, enrolled, listed and removed", async () => {
  const added = await user("add", "ada", "--role", "release-manager", "--json");
  expect([added.code, added.err]).toEqual([0, ""]);
  expect(JSON.parse(added.out)).toMatchObject({
    name: "ada",
    roles: ["release-manager"],
    key: keyOf("ada"),
    made: true,
  });
  expect(statSync(keyOf("ada")).mode & 0o777).toBe(0o600);
  const published = join(directory, "grace.pub.pem");
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(published, publicKey.export({ format: "pem", type: "spki" }));
  expect((await user("add", "grace", "--role", "auditor", "--key", "grace.pub.pem")).out).toMatch(
    /\/user\/grace {2}auditor/,
  );
  expect(existsSync(keyOf("grace"))).toBe(false);
  expect((await user("remove", "grace")).code).toBe(0);
  const listed = await user("list");
  expect(listed.out).toMatch(/^ada +release-manager .*\ngrace +removed /);
  expect(JSON.parse((await user("list", "--json")).out).users).toHaveLength(2);
});

test("X64: what no identity could hold is exit 2, and nobody's name exit 3", async () => {
  expect((await user("add", "ada")).code).toBe(2);
  expect(await user("add", "../ada", "--role", "x")).toMatchObject({ code: 2 });
  const missing = await user("add", "alan", "--role", "auditor", "--key", "nothing.pem");
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("USER_KEY_UNSUPPORTED")]);
  expect((await user("remove", "nobody")).code).toBe(3);
});

test("X65: a person approves with the own key, in an own role, until a date", async () => {
  expect((await user("add", "edith", "--role", "release-manager")).code).toBe(0);
  const words = [
    "--as",
    "edith",
    "--role",
    "release-manager",
    "--environment",
    "production",
    "--expires",
    "2030-01-31",
  ];
  const approved = await approve(...words, "--out", "approval.json", "--json");
  expect([approved.code, approved.err]).toEqual([0, ""]);
  expect(JSON.parse(approved.out).identity).toMatch(/^spiffe:\/\/.+\/user\/edith$/);
  expect(existsSync(join(directory, "approval.json"))).toBe(true);
  expect((await approve("--as", "edith", "--role", "release-manager", "--withdraw")).out).toContain("log entry");
});

test("X65: another role, another's key and a wrong date are refused", async () => {
  const role = await approve("--as", "edith", "--role", "auditor");
  expect([role.code, role.err]).toEqual([3, expect.stringContaining("USER_ROLE_MISSING")]);
  const key = await approve("--as", "edith", "--role", "release-manager", "--key", keyOf("ada"));
  expect([key.code, key.err]).toEqual([3, expect.stringContaining("USER_PROOF_WRONG")]);
  expect((await approve("--as", "edith", "--role", "release-manager", "--expires", "soon")).code).toBe(2);
  expect((await approve("--as", "edith")).code).toBe(2);
});

test("X65: an encrypted key opens with its passphrase from the environment alone where nobody sits", async () => {
  const secret = { ...environment, TOUCHMARK_KEY_PASSPHRASE: "correct horse battery" };
  const added = await say(["user", "add", "alan", "--role", "developer", "--encrypt"], {
    environment: secret,
    directory,
  });
  expect(added.code).toBe(0);
  const words = ["approve", artifact, "--as", "alan", "--role", "developer"];
  const stdin = { isTTY: false } as NodeJS.ReadStream;
  const locked = await say(words, { environment, directory, stdin });
  expect([locked.code, locked.err]).toEqual([2, expect.stringContaining("USER_KEY_LOCKED")]);
  expect((await say(words, { environment: secret, directory })).code).toBe(0);
});
