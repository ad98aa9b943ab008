import { expect, test } from "vitest";
import type { EcosystemRequest } from "../ecosystem.ts";
import { npm } from "./npm.ts";

const upstream = { name: "own", ecosystem: "npm", url: "https://registry.test/npm/", exclusive: [], order: 0 } as const;

function classify(path: string, method: EcosystemRequest["method"] = "GET") {
  const url = new URL(path, "https://registry.test/npm/");
  const facts = npm.classify({ method, url, headers: {} }, upstream);
  if (facts === undefined) return undefined;
  const { kind, name, version, fileName, immutable } = facts;
  return [kind, name ?? "-", version ?? "-", fileName ?? "-", immutable ? "immutable" : "mutable"].join(" ");
}

test.each([
  ["is-odd", "index is-odd - - mutable"],
  ["JSONStream", "index JSONStream - - mutable"],
  ["@babel/core", "index @babel/core - - mutable"],
  ["@babel%2fcore", "index @babel/core - - mutable"],
  ["@babel%2Fcore", "index @babel/core - - mutable"],
  ["%40babel%2fcore", "index @babel/core - - mutable"],
  ["is-odd/3.0.1", "metadata is-odd 3.0.1 - mutable"],
  ["is-odd/latest", "metadata is-odd - - mutable"],
  ["@babel/core/7.0.0-beta.4", "metadata @babel/core 7.0.0-beta.4 - mutable"],
  ["is-odd/-/is-odd-3.0.1.tgz", "archive is-odd 3.0.1 is-odd-3.0.1.tgz immutable"],
  ["@babel/core/-/core-7.0.0.tgz", "archive @babel/core 7.0.0 core-7.0.0.tgz immutable"],
  ["@babel%2fcore/-/core-7.0.0.tgz", "archive @babel/core 7.0.0 core-7.0.0.tgz immutable"],
  ["@babel/core/-/@babel/core-7.0.0.tgz", "archive @babel/core 7.0.0 core-7.0.0.tgz immutable"],
  ["a/-/b-1.0.0.tgz", "archive a - b-1.0.0.tgz immutable"],
  ["-/ping", "chatter - - - mutable"],
  ["-/v1/search?text=a", "chatter - - - mutable"],
  ["", "chatter - - - mutable"],
  ["-/npm/v1/keys", "signature - - - mutable"],
  ["-/npm/v1/attestations/@babel%2fcore@7.0.0", "signature @babel/core 7.0.0 - mutable"],
  ["-/package/@babel%2fcore/dist-tags", "index @babel/core - - mutable"],
])("E1: %s is read", (path, expected) => {
  expect(classify(path)).toBe(expected);
  expect(classify(path, "HEAD")).toBe(expected);
});

test("E1: package URLs name what was asked", () => {
  const url = new URL("https://registry.test/npm/@babel%2fcore/-/core-7.0.0.tgz");
  expect(npm.classify({ method: "GET", url, headers: {} }, upstream)?.purl).toBe("pkg:npm/%40babel/core@7.0.0");
});

test.each([
  "is%2fodd",
  "is-odd/",
  "is-odd//-/is-odd-3.0.1.tgz",
  "@babel%2f..%2fcore",
  "@babel%252fcore",
  "@babel%5ccore",
  "@babel",
  "is-odd%00",
  "is-odd?write=true",
  "is-odd/-/is-odd-3.0.1.tgz?token=x",
  "is-odd/-rev/1-a",
  "is-odd/-/is-odd-3.0.1.tar",
  "is-odd/-/x/is-odd-3.0.1.tgz",
  "-/user/org.couchdb.user:me",
  "-/npm/v1/tokens",
  "-/npm/v1/attestations/is-odd@latest",
  "_all_docs",
  ".hidden",
  "a".repeat(215),
  "https://registry.test/is-odd",
  "https://registry.test:8443/npm/is-odd",
  "http://registry.test/npm/is-odd",
  "https://other.test/npm/is-odd",
  "https://me:secret@registry.test/npm/is-odd",
])("E1: %s is not read", (path) => {
  expect(classify(path)).toBeUndefined();
});

test("E1: a body goes to the advisories alone", () => {
  expect(classify("-/npm/v1/security/advisories/bulk", "POST")).toBe("chatter - - - mutable");
  expect(classify("-/npm/v1/security/advisories/bulk")).toBeUndefined();
  for (const path of ["is-odd", "-/npm/v1/keys", "is-odd/-/is-odd-3.0.1.tgz"])
    expect(classify(path, "POST")).toBeUndefined();
});
