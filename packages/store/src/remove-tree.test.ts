import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeTree } from "./remove-tree.ts";
import { temporaryDirectory } from "./temporary-home.ts";

const linux = process.platform === "linux";

test("H7: a tree is deleted with links, unreadable directories and strange names, and nothing else", () => {
  const outside = temporaryDirectory();
  writeFileSync(join(outside, "kept"), "kept");
  const top = join(temporaryDirectory(), "top");
  mkdirSync(join(top, "a", "b"), { recursive: true });
  writeFileSync(join(top, "a", "b", "file"), "12345");
  linkSync(join(outside, "kept"), join(top, "hard"));
  symlinkSync(outside, join(top, "soft"));
  if (linux) mkdirSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from([0xff, 0xfe])]));
  chmodSync(join(top, "a", "b"), 0);
  expect(removeTree(top)).toBe(5);
  expect(existsSync(top)).toBe(false);
  expect(readFileSync(join(outside, "kept"), "utf8")).toBe("kept");
  expect(removeTree(top)).toBe(0);
});

test("H7: a tree nested deeper than a path can spell is deleted", () => {
  const base = temporaryDirectory();
  const top = join(base, "top");
  mkdirSync(top);
  // Built from the inside out, as a hostile step would with chdir: 60 × 200 bytes, three times PATH_MAX.
  for (let i = 0; i < 60; i++) {
    mkdirSync(join(base, "outer"));
    renameSync(top, join(base, "outer", "x".repeat(200)));
    renameSync(join(base, "outer"), top);
  }
  removeTree(top);
  expect(existsSync(top)).toBe(false);
});
