import { sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { recordedUrl, recordKey, variantOf } from "./record-key.ts";

const url = "http://127.0.0.1:4873/pewter";

test("M1: a key depends on method, address and variant, and on nothing else", () => {
  const key = recordKey("GET", url, {});
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  for (const headers of [
    { accept: "*/*" },
    { accept: "application/json" },
    { range: "bytes=0-9" },
    { "user-agent": "npm" },
    { "git-protocol": "" },
  ]) {
    expect(recordKey("GET", url, headers)).toBe(key);
  }
  const others = [
    recordKey("HEAD", url, {}),
    recordKey("GET", `${url}?x`, {}),
    recordKey("GET", url, { accept: "application/vnd.npm.install-v1+json" }),
    recordKey("GET", url, { "git-protocol": "version=2" }),
    recordKey("POST", url, {}, Buffer.from("a")),
    recordKey("POST", url, {}, Buffer.from("b")),
  ];
  expect(new Set([key, ...others]).size).toBe(7);
});

test("M1: a variant gives the key again that its headers gave", () => {
  const text = fc.constantFrom(
    "",
    "*/*",
    "text/html;q=0.1",
    "application/vnd.a+json;q=0.5",
    "Application/vnd.b",
    ",;=",
  );
  fc.assert(
    fc.property(fc.array(text), fc.option(fc.uint8Array({ maxLength: 5 })), (types, body) => {
      const headers = { accept: types.join(","), "git-protocol": "version=2" };
      const sent = body ?? undefined;
      const variant = variantOf(headers, sent);
      expect(recordKey("POST", url, variant)).toBe(recordKey("POST", url, headers, sent));
    }),
  );
  expect(variantOf({ accept: "application/vnd.a;q=0.1, application/vnd.b+json, text/html" })).toEqual({
    accept: "application/vnd.b+json,application/vnd.a",
  });
  expect(variantOf({}, Buffer.from("want"))).toEqual({ body: sha256("want") });
});

test("M2: user information, fragments and secrets of the query are not recorded", () => {
  expect(recordedUrl("http://me:word@127.0.0.1/a?b=1#c")).toBe("http://127.0.0.1/a?b=1");
  expect(recordedUrl("http://127.0.0.1/a?b=%20x&X-Amz-Signature=abc&access_token=d&c+d=e&api-key=f")).toBe(
    "http://127.0.0.1/a?b=%20x&X-Amz-Signature=-&access_token=-&c+d=e&api-key=-",
  );
  expect(recordedUrl("http://127.0.0.1/a?key=1&tokenised=2")).toBe("http://127.0.0.1/a?key=1&tokenised=2");
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (any) => {
      expect(recordedUrl(recordedUrl(any))).toBe(recordedUrl(any));
    }),
  );
});
