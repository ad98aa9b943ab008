import { expect, test } from "vitest";
import { checkLockfile, checkManifests } from "./lockfile.ts";

function messages(packages: Record<string, unknown>): string[] {
  return checkLockfile(JSON.stringify({ packages })).map((finding) => finding.message);
}

test("K1: the lockfile of this repository is in order", () => {
  expect(checkLockfile()).toEqual([]);
  expect(checkManifests()).toEqual([]);
});

test("K1: a package without digest, with an address or with an install script is found", () => {
  expect(messages({ "node_modules/a": { version: "1.0.0" } })).toEqual([expect.stringMatching(/sha512/)]);
  expect(messages({ "node_modules/a": { integrity: "sha1-x" } })).toEqual([expect.stringMatching(/sha512/)]);
  const locked = { integrity: "sha512-x" };
  expect(messages({ "node_modules/a": { ...locked, resolved: "https://example.com/a.tgz" } })).toHaveLength(1);
  expect(messages({ "node_modules/a": { ...locked, hasInstallScript: true } })).toHaveLength(1);
  expect(messages({ "node_modules/a": locked })).toEqual([]);
});

test("K1: only what fits no system may be without a digest", () => {
  expect(messages({ "node_modules/a": { optional: true, os: ["none"] } })).toEqual([]);
  expect(messages({ "node_modules/a": { optional: true, os: ["linux"] } })).toHaveLength(1);
});
