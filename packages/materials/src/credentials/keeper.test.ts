import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { fixedClock } from "@touchmark/core";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { CredentialBinding, CredentialSource } from "../configuration/configuration.ts";
import { credentialKeeper } from "./keeper.ts";
import { Redactor } from "./redactor.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-credentials-"));
afterAll(() => rmSync(directory, { recursive: true }));
const canary = "canary-f5c1/9b+72=e0";
const clock = fixedClock("2026-06-01T00:00:00Z");

const binding = (changes: Partial<CredentialBinding> = {}): CredentialBinding => ({
  name: "packages",
  host: "packages.example.com",
  purpose: "fetch",
  steps: ["fetch"],
  form: { kind: "bearer" },
  from: { kind: "environment", name: "PACKAGES_TOKEN" },
  ...changes,
});
const keeper = (changes: Partial<CredentialBinding> = {}, secret = canary) =>
  credentialKeeper({ credentials: [binding(changes)] }, { ...process.env, PACKAGES_TOKEN: secret }, clock);
const asked = (changes: object = {}) => ({
  url: new URL("https://packages.example.com/npm/left-pad"),
  purpose: "fetch" as const,
  step: "fetch",
  trusted: true,
  ...changes,
});
const from = (source: CredentialSource) => keeper({ from: source }).headersFor(asked());
const token = (claims: object) =>
  [{ alg: "none" }, claims].map((each) => Buffer.from(JSON.stringify(each)).toString("base64url")).join(".") + ".c2ln";

function file(mode: number, content = `${canary}\n`): string {
  const path = join(directory, `secret-${mode.toString(8)}-${content.length}`);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe("C1: where secrets are", () => {
  test("a file with mode 600 or 400, and no other", async () => {
    for (const mode of [0o600, 0o400]) {
      expect((await from({ kind: "file", path: file(mode) }))?.headers).toEqual({ authorization: `Bearer ${canary}` });
    }
    for (const mode of [0o644, 0o640, 0o604, 0o700]) {
      await expect(from({ kind: "file", path: file(mode) })).rejects.toMatchObject({ code: "CREDENTIAL_FILE_MODE" });
    }
  });
  test("a variable, a program; a missing one is unavailable", async () => {
    const program = execFileSync("sh", ["-c", "command -v printf || command -v echo"], { encoding: "utf8" }).trim();
    const words = program.startsWith("/") ? [canary] : ["-c", 'printf %s "$0"', canary];
    const path = program.startsWith("/") ? program : "/bin/sh";
    expect((await from({ kind: "command", program: path, words }))?.headers["authorization"]).toBe(`Bearer ${canary}`);
    for (const source of [
      { kind: "file", path: join(directory, "none") },
      { kind: "environment", name: "NO_SUCH_VARIABLE" },
      { kind: "command", program: "/no/such/program", words: [] },
      { kind: "command", program: "/bin/sh", words: ["-c", `echo ${canary} >&2; exit 3`] },
      { kind: "command", program: "/bin/sh", words: ["-c", "yes"] },
      { kind: "keyring", attributes: { service: "no-such-service" } },
    ] as const) {
      await expect(from(source)).rejects.toMatchObject({ code: "CREDENTIAL_UNAVAILABLE" });
    }
  });
  test("a program sees no other secrets of the environment", async () => {
    const program = {
      kind: "command",
      program: "/bin/sh",
      words: ["-c", 'printf %s "seen:${PACKAGES_TOKEN-nothing}"'],
    };
    expect((await from(program as CredentialSource))?.headers["authorization"]).toBe("Bearer seen:nothing");
  });
  test("one line of printable characters", async () => {
    for (const secret of [
      "short",
      `two\nlines-of-text`,
      "with\u0000zero-bytes",
      "ünicode-secret",
      "x".repeat(20_000),
    ]) {
      await expect(keeper({}, secret).headersFor(asked())).rejects.toMatchObject({ code: "CREDENTIAL_MALFORMED" });
    }
  });
});

describe("C2: to whom secrets go", () => {
  test("in the form that is configured", async () => {
    const basic = await keeper({ form: { kind: "basic", user: "ada" } }).headersFor(asked());
    expect(basic?.headers).toEqual({ authorization: `Basic ${Buffer.from(`ada:${canary}`).toString("base64")}` });
    const header = await keeper({ form: { kind: "header", name: "x-api" } }).headersFor(asked());
    expect(header?.headers).toEqual({ "x-api": canary });
  });
  test.each([
    ["another host", { url: new URL("https://packages.example.org/") }],
    ["a host that ends alike", { url: new URL("https://evil-packages.example.com/") }],
    ["a host below it", { url: new URL("https://a.packages.example.com/") }],
    ["another port", { url: new URL("https://packages.example.com:8443/") }],
    ["another purpose", { purpose: "publish" }],
    ["another step", { step: "build" }],
    ["a redirect from another host", { redirectedFrom: new URL("https://elsewhere.example.com/") }],
  ])("not to %s", async (_what, changes) => {
    expect(await keeper().headersFor(asked(changes))).toBeUndefined();
  });
  test("not over plain http, but to this host", async () => {
    const plain = asked({ url: new URL("http://packages.example.com/") });
    await expect(keeper().headersFor(plain)).rejects.toMatchObject({ code: "CREDENTIAL_INSECURE" });
    const local = asked({ url: new URL("http://127.0.0.1:4873/") });
    expect(await keeper({ host: "127.0.0.1:4873" }).headersFor(local)).toBeDefined();
    expect(await keeper({ host: "packages.example.com:443" }).headersFor(asked())).toBeDefined();
  });
});

test("C3: a run for an outside change gets no secret, and is told so", async () => {
  await expect(keeper().headersFor(asked({ trusted: false }))).rejects.toMatchObject({
    code: "CREDENTIAL_TRIGGER_UNTRUSTED",
  });
  expect(await keeper().headersFor(asked({ trusted: false, step: "build" }))).toBeUndefined();
});

test("C4: expired secrets are refused, by the configuration or their own words", async () => {
  await expect(keeper({ expires: "2026-05-31T00:00:00Z" }).headersFor(asked())).rejects.toMatchObject({
    code: "CREDENTIAL_EXPIRED",
  });
  const stale = keeper({}, token({ exp: 1_700_000_000 }));
  await expect(stale.headersFor(asked())).rejects.toMatchObject({ code: "CREDENTIAL_EXPIRED" });
  expect((await stale.findings()).map((each) => each.finding)).toEqual(["expired"]);
});

test("C4: over-broad, long-lived and endless ones are named", async () => {
  const named = async (changes: Partial<CredentialBinding>, secret?: string) =>
    (await keeper(changes, secret).findings()).map((each) => each.finding);
  expect(await named({ host: "*", steps: ["*"] })).toEqual(["any-host", "any-step", "no-expiry"]);
  expect(await keeper({ host: "*" }).headersFor(asked())).toBeUndefined();
  expect(await named({ expires: "2026-07-01T00:00:00Z" })).toEqual([]);
  expect(await named({ expires: "2027-07-01T00:00:00Z" })).toEqual(["long-lived"]);
  const exp = Date.parse("2026-06-01T01:00:00Z") / 1000;
  expect(await named({}, token({ exp, scope: "packages:* admin" }))).toEqual(["broad-scope"]);
  expect(await named({}, token({ exp, scope: "packages:read" }))).toEqual([]);
  expect(await named({ from: { kind: "file", path: file(0o644) } })).toEqual(["unreadable"]);
});

test("C5: each use is counted", async () => {
  const own = keeper({ steps: ["fetch", "docs"], expires: "2026-07-01T00:00:00Z" });
  await Promise.all([own.headersFor(asked()), own.headersFor(asked()), own.headersFor(asked({ step: "docs" }))]);
  const line = { name: "packages", kind: "environment", host: "packages.example.com", purpose: "fetch" };
  expect(own.uses()).toEqual([
    { ...line, step: "fetch", requests: 2, expiresAt: "2026-07-01T00:00:00Z" },
    { ...line, step: "docs", requests: 1, expiresAt: "2026-07-01T00:00:00Z" },
  ]);
});

test("C6: the canary stands in no error, finding, use or redacted text", async () => {
  const own = keeper({ form: { kind: "basic", user: "ada" } });
  const given = await own.headersFor(asked());
  const header = given?.headers["authorization"] ?? "";
  const { redactor } = own;
  const everything = [
    inspect(own, { depth: 9, showHidden: true }),
    JSON.stringify([own.uses(), await own.findings(), given?.use]),
    redactor.text(`npm ERR! ${header} ${canary} ${encodeURIComponent(canary)} ${JSON.stringify({ canary })}`),
    redactor.text(Buffer.from(`xx${canary}yy`).toString("base64")),
    redactor.text(Buffer.from(canary).toString("hex")),
    redactor.url(
      `https://ada:${encodeURIComponent(canary)}@packages.example.com/x?token=abc&a=${encodeURIComponent(canary)}`,
    ),
    JSON.stringify(redactor.headers({ authorization: header, "x-echo": canary, accept: "*/*" })),
  ].join("\n");
  const refusals = [
    from({ kind: "command", program: "/bin/sh", words: ["-c", `echo ${canary}; exit 1`] }),
    from({ kind: "command", program: "/bin/sh", words: ["-c", `echo ${canary}; echo ${canary}`] }),
  ].map((each) => each.then(String, (error: unknown) => inspect(error, { depth: 9, showHidden: true })));
  const shown = [everything, ...(await Promise.all(refusals))].join("\n");
  for (const spelling of [canary, encodeURIComponent(canary), Buffer.from(canary).toString("base64").slice(0, -4)]) {
    expect(shown.replaceAll(`echo ${canary}`, "")).not.toContain(spelling);
  }
  expect(shown).not.toContain("abc");
});

test("C6: base64 of anything around a secret shows nothing of it", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
      fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
      (before, after) => {
        const redactor = new Redactor();
        redactor.add(canary);
        const packed = Buffer.from(`${before}${canary}${after}`).toString("base64");
        const left = redactor.text(packed);
        expect(left).toContain("***");
        expect(Buffer.from(left.replace("***", "A"), "base64").toString("latin1")).not.toContain(canary.slice(3, -3));
      },
    ),
  );
});
