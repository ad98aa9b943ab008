import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory of one test, deleted when it ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-advisories-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes files below a directory; objects become JSON. */
export function writeFiles(directory: string, files: Readonly<Record<string, unknown>>): string {
  for (const [path, content] of Object.entries(files)) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    const isRaw = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(target, isRaw ? content : JSON.stringify(content));
  }
  return directory;
}

/** A record of the OSV schema. */
export function osvRecord(id: string, members: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    schema_version: "1.7.0",
    id,
    modified: "2026-01-02T03:04:05Z",
    published: "2026-01-01T00:00:00Z",
    aliases: [],
    summary: `Flaw ${id}`,
    affected: [affectedPackage("npm", "left")],
    ...members,
  };
}

/** One affected package, below version 2.0.0. */
export function affectedPackage(
  ecosystem: string,
  name: string,
  members: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const type = ["npm", "Go", "crates.io"].includes(ecosystem) ? "SEMVER" : "ECOSYSTEM";
  return {
    package: { ecosystem, name },
    ranges: [{ type, events: [{ introduced: "0" }, { fixed: "2.0.0" }] }],
    ...members,
  };
}
