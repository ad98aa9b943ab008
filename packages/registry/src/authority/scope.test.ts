import { expect, test } from "vitest";
import { challengeFor } from "./challenge.ts";
import { parseAuthorization } from "./header.ts";
import { intersect, isGranted, isInAccess, parseScopes } from "./scope.ts";

const refusal = (code: string) => expect.objectContaining({ code }) as object;
const url = "https://registry.example.com";

test("A9: scopes are read as clients ask for them", () => {
  expect(parseScopes(["repository:team/app:pull,push repository:x:*", "registry:catalog:*"])).toEqual([
    { type: "repository", name: "team/app", actions: ["pull", "push"] },
    { type: "repository", name: "x", actions: ["pull", "push", "delete"] },
    { type: "registry", name: "catalog", actions: ["*"] },
  ]);
  // A class only describes; other types, actions and parts of the registry give nothing.
  expect(parseScopes(["repository(plugin):x:pull,fly", "aws:x:pull", "registry:users:*"])).toEqual([
    { type: "repository", name: "x", actions: ["pull"] },
  ]);
  expect(parseScopes([])).toEqual([]);
  expect(parseScopes([""])).toEqual([]);
});

test.each([
  "repository:*:pull",
  "repository:team/**:pull",
  "repository:team/../other:pull",
  "repository:a,b:pull",
  "repository:Team:pull",
  "repository:a//b:pull",
  "repository::pull",
  "repository:a",
  "pull",
  `repository:${"a/".repeat(300)}b:pull`,
  Array(101).fill("repository:a:pull").join(" "),
  "repository:a\u0000:pull",
])("A9: %j names no single repository", (text) => {
  expect(() => parseScopes([text])).toThrow(refusal("REGISTRY_TOKEN_SCOPE_INVALID"));
});

test("A9: what is given is what is asked for and granted", () => {
  const grants = [
    { repositories: "team/**", actions: ["pull", "push"] as const },
    { repositories: "app", actions: ["delete"] as const },
  ];
  const asked = parseScopes(["repository:team/a:* repository:team:pull repository:app:pull,delete registry:catalog:*"]);
  expect(intersect(asked, grants)).toEqual([
    { type: "repository", name: "team/a", actions: ["pull", "push"] },
    { type: "repository", name: "app", actions: ["delete"] },
  ]);
  const all = [{ repositories: "**", actions: ["catalog"] as const }];
  expect(intersect(asked, all)).toEqual([{ type: "registry", name: "catalog", actions: ["*"] }]);
  expect(isGranted(all, "pull", "team/a")).toBe(false);
  expect(isInAccess([{ type: "repository", name: "team/**", actions: ["pull"] }], "pull", "team/a")).toBe(false);
});

test("A10: a challenge has the configured address and the scope, or asks for Basic", () => {
  const wanted = { action: "push", repository: "team/app" } as const;
  expect(challengeFor({ url, service: "r", wanted })).toBe(
    `Bearer realm="${url}/v2/token",service="r",scope="repository:team/app:pull,push"`,
  );
  expect(
    challengeFor({ url, service: "r", wanted: { action: "catalog", repository: "" }, error: "invalid_token" }),
  ).toBe(`Bearer realm="${url}/v2/token",service="r",scope="registry:catalog:*",error="invalid_token"`);
  expect(challengeFor({ url, service: "r", wanted: { action: "pull", repository: "" } })).toBe(
    `Bearer realm="${url}/v2/token",service="r"`,
  );
  expect(challengeFor({ url: undefined, service: "r", wanted })).toBe('Basic realm="r", charset="UTF-8"');
  // The server lets no such name through; nor does this.
  expect(challengeFor({ url, service: "r", wanted: { action: "pull", repository: 'a",x="' } })).not.toContain("x=");
});

test("A6: one Basic or Bearer credential is read", () => {
  const of = (text: string) => parseAuthorization(`Basic ${Buffer.from(text).toString("base64")}`);
  expect(of("ada:pass:word")).toEqual({ kind: "basic", user: "ada", password: "pass:word" });
  expect(parseAuthorization("bearer abc.def.ghi")).toEqual({ kind: "bearer", token: "abc.def.ghi" });
});

test.each([
  "",
  "Basic",
  "Basic  YTpi",
  "Basic YTpi, Bearer x",
  "Digest x",
  "Basic YTp",
  "Basic YTpi=",
  `Basic ${Buffer.from("nocolon").toString("base64")}`,
  `Basic ${Buffer.from(":password").toString("base64")}`,
  `Basic ${Buffer.from("a:b\nc").toString("base64")}`,
  `Basic ${Buffer.of(0xff, 0x3a, 0x61).toString("base64")}`,
  "Bearer a b",
  `Bearer ${"a".repeat(8192)}`,
])("A6: %j is none", (header) => {
  expect(() => parseAuthorization(header)).toThrow(refusal("REGISTRY_AUTH_HEADER_INVALID"));
});
