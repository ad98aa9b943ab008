import { request } from "node:http";
import { inspect } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { authorityScene, secret } from "./authority-scene.ts";

let scene: Awaited<ReturnType<typeof authorityScene>>;
afterEach(() => scene.dispose());
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

/** A request with exactly these headers, which fetch would not send. */
function raw(path: string, headers: Record<string, string | string[]>): Promise<{ status: number; challenge: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${scene.url}${path}`, { headers }, (response) => {
      response.resume();
      const challenge = response.headers["www-authenticate"] ?? "";
      response.on("end", () => resolve({ status: response.statusCode ?? 0, challenge }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("A6: headers", () => {
  test.each([
    "Basic",
    "Basic ",
    "basic:YTpi",
    `Basic ${Buffer.from("ada").toString("base64")}`,
    `Basic ${Buffer.from(`:${secret}`).toString("base64")}`,
    `Basic ${Buffer.from(`ada\u0000:${secret}`).toString("base64")}`,
    `Basic ${Buffer.from(`ada:${secret}\n`).toString("base64")}`,
    `Basic ${Buffer.from(`ada:${secret}`).toString("base64")}, Bearer x`,
    "Bearer",
    "Bearer a\tb",
    "Negotiate YTpi",
    `Bearer ${"x".repeat(9000)}`,
  ])("attack: %j", async (header) => {
    scene = await authorityScene();
    expect(await scene.judge(header)).toBe("REGISTRY_AUTH_HEADER_INVALID");
  });

  test("attack: a header larger than any server reads, and two of them", async () => {
    scene = await authorityScene();
    expect((await raw("/v2/", { authorization: `Bearer ${"x".repeat(20_000)}` })).status).toBe(431);
    // Node keeps the first of two: what another reader would take for the second is never looked at.
    expect((await raw("/v2/", { authorization: ["Bearer x", basic(`ada:${secret}`)] })).status).toBe(401);
  });

  test.each(["token", "anonymous", "__proto__", "constructor", "ADA", " ada", "ada "])(
    "attack: the user name %j",
    async (name) => {
      scene = await authorityScene();
      expect(await scene.judge(basic(`${name}:${secret}`))).toMatch(
        name === "token" ? /^REGISTRY_TOKEN_MALFORMED$/ : /^REGISTRY_AUTH_CREDENTIALS_WRONG$/,
      );
    },
  );
});

describe("A10: challenges", () => {
  test("attack: the realm, where clients send passwords, is steered by the request", async () => {
    scene = await authorityScene();
    for (const headers of [
      { host: "attacker.example" },
      { host: 'x",realm="https://attacker.example' },
      { host: "127.0.0.1", "x-forwarded-host": "attacker.example", "x-forwarded-proto": "https" },
      { host: "127.0.0.1", forwarded: "host=attacker.example;proto=https" },
    ]) {
      const { challenge } = await raw("/v2/team/app/tags/list", headers);
      expect(challenge).toBe(
        `Bearer realm="${scene.url}/v2/token",service="touchmark-registry",scope="repository:team/app:pull"`,
      );
    }
    for (const name of ['a",x="b', "a\r\nset-cookie: x", "a%0d%0ax: y"]) {
      const found = await scene.authority.identify(undefined, { action: "pull", repository: name }, "192.0.2.1");
      if (!("challenge" in found)) throw new Error("was let in");
      expect(found.challenge).toBe(`Bearer realm="${scene.url}/v2/token",service="touchmark-registry"`);
    }
  });
});

describe("A5: guesses", () => {
  test("attack: passwords are guessed, over basic and over the token endpoint, and the owner goes on elsewhere", async () => {
    scene = await authorityScene();
    const from = (remote: string, password: string) =>
      scene.authority
        .identify(basic(`ada:${password}`), { action: "pull", repository: "team/app" }, remote)
        .then((found) => ("challenge" in found ? found.reason.split(":")[0] : found.name))
        .catch((error: { code: string }) => error.code);
    const seen: (string | undefined)[] = [];
    for (let i = 0; i < 8; i++) seen.push(await from("198.51.100.7", `guess ${i}`));
    expect(seen).toEqual([
      ...Array<string>(5).fill("REGISTRY_AUTH_CREDENTIALS_WRONG"),
      ...Array<string>(3).fill("REGISTRY_AUTH_LOCKED"),
    ]);
    expect(await from("198.51.100.7", secret)).toBe("REGISTRY_AUTH_LOCKED");
    expect(await from("198.51.100.8", secret)).toBe("ada");
    // The endpoint shares the ledger: five more from this host, and then 429 with the seconds to wait.
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const response = await fetch(`${scene.url}/v2/token`, { headers: { authorization: basic(`ada:other ${i}`) } });
      statuses.push(response.status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const direct = await fetch(`${scene.url}/v2/`, { headers: { authorization: basic("ada:x") } });
    expect([direct.status, direct.headers.get("retry-after")]).toEqual([429, "1"]);
  });

  test("attack: does the answer tell which users there are", async () => {
    scene = await authorityScene();
    const answer = async (user: string) => {
      const response = await fetch(`${scene.url}/v2/`, { headers: { authorization: basic(`${user}:wrong`) } });
      return [response.status, await response.text(), response.headers.get("www-authenticate")];
    };
    expect(await answer("ada")).toEqual(await answer("nobody"));
  });
});

test("A16: attack: secrets are looked for in answers, errors, audit lines and the authority itself", async () => {
  scene = await authorityScene();
  const token = await scene.token("scope=repository:team/app:pull");
  const texts: string[] = [];
  for (const authorization of [
    basic(`ada:${secret}`),
    basic(`ada:${secret}x`),
    basic(`${secret}:x`),
    `Bearer ${token}x`,
    `Digest ${secret}`,
  ]) {
    for (const path of [
      "/v2/",
      "/v2/team/app/tags/list",
      "/v2/other/app/tags/list",
      "/v2/token",
      "/v2/token?service=x",
    ]) {
      const response = await fetch(`${scene.url}${path}`, { headers: { authorization } });
      const body = (await response.text()).replace(/"(?:access_)?token":"[^"]*"/g, "");
      texts.push(body, inspect(response.headers));
    }
  }
  texts.push(JSON.stringify(scene.audit), inspect(scene.authority, { depth: 10 }));
  const all = texts.join("\n");
  expect(scene.audit.length).toBeGreaterThan(20);
  const encoded = Buffer.from(`ada:${secret}`).toString("base64").slice(0, 20);
  for (const each of [secret, encoded, token.split(".")[2] ?? "", "$scrypt$"]) expect(all).not.toContain(each);
});
