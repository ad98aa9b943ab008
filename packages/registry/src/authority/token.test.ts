import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { afterAll, expect, test } from "vitest";
import { type Access, MAX_SCOPES } from "./scope.ts";
import { mintToken, verifyToken } from "./token.ts";
import { openTokenKeys, rotateTokenKey } from "./token-key.ts";

const refusal = (code: string) => expect.objectContaining({ code }) as object;
const directory = mkdtempSync(join(tmpdir(), "touchmark-tokens-"));
afterAll(() => rmSync(directory, { recursive: true }));
const clock = fixedClock("2026-11-21T10:42:31Z");
const path = join(directory, "token-key.json");
const keys = openTokenKeys(path, clock, 0);
const access: Access[] = [{ type: "repository", name: "team/app", actions: ["pull", "push"] }];
const request = { key: keys.current(), clock, subject: "ada", service: "r", access, lifetimeSeconds: 300 };
const after = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000);

test("A7: a token says who, for which service, what for and how long, and is verified so", () => {
  const { token, claims } = mintToken(request);
  expect(verifyToken(token, keys.current(), "r", clock.now())).toEqual(claims);
  expect(claims).toEqual({ subject: "ada", service: "r", access, issuedAt: clock.now(), expiresAt: after(300) });
  const [header = "", body = ""] = token.split(".").map((part) => Buffer.from(part, "base64url").toString());
  expect(JSON.parse(header)).toEqual({ typ: "JWT", alg: "ES256", kid: keys.current().id });
  expect(Object.keys(JSON.parse(body) as object)).toEqual(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"]);
  expect(mintToken(request).token).not.toBe(token);
});

test("A7: its life has a beginning and an end, and is at most an hour", () => {
  const { token } = mintToken(request);
  expect(verifyToken(token, keys.current(), "r", after(299.9)).subject).toBe("ada");
  expect(() => verifyToken(token, keys.current(), "r", after(300))).toThrow(refusal("REGISTRY_TOKEN_EXPIRED"));
  expect(() => verifyToken(token, keys.current(), "r", after(-11))).toThrow(refusal("REGISTRY_TOKEN_NOT_YET_VALID"));
  for (const lifetimeSeconds of [0, -1, 3601, 1.5, Number.NaN]) {
    expect(() => mintToken({ ...request, lifetimeSeconds })).toThrow(refusal("REGISTRY_TOKEN_LIFETIME_INVALID"));
  }
});

test("A7: no token is made for a pattern, too many repositories, or a name that is nobody's", () => {
  const named = (name: string): Access[] => [{ type: "repository", name, actions: ["pull"] }];
  for (const wrong of [
    named("team/**"),
    named("*"),
    named("../a"),
    Array<Access>(MAX_SCOPES + 1).fill(access[0] as Access),
  ]) {
    expect(() => mintToken({ ...request, access: wrong })).toThrow(refusal("REGISTRY_TOKEN_SCOPE_INVALID"));
  }
  for (const subject of ["", "Ada", "a b", "spiffe://", "spiffe://x/a b", "https://x/y"]) {
    expect(() => mintToken({ ...request, subject })).toThrow(refusal("REGISTRY_TOKEN_REQUEST_INVALID"));
  }
  expect(
    mintToken({ ...request, subject: "spiffe://factory-1.internal/project/p/pipeline/l/step/s" }).token,
  ).toBeTruthy();
});

test("A8: the key is in a file of its owner alone, made once", () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(openTokenKeys(path, clock).current().id).toBe(keys.current().id);
  const many = Array.from({ length: 4 }, () => openTokenKeys(join(directory, "other.json"), clock).current().id);
  expect(new Set(many).size).toBe(1);
});

test("A8: a rotation ends the tokens of the key before", () => {
  const { token } = mintToken({ ...request, key: keys.current() });
  const before = keys.current();
  const fresh = rotateTokenKey(path, clock);
  expect(keys.current().id).toBe(fresh.id);
  expect(keys.current().id).not.toBe(before.id);
  expect(() => verifyToken(token, keys.current(), "r", clock.now())).toThrow(refusal("REGISTRY_TOKEN_KEY_UNKNOWN"));
});

test("A8: a key that others can read, or that is no key, is refused by name", () => {
  const text = readFileSync(path, "utf8");
  chmodSync(path, 0o640);
  expect(() => keys.current()).toThrow(refusal("REGISTRY_TOKEN_KEY_EXPOSED"));
  chmodSync(path, 0o600);
  for (const damaged of ["", "{}", text.slice(0, -20), text.replace("v1", "v2")]) {
    writeFileSync(path, damaged);
    expect(() => keys.current()).toThrow(refusal("REGISTRY_TOKEN_KEY_DAMAGED"));
  }
  rmSync(path);
  expect(() => keys.current()).toThrow(refusal("REGISTRY_TOKEN_KEY_DAMAGED"));
  rotateTokenKey(path, clock);
  expect(keys.current().id).toMatch(/^[0-9a-f]{32}$/);
});
