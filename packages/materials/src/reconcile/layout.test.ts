import fc from "fast-check";
import { expect, test } from "vitest";
import { claimsOf } from "./layout.ts";

test.each([
  [
    "npm",
    "/work/source/node_modules/left-pad/index.js",
    { name: "left-pad", place: "/work/source/node_modules/left-pad" },
  ],
  ["npm", "node_modules/@scope/a/node_modules/b/x.js", { name: "b", place: "node_modules/@scope/a/node_modules/b" }],
  ["npm", "node_modules/@scope/a/x.js", { name: "@scope/a", place: "node_modules/@scope/a" }],
  [
    "npm",
    "/w/node_modules/.pnpm/@babel+core@7.1.0_x@1/node_modules/@babel/core/a.js",
    { name: "@babel/core", version: "7.1.0" },
  ],
  ["npm", "/w/node_modules/.pnpm/a@1.0.0(b@2.0.0)/node_modules/a/a.js", { name: "a", version: "1.0.0" }],
  ["npm", "/w/.yarn/cache/left-pad-npm-1.3.0-7a4a5a5a5a-8.zip", { name: "left-pad", version: "1.3.0" }],
  ["npm", "/w/.yarn/unplugged/a-b-npm-1.0.0-beta.1-0123456789/node_modules/a-b/x", { name: "a-b" }],
  ["pypi", "/v/lib/python3.11/site-packages/Some_Pkg-1.2.dist-info/RECORD", { name: "Some_Pkg", version: "1.2" }],
  ["pypi", "/v/lib/python3.11/site-packages/pkg/mod.py", { member: "pkg/mod.py" }],
  ["pypi", "/v/site-packages/pkg/__pycache__/mod.cpython-311.pyc", { member: "pkg/mod.py" }],
  [
    "golang",
    "/go/pkg/mod/github.com/!burnt!sushi/toml@v1.4.0/doc.go",
    { name: "github.com/BurntSushi/toml", version: "v1.4.0" },
  ],
  [
    "golang",
    "/go/pkg/mod/cache/download/golang.org/x/mod/@v/v0.9.0.zip",
    { name: "golang.org/x/mod", version: "v0.9.0" },
  ],
  ["cargo", "/c/registry/src/index-0123/serde-1.0.2/src/lib.rs", { name: "serde", version: "1.0.2" }],
  ["cargo", "/c/registry/cache/index-0123/a-b-1.0.0-rc.1.crate", { name: "a-b", version: "1.0.0-rc.1" }],
  ["cargo", "/c/git/checkouts/thing-0011/abcdef0/src/lib.rs", { commit: "abcdef0" }],
  [
    "maven",
    "/m/repository/org/slf4j/slf4j-api/2.0.7/slf4j-api-2.0.7.jar",
    { name: "org.slf4j:slf4j-api", version: "2.0.7" },
  ],
  ["deb", "/d/archives/zlib1g_1%3a1.2.13-1_amd64.deb", { name: "zlib1g", version: "1:1.2.13-1" }],
  ["cargo", "/w/vendor/serde-1.0.2/src/lib.rs", { name: "serde", version: "1.0.2" }],
])("R3: a path of %s is read: %s", (ecosystem, path, claim) => {
  expect(claimsOf(path)[0]).toMatchObject({ ecosystem, ...claim });
});

test("R3: where a place is ambiguous, each reading is a claim: hyphens of yarn's scopes, vendored modules and crates", () => {
  const names = claimsOf("/w/.yarn/cache/@a-b-c-npm-1.0.0-0123456789-8.zip").map((claim) => claim.name);
  expect(names).toEqual(["@a/b-c", "@a-b/c"]);
  expect(claimsOf("/w/vendor/golang.org/x/mod/x.go").map((claim) => `${claim.ecosystem} ${claim.name}`)).toEqual([
    "cargo golang.org",
    "golang golang.org/x/mod",
    "golang golang.org/x",
    "golang golang.org",
  ]);
});

test.each([
  "node_modules/.bin/tsc",
  "node_modules/.package-lock.json",
  "src/index.ts",
  "my_node_modules/a/b",
  "vendor/modules.txt",
  "/go/pkg/mod/cache/lock",
  "",
])("R3: %j says nothing", (path) => {
  expect(claimsOf(path)).toEqual([]);
});

test("R3: no path, however written, is too much: an answer, and few claims", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "node_modules",
      ".pnpm",
      "@",
      "@v",
      "vendor",
      "pkg",
      "mod",
      "site-packages",
      "repository",
      "..",
      "",
    ),
    fc.string({ maxLength: 12 }),
    fc.constantFrom("a@1.0.0_b", "serde-1.0.0", "x_1_amd64.deb", "a-npm-1-0123456789", "-".repeat(200)),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      expect(claimsOf(parts.join("/")).length).toBeLessThanOrEqual(300);
    }),
  );
});
