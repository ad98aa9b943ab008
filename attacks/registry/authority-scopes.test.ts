import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authorityScene, partsOf, secret } from "./authority-scene.ts";

let scene: Awaited<ReturnType<typeof authorityScene>>;
beforeAll(async () => {
  scene = await authorityScene();
});
afterAll(() => scene.dispose());

const ask = (query: string, init: RequestInit = {}) => fetch(`${scene.url}/v2/token?${query}`, init);
const codeOf = async (response: Response) =>
  ((await response.json()) as { errors?: { detail: { code: string } }[] }).errors?.[0]?.detail.code;
const accessOf = async (scope: string) =>
  partsOf(await scene.token(`scope=${encodeURIComponent(scope)}`)).claims["access"];

describe("A9: scopes", () => {
  test("attack: a scope is widened by what is asked for", async () => {
    expect(await accessOf("repository:team/app:pull,push,delete,*")).toEqual([
      { type: "repository", name: "team/app", actions: ["pull", "push"] },
    ]);
    for (const scope of [
      "repository:other/app:pull",
      "repository:team:pull",
      "repository:teams/app:pull",
      "registry:catalog:*",
      "registry:*:*",
      "repository:team/app:PULL",
      "repository:team/app:admin",
    ]) {
      await expect(accessOf(scope).catch(() => "refused")).resolves.toSatisfy(
        (found) => found === "refused" || (Array.isArray(found) && found.length === 0),
        scope,
      );
    }
  });

  test.each([
    "repository:*:pull",
    "repository:**:pull",
    "repository:team/**:push",
    "repository:team/*:push",
    "repository:team/../other/app:push",
    "repository:team/./app:push",
    "repository:team//app:push",
    "repository:/team/app:push",
    "repository:team/app/:push",
    "repository:team%2fapp:push",
    "repository:team/app,other/app:push",
    "repository:team/app\u0000/other:push",
    "repository:TEAM/app:push",
    "repository:team/\u0430pp:push",
    "repository:team/app:pull:push",
  ])("attack: the name in %j", async (scope) => {
    const authorization = `Basic ${Buffer.from(`ada:${secret}`).toString("base64")}`;
    const response = await ask(`scope=${encodeURIComponent(scope)}`, { headers: { authorization } });
    expect([response.status, await codeOf(response)]).toEqual([400, "REGISTRY_TOKEN_SCOPE_INVALID"]);
  });

  test("attack: a token of one repository is used for another, for more, and for the catalog", async () => {
    const held = `Bearer ${await scene.token("scope=repository:team/app:pull")}`;
    expect(await scene.judge(held)).toBe("ada");
    // What the user may have, a new token would hold; what not, no token does.
    expect(await scene.judge(held, "push")).toBe("REGISTRY_AUTH_REQUIRED");
    expect(await scene.judge(held, "pull", "team/app2")).toBe("REGISTRY_AUTH_REQUIRED");
    expect(await scene.judge(held, "delete")).toBe("REGISTRY_DENIED");
    expect(await scene.judge(held, "pull", "other/app")).toBe("REGISTRY_DENIED");
    expect(await scene.judge(held, "catalog", "")).toBe("REGISTRY_DENIED");
  });

  test("attack: a blob is mounted out of a repository that the token does not hold", async () => {
    const bytes = Buffer.from("of another team");
    const { sha256 } = await import("@touchmark/core");
    const digest = sha256(bytes);
    await scene.backend.uploads.put(
      "other/app",
      digest,
      1e6,
      (async function* () {
        yield bytes;
      })(),
    );
    const held = await scene.token("scope=repository:team/app:pull,push&scope=repository:other/app:pull");
    const response = await fetch(`${scene.url}/v2/team/app/blobs/uploads/?mount=${digest}&from=other/app`, {
      method: "POST",
      headers: { authorization: `Bearer ${held}` },
    });
    // As if it were not there: an upload begins.
    expect(response.status).toBe(202);
    expect(await scene.backend.blobs.open("team/app", digest)).toBeUndefined();
  });

  test("attack: rights that were taken away are used until the token ends", async () => {
    const own = await authorityScene();
    const held = `Bearer ${await own.token("scope=repository:team/app:pull,push")}`;
    expect(await own.judge(held, "push")).toBe("ada");
    own.grant('{ "team/**": [pull] }');
    expect(await own.judge(held, "push")).toBe("REGISTRY_DENIED");
    await own.dispose();
  });
});

describe("A11: requests for tokens", () => {
  test("attack: a token for another service, two of one member, forms of other kinds", async () => {
    expect(await codeOf(await ask("service=other-registry"))).toBe("REGISTRY_TOKEN_SERVICE_WRONG");
    expect(await codeOf(await ask("service=touchmark-registry&service=x"))).toBe("REGISTRY_TOKEN_REQUEST_INVALID");
    const post = (body: string, type = "application/x-www-form-urlencoded") =>
      ask("", { method: "POST", body, headers: { "content-type": type } });
    for (const [body, type] of [
      ["grant_type=password&username=ada", undefined],
      [`grant_type=password&username=ada&username=eve&password=${secret}`, undefined],
      ["grant_type=client_credentials", undefined],
      [`{"grant_type":"password","username":"ada","password":"${secret}"}`, "application/json"],
      [`grant_type=password&username=ada&password=${"x".repeat(20_000)}`, undefined],
    ] as const) {
      expect(await codeOf(await post(body, type)), body.slice(0, 60)).toBe("REGISTRY_TOKEN_REQUEST_INVALID");
    }
    expect(await codeOf(await post("grant_type=refresh_token&refresh_token=e30.e30."))).toBe(
      "REGISTRY_TOKEN_ALGORITHM_REFUSED",
    );
  });

  test("attack: more scopes than anybody needs", async () => {
    const scope = Array.from({ length: 101 }, (_, i) => `repository:team/a${i}:pull`).join(" ");
    expect(await codeOf(await ask(`scope=${encodeURIComponent(scope)}`))).toBe("REGISTRY_TOKEN_SCOPE_INVALID");
  });
});
