import { spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type PackedFile, tarball } from "./tarball.ts";

const file = fc.record({
  path: fc.stringMatching(/^[a-z]{1,20}(\/[a-z]{1,20})?$/),
  content: fc.uint8Array({ maxLength: 2000 }),
  executable: fc.boolean(),
});
const files = fc.uniqueArray(file, { selector: (entry) => entry.path, maxLength: 6 });

test("P1: the order of the files does not matter", () => {
  fc.assert(
    fc.property(files, (entries) => {
      expect(tarball([...entries].reverse())).toEqual(tarball(entries));
    }),
  );
});

test("P2: gzip reads what was packed, also beyond one stored block", () => {
  const content = Buffer.alloc(200_000, "touchmark");
  const archive = gunzipSync(tarball([{ path: "a", content, executable: false }]));
  expect(archive.subarray(512, 512 + content.length).equals(content)).toBe(true);
});

const hasTar = spawnSync("tar", ["--version"]).status === 0;

test.skipIf(!hasTar)("P2: tar lists names, sizes and modes below package/", () => {
  const entries: PackedFile[] = [
    { path: "bin/touchmark", content: Buffer.from("#!/bin/sh\n"), executable: true },
    { path: "package.json", content: Buffer.from("{}"), executable: false },
  ];
  const listing = spawnSync("tar", ["-tvzf", "-"], { input: tarball(entries), encoding: "utf8" });
  expect(listing.stderr).toBe("");
  expect(listing.stdout).toMatch(
    /^-rwxr-xr-x .* 10 .* package\/bin\/touchmark\n-rw-r--r-- .* 2 .* package\/package.json\n$/,
  );
});

test("P2: a path that the format cannot hold is refused", () => {
  expect(() => tarball([{ path: "a".repeat(120), content: new Uint8Array(), executable: false }])).toThrow(
    /at most 100 bytes/,
  );
});
