import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { authorityScene, basic, userLine } from "./authority.fixture.ts";
import { verifyToken } from "./token.ts";

const users = `users:\n${userLine("ada", '{ "team/**": [pull, push] }')}`;
let scene: ReturnType<typeof authorityScene>;
let server: Server | undefined;
afterEach(() => {
  server?.close();
  scene.dispose();
});

/** The scene's authority behind a server of its own. */
async function served(body: string): Promise<(path: string, init?: RequestInit) => Promise<Answer>> {
  scene = authorityScene(body);
  const answering = createServer((request, response) => {
    if (scene.authority.answer?.(request, response) !== true) response.writeHead(404).end();
  });
  server = answering;
  await new Promise<void>((resolve) => {
    answering.listen(0, "127.0.0.1", resolve);
  });
  const base = `http://127.0.0.1:${(answering.address() as AddressInfo).port}`;
  return async (path, init) => {
    const response = await fetch(`${base}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === "" ? {} : JSON.parse(text)) as Body };
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}
interface Body {
  readonly token?: string;
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
  readonly errors?: readonly { readonly code: string; readonly detail: { readonly code: string } }[];
}

const claims = (answer: Answer) =>
  verifyToken(answer.body.token ?? "", scene.keys.current(), "touchmark-registry", scene.clock.now());
const form = (members: Record<string, string> | [string, string][]): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(members),
});
const code = (answer: Answer) => [answer.status, answer.body.errors?.[0]?.detail.code];

test("A11: GET with Basic gives what was asked for and is granted", async () => {
  const ask = await served(users);
  const answer = await ask(
    "/v2/token?service=touchmark-registry&scope=repository:team/app:push,pull,delete&scope=repository:x:pull",
    {
      headers: { authorization: basic("ada") },
    },
  );
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.body).toMatchObject({ expires_in: 300, scope: "repository:team/app:pull,push" });
  expect(answer.body.access_token).toBe(answer.body.token);
  expect(claims(answer)).toMatchObject({
    subject: "ada",
    access: [{ type: "repository", name: "team/app", actions: ["pull", "push"] }],
  });
});

test("A11: without a credential it gives what anonymous callers may", async () => {
  const ask = await served(`anonymous: [public/**]\n${users}`);
  const answer = await ask("/v2/token?scope=repository:public/a:pull,push%20repository:team/app:pull");
  expect(claims(answer)).toMatchObject({
    subject: "anonymous",
    access: [{ type: "repository", name: "public/a", actions: ["pull"] }],
  });
});

test("A11: POST of a form with a password, as docker-style clients do", async () => {
  const ask = await served(users);
  const login = { grant_type: "password", service: "touchmark-registry", client_id: "test", username: "ada" };
  const answer = await ask(
    "/v2/token",
    form({ ...login, password: "ada's password", scope: "repository:team/app:pull" }),
  );
  expect(claims(answer)).toMatchObject({ subject: "ada", access: [{ name: "team/app", actions: ["pull"] }] });
  expect(code(await ask("/v2/token", form({ ...login, password: "wrong" })))).toEqual([
    401,
    "REGISTRY_AUTH_CREDENTIALS_WRONG",
  ]);
});

test("A9: a token that is got with a token neither grows nor lives longer", async () => {
  const ask = await served(users);
  const first = await ask("/v2/token?scope=repository:team/app:pull", { headers: { authorization: basic("ada") } });
  scene.clock.set("2026-11-21T10:46:31Z");
  const refresh = { grant_type: "refresh_token", refresh_token: first.body.token ?? "" };
  const second = await ask(
    "/v2/token",
    form({ ...refresh, scope: "repository:team/app:pull,push repository:team/b:pull" }),
  );
  expect(claims(second)).toMatchObject({
    access: [{ type: "repository", name: "team/app", actions: ["pull"] }],
    expiresAt: claims(first).expiresAt,
  });
  const bearer = await ask("/v2/token?scope=repository:team/app:push", {
    headers: { authorization: `Bearer ${first.body.token}` },
  });
  expect(claims(bearer).access).toEqual([]);
});

test("A11: what is no such request is refused by status and code", async () => {
  const ask = await served(users);
  const password = { grant_type: "password", username: "ada", password: "ada's password" };
  const long = "x".repeat(17_000);
  const refusals: [string, RequestInit | undefined, number, string][] = [
    ["?service=other", undefined, 400, "REGISTRY_TOKEN_SERVICE_WRONG"],
    ["?service=touchmark-registry&service=other", undefined, 400, "REGISTRY_TOKEN_REQUEST_INVALID"],
    ["?scope=repository:team/**:pull", undefined, 400, "REGISTRY_TOKEN_SCOPE_INVALID"],
    ["", { method: "PUT" }, 400, "REGISTRY_TOKEN_REQUEST_INVALID"],
    [
      "",
      { method: "POST", body: "{}", headers: { "content-type": "application/json" } },
      400,
      "REGISTRY_TOKEN_REQUEST_INVALID",
    ],
    ["", form({ grant_type: "authorization_code" }), 400, "REGISTRY_TOKEN_REQUEST_INVALID"],
    ["", form([...Object.entries(password), ["username", "bob"]]), 400, "REGISTRY_TOKEN_REQUEST_INVALID"],
    ["", form({ ...password, client_id: long }), 400, "REGISTRY_TOKEN_REQUEST_INVALID"],
    ["", form({ grant_type: "refresh_token", refresh_token: "x" }), 401, "REGISTRY_TOKEN_MALFORMED"],
    ["", { headers: { authorization: basic("ada", "no") } }, 401, "REGISTRY_AUTH_CREDENTIALS_WRONG"],
    ["", { headers: { authorization: "Basic ?" } }, 401, "REGISTRY_AUTH_HEADER_INVALID"],
  ];
  for (const [query, init, status, expected] of refusals) {
    const answer = await ask(`/v2/token${query}`, init);
    expect(code(answer), query).toEqual([status, expected]);
    expect(answer.headers.get("www-authenticate") !== null, query).toBe(status === 401);
  }
  expect((await ask("/v2/tokens")).status).toBe(404);
});

test("A11: guesses are shut out here as everywhere, with the seconds to wait", async () => {
  const ask = await served(users);
  const guess = () => ask("/v2/token", { headers: { authorization: basic("ada", "guess") } });
  for (let i = 0; i < 5; i++) expect((await guess()).status).toBe(401);
  const answer = await guess();
  expect(code(answer)).toEqual([429, "REGISTRY_AUTH_LOCKED"]);
  expect(answer.headers.get("retry-after")).toBe("1");
});

test("A16: every request for a token leaves a line, and no secret in it", async () => {
  const ask = await served(users);
  await ask("/v2/token?scope=repository:team/app:pull", { headers: { authorization: basic("ada") } });
  await ask("/v2/token", { headers: { authorization: basic("ada", "a secret guess") } });
  expect(scene.audit).toMatchObject([
    { caller: "ada", action: "token", reference: "team/app:pull", status: 200 },
    { caller: "anonymous", action: "token", reference: "", status: 401, code: "REGISTRY_AUTH_CREDENTIALS_WRONG" },
  ]);
  const text = JSON.stringify(scene.audit);
  for (const secret of ["password", "guess", "Basic", "eyJ"]) expect(text).not.toContain(secret);
});
