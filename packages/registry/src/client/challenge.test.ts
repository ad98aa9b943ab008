import { expect, test } from "vitest";
import { parseChallenge } from "./challenge.ts";

test("C1: a challenge names its scheme and parameters, in any order and spelling that HTTP allows", () => {
  expect(
    parseChallenge('Bearer realm="https://auth.example/token",service="registry.example",scope="a:b:c,d"'),
  ).toEqual({
    scheme: "bearer",
    realm: new URL("https://auth.example/token"),
    service: "registry.example",
    scope: "a:b:c,d",
  });
  expect(parseChallenge('bearer realm = "x"'.replace(" = ", "=").replace("x", "https://a.example/"))).toMatchObject({
    scheme: "bearer",
  });
  expect(parseChallenge('Basic realm="say \\"hello\\""')).toEqual({ scheme: "basic" });
  expect(parseChallenge('Basic realm="a, b", Bearer realm="https://auth.example/"')).toMatchObject({
    scheme: "bearer",
  });
  expect(parseChallenge("Negotiate, Basic")).toEqual({ scheme: "basic" });
});

test.each([
  [undefined],
  [""],
  ["Negotiate"],
  ["Bearer"],
  ['Bearer realm=""'],
  ['Bearer realm="/token"'],
  ['Bearer realm="https://a.example/ b"'],
  ['Bearer realm="https://a.example/'],
  ['Bearer realm="https://a.example/",realm="https://b.example/"'],
  ['Bearer realm="https://a.example/" service="x"'],
  ["Bearer realm="],
  ["=x"],
  [`Bearer realm="https://a.example/${"a".repeat(5000)}"`],
  [`Bearer ${Array.from({ length: 20 }, (_, i) => `p${i}=1`).join(",")}`],
  [Array.from({ length: 20 }, () => "Basic").join(", ")],
])("C1: %j is no challenge", (header) => {
  expect(() => parseChallenge(header)).toThrow(expect.objectContaining({ code: "OCI_CLIENT_CHALLENGE_MALFORMED" }));
});
