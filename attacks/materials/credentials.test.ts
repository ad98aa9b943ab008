import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { credentialKeeper, parseMaterialsConfiguration } from "@touchmark/materials";
import { afterAll, afterEach, describe, expect, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-credentials-"));
afterAll(() => rmSync(directory, { recursive: true }));
const canary = "canary-9d41-token-of-the-user";
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A registry on this host; answers what it was asked with. */
async function registry(
  answer: (path: string) => string | undefined,
): Promise<{ url: URL; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    const location = answer(request.url ?? "");
    response.writeHead(location === undefined ? 200 : 302, location === undefined ? {} : { location }).end("ok");
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), seen };
}

function keeperFor(host: string, from = "{ environment: TOKEN }", more = "") {
  const configuration = parseMaterialsConfiguration(
    `touchmark: materials/v1
upstreams: {}
credentials:
  packages: { host: "${host}", purpose: fetch, steps: [fetch], form: header, header: x-registry-token, from: ${from} ${more} }
`,
    join(directory, "materials.yaml"),
  );
  return credentialKeeper(configuration, { TOKEN: canary });
}
const asked = (url: URL) => ({ url, purpose: "fetch" as const, step: "fetch", trusted: true });

describe("AT16 VS Code 2021: a command of the build looks for the token", () => {
  test("attack: a step asks for what belongs to another step, purpose or host", async () => {
    const keeper = keeperFor("packages.example.com");
    const url = new URL("https://packages.example.com/a");
    for (const changes of [
      { step: "title" },
      { purpose: "publish" as const },
      { url: new URL("https://collector.example.com/") },
    ]) {
      expect(await keeper.headersFor({ ...asked(url), ...changes })).toBeUndefined();
    }
    expect(keeper.uses()).toEqual([]);
  });
  test("attack: a registry sends the client elsewhere, and the token with it", async () => {
    const evil = await registry(() => undefined);
    const honest = await registry(() => evil.url.href);
    // Naive: a client that follows redirects takes its own headers along.
    await fetch(honest.url, { headers: { "x-registry-token": canary } });
    expect(evil.seen[0]?.["x-registry-token"]).toBe(canary);
    const keeper = keeperFor(honest.url.host);
    expect((await keeper.headersFor(asked(honest.url)))?.headers).toEqual({ "x-registry-token": canary });
    expect(await keeper.headersFor({ ...asked(evil.url), redirectedFrom: honest.url })).toBeUndefined();
  });
  test("attack: an attacker's host sends the client to the real one, to have the token used for him", async () => {
    const keeper = keeperFor("packages.example.com");
    const target = new URL("https://packages.example.com/-/user/token");
    const redirectedFrom = new URL("https://evil.example.com/");
    expect(await keeper.headersFor({ ...asked(target), redirectedFrom })).toBeUndefined();
  });
  test.each([
    "https://packages.example.com.evil.example/",
    "https://packages.example.com:444/",
    "https://packages.example.com@evil.example/",
    "https://evil.example/?packages.example.com",
    "https://packages-example.com/",
    "https://раckages.example.com/",
  ])("attack: a host that looks like the bound one: %s", async (url) => {
    expect(await keeperFor("packages.example.com").headersFor(asked(new URL(url)))).toBeUndefined();
  });
  test("attack: the connection is taken back to plain http", async () => {
    await expect(
      keeperFor("packages.example.com").headersFor(asked(new URL("http://packages.example.com/"))),
    ).rejects.toMatchObject({
      code: "CREDENTIAL_INSECURE",
    });
  });
  test("attack: the token is looked for in everything that is kept, shown and thrown", async () => {
    const { url } = await registry(() => undefined);
    const keeper = keeperFor(url.host);
    const given = await keeper.headersFor(asked(url));
    const failing = keeperFor(url.host, `{ command: [/bin/sh, -c, "echo ${canary}; exit 1"] }`);
    const error = await failing.headersFor(asked(url)).catch((thrown: unknown) => thrown);
    const kept = [
      inspect(keeper, { depth: 9, showHidden: true }),
      JSON.stringify([given?.use, keeper.uses(), await keeper.findings()]),
      JSON.stringify(keeper.redactor.headers(given?.headers ?? {})),
      keeper.redactor.url(`${url.href}?token=${canary}`),
      keeper.redactor.text(`curl: (22) x-registry-token: ${canary} ${Buffer.from(`u:${canary}`).toString("base64")}`),
      inspect(error, { depth: 9, showHidden: true }),
    ].join("\n");
    expect(kept).not.toContain(canary);
    expect(kept).not.toContain(Buffer.from(canary).toString("base64").slice(2, -4));
  });
});

describe("AT17 Travis CI 2021: the build of a fork reads the secrets of the project", () => {
  test("attack: a run that an outside change started asks for the token", async () => {
    const keeper = keeperFor("packages.example.com");
    const fork = { ...asked(new URL("https://packages.example.com/a")), trusted: false };
    await expect(keeper.headersFor(fork)).rejects.toMatchObject({ code: "CREDENTIAL_TRIGGER_UNTRUSTED" });
    expect(keeper.uses()).toEqual([]);
  });
});

describe("AT4 Codecov 2021: the secret lies where others read it", () => {
  const secret = join(directory, "token");
  writeFileSync(secret, canary);
  test.each([0o644, 0o660, 0o606, 0o755])("attack: a file with mode %o", async (mode) => {
    chmodSync(secret, mode);
    const keeper = keeperFor("packages.example.com", "{ file: token }");
    await expect(keeper.headersFor(asked(new URL("https://packages.example.com/")))).rejects.toMatchObject({
      code: "CREDENTIAL_FILE_MODE",
    });
    expect((await keeper.findings()).map((each) => each.finding)).toEqual(["unreadable"]);
  });
  test("attack: a safe name that leads to an open file", async () => {
    chmodSync(secret, 0o644);
    symlinkSync(secret, join(directory, "link"));
    const keeper = keeperFor("packages.example.com", "{ file: link }");
    await expect(keeper.headersFor(asked(new URL("https://packages.example.com/")))).rejects.toMatchObject({
      code: "CREDENTIAL_FILE_MODE",
    });
  });
  test("attack: a token that ended long ago is used on, one without bounds goes everywhere", async () => {
    const url = new URL("https://packages.example.com/");
    await expect(
      keeperFor(url.host, "{ environment: TOKEN }", ', expires: "2020-01-01"').headersFor(asked(url)),
    ).rejects.toMatchObject({
      code: "CREDENTIAL_EXPIRED",
    });
    const everywhere = keeperFor("*");
    expect(await everywhere.headersFor(asked(url))).toBeUndefined();
    expect((await everywhere.findings()).map((each) => each.finding)).toContain("any-host");
  });
  test("attack: a secret with a line break smuggles a second header", async () => {
    writeFileSync(join(directory, "split"), `${canary}\r\nx-forwarded-host: evil`, { mode: 0o600 });
    const keeper = keeperFor("packages.example.com", "{ file: split }");
    await expect(keeper.headersFor(asked(new URL("https://packages.example.com/")))).rejects.toMatchObject({
      code: "CREDENTIAL_MALFORMED",
    });
  });
});
