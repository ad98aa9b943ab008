import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { npmLock } from "./fixture.ts";
import { openPackageMemory, packageOf } from "./package-memory.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-memory-"));
afterAll(() => rmSync(directory, { recursive: true }));

const version = (name: string, publisher: string) => ({
  ...{ version: name, admittedAt: "2026-11-21T12:00:00Z", publisher, evidence: [], installScripts: false },
  upstream: "own",
});

test("S8: the first word about a version stays, and another process reads the same", () => {
  const pad = packageOf("pkg:npm/pad@1.0.0?x=y");
  const memory = openPackageMemory(directory);
  expect(memory.historyOf(pad)).toEqual({ package: "pkg:npm/pad", versions: [] });
  memory.remember(pad, version("1.0.0", "ada"));
  memory.remember(pad, version("1.0.0", "mallory"));
  memory.remember(pad, version("1.1.0", "ada"));
  expect(openPackageMemory(directory).historyOf(pad).versions).toEqual([]);
  memory.save();
  const read = openPackageMemory(directory).historyOf(pad);
  const late = openPackageMemory(directory);
  late.remember(pad, version("2.0.0", "ada"));
  openPackageMemory(directory).save();
  late.save();
  expect(openPackageMemory(directory).historyOf(pad).versions).toHaveLength(3);
  expect(read.versions.map((each) => [each.version, each.publisher])).toEqual([
    ["1.0.0", "ada"],
    ["1.1.0", "ada"],
  ]);
});

test("S8: names of lockfiles are learned; a damaged memory makes a package new", () => {
  const memory = openPackageMemory(directory);
  memory.learn([npmLock("pad", "1.0.0", []), npmLock("left", "1.0.0", [])]);
  expect(openPackageMemory(directory).knownNames("npm")).toEqual(["left", "pad"]);
  const history = join(directory, "history");
  for (const name of readdirSync(history, { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".json")) writeFileSync(join(history, name), '{"packages":{"pkg:npm/pad":[]}}');
  expect(openPackageMemory(directory).historyOf("pkg:npm/pad").versions).toEqual([]);
});
