import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fixedClock } from "@touchmark/core";
import { afterEach, expect, test } from "vitest";
import type { Credential } from "./credentials.ts";
import { putImage } from "./images.fixture.ts";
import {
  closeScripted,
  json,
  listening,
  quietClient,
  type ScriptedRegistry,
  scriptedRegistry,
} from "./scripted.fixture.ts";

afterEach(closeScripted);

interface Guarded {
  readonly registry: ScriptedRegistry;
  /** Queries and forms that the token service was asked with, and what was shown to it. */
  readonly asked: { readonly method: string; readonly query: URLSearchParams; readonly shown: string | undefined }[];
  valid: Set<string>;
}

/** A registry that takes only tokens of its service, each of which counts for what it was asked for. */
async function guarded(answer: (count: number) => object, status = 200): Promise<Guarded> {
  const asked: Guarded["asked"] = [];
  const valid = new Set<string>();
  const answered = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const query =
      request.method === "POST" ? new URLSearchParams(body) : new URL(request.url ?? "", "http://x").searchParams;
    asked.push({ method: request.method ?? "", query, shown: request.headers.authorization });
    const given = answer(asked.length) as { token?: string; access_token?: string };
    const token = given.token ?? given.access_token;
    if (token !== undefined) valid.add(token);
    json(response, status, given);
  };
  const service = await listening((request, response) => void answered(request, response));
  const realm = `http://127.0.0.1:${(service.address() as AddressInfo).port}/token`;
  const registry = await scriptedRegistry((request, response) => {
    if (valid.has((request.headers.authorization ?? "").replace("Bearer ", ""))) return false;
    const challenge = `Bearer realm="${realm}",service="r"`;
    return json(response, 401, { errors: [{ code: "UNAUTHORIZED" }] }, { "www-authenticate": challenge });
  });
  return { registry, asked, valid };
}

const as = (credential: Credential | undefined) => async () => credential;
const user: Credential = { kind: "password", user: "u", password: "secret" };

test("C2: many requests at once dance once for each scope, and show what they got", async () => {
  const { registry, asked } = await guarded((count) => ({ token: `t${count}`, expires_in: 300 }));
  const repository = quietClient({ credentials: as(user) }).repository({ registry: registry.host, repository: "a/b" });
  const { digest } = await putImage(repository, { tag: "v1" });
  const before = asked.length;
  await Promise.all(Array.from({ length: 20 }, () => repository.manifest(digest)));
  expect(asked.length - before).toBeLessThanOrEqual(1);
  expect(asked.map(({ query }) => query.get("scope"))).toEqual(["repository:a/b:pull,push", "repository:a/b:pull"]);
  expect(asked[0]?.query.get("service")).toBe("r");
  expect(asked[0]?.query.get("account")).toBe("u");
  expect(asked[0]?.shown).toBe(`Basic ${Buffer.from("u:secret").toString("base64")}`);
});

test("C2: without credentials the service is asked anonymously", async () => {
  const { registry, asked } = await guarded(() => ({ access_token: "anonymous" }));
  await putImage(quietClient().repository({ registry: registry.host, repository: "a/b" }));
  expect(asked[0]?.shown).toBeUndefined();
});

test("C2: a token is used until shortly before it expires, and one that is refused is not used again", async () => {
  const clock = fixedClock("2026-01-01T00:00:00Z");
  const { registry, asked, valid } = await guarded((count) => ({ token: `t${count}`, expires_in: 100 }));
  const repository = quietClient({ clock, credentials: as(user) }).repository({
    registry: registry.host,
    repository: "a/b",
  });
  const digest = `sha256:${"0".repeat(64)}` as const;
  await repository.hasBlob(digest);
  clock.set("2026-01-01T00:01:29Z");
  await repository.hasBlob(digest);
  expect(asked).toHaveLength(1);
  clock.set("2026-01-01T00:01:31Z");
  await repository.hasBlob(digest);
  expect(asked).toHaveLength(2);
  valid.clear();
  await repository.hasBlob(digest);
  expect(asked).toHaveLength(3);
});

test("C2: a refresh token is sent by POST; one that the service hands out replaces it", async () => {
  const { registry, asked } = await guarded((count) => ({ access_token: `t${count}`, refresh_token: `r${count}` }));
  const repository = quietClient({ credentials: as({ kind: "identity", token: "r0" }) }).repository({
    registry: registry.host,
    repository: "a/b",
  });
  await putImage(repository, { tag: "v1" });
  await repository.manifest("v1");
  expect(asked.map(({ method, query }) => [method, query.get("refresh_token"), query.get("grant_type")])).toEqual([
    ["POST", "r0", "refresh_token"],
    ["POST", "r1", "refresh_token"],
  ]);
});

test("C2: a bearer token of the configuration is shown as it is", async () => {
  const { registry, asked, valid } = await guarded(() => ({}));
  valid.add("mine");
  const credentials = as({ kind: "bearer", token: "mine" });
  await putImage(quietClient({ credentials }).repository({ registry: registry.host, repository: "a/b" }));
  expect(asked).toHaveLength(0);
});

test("C2: basic credentials are shown when they are asked for, and not before", async () => {
  const registry = await scriptedRegistry((request, response) => {
    if (request.headers.authorization === `Basic ${Buffer.from("u:secret").toString("base64")}`) return false;
    return json(response, 401, {}, { "www-authenticate": 'Basic realm="r"' });
  });
  await putImage(quietClient({ credentials: as(user) }).repository({ registry: registry.host, repository: "a/b" }));
  // Finding the scheme is asked without them.
  expect(registry.requests[0]?.headers.authorization).toBeUndefined();
  expect(registry.requests[1]?.headers.authorization).toBeUndefined();
  const stranger = quietClient().repository({ registry: registry.host, repository: "a/b" });
  await expect(stranger.manifest("v1")).rejects.toThrow(expect.objectContaining({ code: "OCI_CLIENT_UNAUTHORIZED" }));
});

test.each([
  [{}, 200, "OCI_CLIENT_TOKEN_MALFORMED"],
  [{ token: 7 }, 200, "OCI_CLIENT_TOKEN_MALFORMED"],
  [{ token: "a\nb" }, 200, "OCI_CLIENT_TOKEN_MALFORMED"],
  [{ token: "a".repeat(70_000) }, 200, "OCI_CLIENT_TOKEN_MALFORMED"],
  [{ token: "a".repeat(300_000) }, 200, "OCI_CLIENT_TOO_LARGE"],
  [{ token: "t" }, 403, "OCI_CLIENT_UNAUTHORIZED"],
  [{ token: "t" }, 503, "OCI_CLIENT_SERVER_FAILED"],
])("C2: an answer of a token service with status and body (case %#) is %s %s", async (body, status, expected) => {
  const { registry } = await guarded(() => body, status);
  const repository = quietClient({ credentials: as(user) }).repository({ registry: registry.host, repository: "a/b" });
  await expect(repository.manifest("v1")).rejects.toThrow(expect.objectContaining({ code: expected }));
});

test("C2: a caller whom the registry knows and does not allow is told so", async () => {
  const registry = await scriptedRegistry((_request, response, path) =>
    path === "/v2/" ? false : json(response, 403, { errors: [{ code: "DENIED", message: "not for you\u001b[2J" }] }),
  );
  const error = await quietClient()
    .repository({ registry: registry.host, repository: "a/b" })
    .manifest("v1")
    .catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    code: "OCI_CLIENT_DENIED",
    message: expect.stringContaining("DENIED: not for you [2J"),
  });
});
