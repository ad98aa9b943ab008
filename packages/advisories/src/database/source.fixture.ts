import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { onTestFinished } from "vitest";
import type { AdvisorySourceKind } from "../importers/importer.ts";
import { type CompiledDatabase, type CompileOptions, compileDatabase } from "./compile.ts";
import type { SourcePart } from "./footer.ts";
import { type CompiledAdvisoryDatabase, openAdvisoryDatabase } from "./open.ts";

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

/** The clock of these tests. */
export const testClock = fixedClock("2026-02-01T00:00:00Z");

/** A database that was compiled for one test, open. */
export interface ScratchDatabase extends CompiledDatabase {
  readonly database: CompiledAdvisoryDatabase;
  /** The one source's part. */
  readonly part: SourcePart;
}

/** Compiles one source of files and opens the result; it is closed when the test ends. */
export async function compileFiles(
  kind: AdvisorySourceKind,
  files: Readonly<Record<string, unknown>>,
  options: Partial<CompileOptions> = {},
): Promise<ScratchDatabase> {
  const directory = scratchDirectory();
  const path = writeFiles(join(directory, "source"), files);
  const compiled = await compileDatabase({
    ...{ sources: [{ name: "source", kind, path }], directory: join(directory, "out"), clock: testClock },
    ...options,
  });
  const database = openAdvisoryDatabase(compiled.path, { digest: compiled.digest });
  onTestFinished(() => database.close());
  return { ...compiled, database, part: compiled.footer.sources[0] as SourcePart };
}
