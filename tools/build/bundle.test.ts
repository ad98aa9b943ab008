import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryRoot } from "../repository.ts";
import { bundle } from "./bundle.ts";

const directories = [1, 2].map((n) => mkdtempSync(join(tmpdir(), `touchmark-bundle-${n}-`)));
const [first = "", second = ""] = directories;

beforeAll(async () => {
  for (const directory of directories) await bundle(directory);
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

function digests(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map(
      (name) =>
        `${name} ${createHash("sha256")
          .update(readFileSync(join(directory, name)))
          .digest("hex")}`,
    );
}

test("P1: the same sources give the same bundle", () => {
  expect(digests(first)).toEqual(digests(second));
});

test("P1: nothing of this machine is in the bundle", () => {
  for (const name of readdirSync(first)) {
    const text = readFileSync(join(first, name), "utf8");
    expect(text).not.toContain(repositoryRoot);
  }
});

test("P3: what every start loads is small, whatever the commands need", () => {
  const loaded = new Set<string>();
  const waiting = ["main.js"];
  for (const name of waiting) {
    if (loaded.has(name)) continue;
    loaded.add(name);
    const text = readFileSync(join(first, name), "utf8");
    for (const [, next = ""] of text.matchAll(/^(?:import|export)\b[^;]*?"\.\/([^"]+)";/gm)) waiting.push(next);
  }
  const bytes = [...loaded].reduce((sum, name) => sum + readFileSync(join(first, name)).length, 0);
  expect(loaded.size).toBeLessThanOrEqual(2);
  expect(bytes).toBeLessThan(32_768);
});

test("P4: the licences of all bundled packages are carried along", () => {
  const licences = readFileSync(join(first, "LICENSES.txt"), "utf8");
  for (const name of ["commander", "yaml", "zod"])
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
});
