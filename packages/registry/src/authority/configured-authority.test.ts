import { afterEach, expect, test } from "vitest";
import type { RegistryAction } from "../authority.ts";
import { authorityScene, basic, userLine } from "./authority.fixture.ts";
import { retryAfterOf } from "./retry-later.ts";
import type { Access } from "./scope.ts";
import { mintToken } from "./token.ts";
import { rotateTokenKey } from "./token-key.ts";

type Scene = ReturnType<typeof authorityScene>;
let scene: Scene;
afterEach(() => scene.dispose());

const users = `users:\n${userLine("ada", '{ "team/**": [pull, push] }')}${userLine("bob", '{ "**": [pull, catalog] }')}`;
const refusal = (code: string) => expect.objectContaining({ code }) as object;
const identify = (
  header: string | undefined,
  action: RegistryAction = "pull",
  repository = "team/app",
  remote = "10.0.0.1",
) => scene.authority.identify(header, { action, repository }, remote);
const token = (subject: string, access: Access[] = [], service = "touchmark-registry") =>
  `Bearer ${mintToken({ key: scene.keys.current(), clock: scene.clock, subject, service, access, lifetimeSeconds: 300 }).token}`;
const of = (name: string, ...actions: string[]): Access => ({ type: "repository", name, actions });

test("A12: who shows nothing is anonymous where that is enough, and challenged where it is not", async () => {
  scene = authorityScene(`anonymous: [public/**]\n${users}`);
  expect(await identify(undefined, "pull", "public/a")).toMatchObject({ name: "anonymous" });
  expect(await identify(undefined, "pull", "team/app")).toMatchObject({
    challenge: expect.stringContaining('scope="repository:team/app:pull"') as string,
    reason: expect.stringContaining("REGISTRY_AUTH_REQUIRED") as string,
  });
  expect(await identify(undefined, "push", "public/a")).toHaveProperty("challenge");
  expect(await identify(undefined, "catalog", "")).toHaveProperty("challenge");
  // The version check is how clients learn where to log in.
  expect(await identify(undefined, "pull", "")).toHaveProperty("challenge");
  scene.change(`anonymous: read\n${users}`);
  expect(await identify(undefined, "catalog", "")).toMatchObject({ name: "anonymous" });
  expect(await identify(undefined, "pull", "")).toHaveProperty("challenge");
});

test("A12: a user may what is granted; what is not is the server's to refuse", async () => {
  scene = authorityScene(users);
  const ada = await identify(basic("ada"));
  if ("challenge" in ada) throw new Error("was challenged");
  const may = (action: RegistryAction, repository: string) => ada.may(action, repository);
  expect([may("pull", "team/app"), may("push", "team/app"), may("delete", "team/app")]).toEqual([true, true, false]);
  expect([may("pull", "other"), may("pull", "team"), may("catalog", "")]).toEqual([false, false, false]);
  expect(await identify(basic("ada"), "pull", "")).toMatchObject({ name: "ada" });
  expect(await identify(basic("bob"), "catalog", "")).toMatchObject({ name: "bob" });
  expect(await identify(basic("ada", "wrong"))).toMatchObject({
    reason: expect.stringContaining("REGISTRY_AUTH_CREDENTIALS_WRONG") as string,
  });
});

test("A12: a token that does not hold what its subject may have asks for another", async () => {
  scene = authorityScene(`anonymous: [public/**]\n${users}`);
  expect(await identify(token("ada", [of("team/app", "pull")]))).toMatchObject({ name: "ada" });
  expect(await identify(token("ada", [of("team/app", "pull")]), "push")).toMatchObject({
    challenge: expect.stringContaining('error="insufficient_scope"') as string,
  });
  // What no token would help with is refused, so that the client does not ask in circles.
  const other = await identify(token("ada"), "pull", "other");
  expect("challenge" in other ? true : other.may("pull", "other")).toBe(false);
  expect(await identify(token("anonymous", [of("public/a", "pull")]), "pull", "public/a")).toMatchObject({
    name: "anonymous",
  });
  expect(await identify(token("anonymous", [of("public/a", "pull")]), "push", "public/a")).toHaveProperty("challenge");
});

test("A9: what was taken from a user is gone from its tokens at once", async () => {
  scene = authorityScene(users);
  const held = token("ada", [of("team/app", "pull", "push")]);
  expect(await identify(held, "push")).toMatchObject({ name: "ada" });
  scene.change(`users:\n${userLine("ada", '{ "team/**": [pull] }')}`);
  const now = await identify(held, "push");
  expect("challenge" in now ? true : now.may("push", "team/app")).toBe(false);
  scene.change(`users:\n${userLine("bob", "{}")}`);
  expect(await identify(held)).toMatchObject({
    reason: expect.stringContaining("REGISTRY_TOKEN_SUBJECT_UNKNOWN") as string,
  });
});

test("A9: a token for the list of repositories shows what its subject could ask a token for", async () => {
  scene = authorityScene(`users:\n${userLine("ada", '{ "team/**": [pull], "**": [catalog] }')}`);
  const list: Access = { type: "registry", name: "catalog", actions: ["*"] };
  const ada = await identify(token("ada", [list]), "catalog", "");
  if ("challenge" in ada) throw new Error("was challenged");
  expect([ada.sees?.("team/app"), ada.sees?.("other"), ada.may("pull", "team/app")]).toEqual([true, false, false]);
  const factory = await identify(token("spiffe://factory-1.internal/node", [list]), "catalog", "");
  expect("challenge" in factory ? undefined : factory.sees?.("other")).toBe(true);
});

test("A9: a token of the factory says itself what it allows", async () => {
  scene = authorityScene("");
  const subject = "spiffe://factory-1.internal/project/p/pipeline/l/step/s";
  const held = token(subject, [of("team/app", "push")]);
  const caller = await identify(held, "push");
  expect(caller).toMatchObject({ name: subject });
  expect("challenge" in caller ? undefined : caller.may("pull", "team/app")).toBe(false);
  // As the password of `token`, for clients that know Basic alone.
  expect(await identify(basic("token", held.slice(7)), "push")).toMatchObject({ name: subject });
});

test("A8: a token that was remembered as right ends with its life and with its key", async () => {
  scene = authorityScene("");
  const held = token("spiffe://factory-1.internal/builder", [of("team/app", "pull")]);
  await identify(held);
  expect(await identify(held)).toMatchObject({ name: "spiffe://factory-1.internal/builder" });
  scene.clock.set("2026-11-21T10:47:31Z");
  expect(await identify(held)).toMatchObject({ reason: expect.stringContaining("REGISTRY_TOKEN_EXPIRED") as string });
  const fresh = token("spiffe://factory-1.internal/builder", [of("team/app", "pull")]);
  await identify(fresh);
  rotateTokenKey(scene.keyPath, scene.clock);
  expect(await identify(fresh)).toMatchObject({
    reason: expect.stringContaining("REGISTRY_TOKEN_KEY_UNKNOWN") as string,
  });
});

test("A15: requests beyond a rate are refused, by caller and by remote, with the seconds to wait", async () => {
  scene = authorityScene(`rates: { caller: { requests: 3 }, remote: { requests: 5 } }\n${users}`);
  for (let i = 0; i < 3; i++) expect(await identify(basic("ada"))).toMatchObject({ name: "ada" });
  const refused = await identify(basic("ada")).catch((error: object) => error);
  expect(refused).toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
  expect(retryAfterOf(refused)).toBe(1);
  // Another caller from elsewhere is not slowed; from the same remote both are.
  expect(await identify(basic("bob"), "pull", "x", "10.0.0.2")).toMatchObject({ name: "bob" });
  await identify(basic("bob"), "pull", "x");
  await expect(identify(basic("bob"), "pull", "x")).rejects.toThrow(refusal("REGISTRY_RATE_LIMITED"));
  // Before anything costly: the wrong password was not looked at.
  const looked = scene.compared.length;
  await expect(identify(basic("ada", "wrong"))).rejects.toThrow(refusal("REGISTRY_RATE_LIMITED"));
  expect(scene.compared).toHaveLength(looked);
  scene.clock.set("2026-11-21T10:42:33Z");
  expect(await identify(basic("ada"))).toMatchObject({ name: "ada" });
});

test("A15: bytes beyond a rate wait, as long as the rate says", async () => {
  scene = authorityScene(`rates: { caller: { bytes: 1MiB }, remote: { bytes: 4MiB } }\n${users}`);
  const ada = await identify(basic("ada"));
  if ("challenge" in ada) throw new Error("was challenged");
  expect(ada.pace?.(2 ** 20)).toBeUndefined();
  await ada.pace?.(2 ** 20);
  await ada.pace?.(2 ** 19);
  expect(scene.waits).toEqual([1000, 1500]);
  scene.clock.set("2026-11-21T10:42:35Z");
  expect(ada.pace?.(1000)).toBeUndefined();
  scene.change(users);
  const free = await identify(basic("ada"));
  expect("challenge" in free ? true : free.pace).toBeUndefined();
});
