import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, canonicalJson, type Digest, digestHex } from "@touchmark/core";
import type { AdvisoryDataFacts } from "@touchmark/formats/findings";
import type { AdvisorySourceKind } from "../importers/importer.ts";
import { importers } from "../importers/index.ts";
import { openSourceFiles } from "../importers/source-files.ts";
import { type DatabaseFile, encodeRow, openDatabaseFile } from "./database-file.ts";
import { type Footer, magic, type SourcePart } from "./footer.ts";
import { importSource } from "./import-source.ts";
import { factsOf } from "./open.ts";
import { Output } from "./output.ts";
import { checkProgress } from "./progress.ts";
import { type Row, recordOf, rowKeys } from "./row.ts";
import { Spool } from "./spool.ts";
import { writeTable } from "./table.ts";

/** One source that a database is made from: bytes on this machine. */
export interface AdvisorySourceInput {
  /** Unique, kebab-case. */
  readonly name: string;
  readonly kind: AdvisorySourceKind;
  /** File or directory. */
  readonly path: string;
  /** Where its bytes came from, as configured; the path where nothing else is given. */
  readonly origin?: string;
  /** Licence of the data: an SPDX expression, or words. */
  readonly licence?: string;
}

/** How to compile. */
export interface CompileOptions {
  readonly sources: readonly AdvisorySourceInput[];
  /** Where databases lie, `HEX.advisories` each; made where it is not there. */
  readonly directory: string;
  readonly clock: Clock;
  /** The database in use: what did not change is copied from it, and nothing may be older than in it. */
  readonly previous?: string;
  /** Names of sources that stay as they are in the previous database; their bytes need not be there. */
  readonly kept?: readonly string[];
  /** Accept sources that are older or much smaller than before. */
  readonly allowRollback?: boolean;
  /** Read every source again, whatever did not change. */
  readonly again?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: { readonly source: string; readonly state: "unchanged" | "read" }) => void;
}

/** A database that was compiled, or found to be the previous one. */
export interface CompiledDatabase {
  readonly path: string;
  readonly digest: Digest;
  readonly facts: AdvisoryDataFacts;
  readonly footer: Footer;
  /** False when nothing differs from the previous one, which then stays. */
  readonly isNew: boolean;
}

/** Name of a database's file. */
export function databaseName(digest: Digest): string {
  return `${digestHex(digest)}.advisories`;
}

/**
 * Compiles sources to one file. The same bytes at the same time give the same file; sources that did not change since
 * the previous one are copied, not read. The file appears whole or not at all.
 * @throws ADVISORY_SOURCE_* | ADVISORY_FEED_ROLLBACK | ADVISORY_FEED_SHRUNK | ADVISORY_DATABASE_*
 */
export async function compileDatabase(options: CompileOptions): Promise<CompiledDatabase> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const previous = options.previous === undefined ? undefined : openDatabaseFile(options.previous);
  const temporary = join(options.directory, `.tmp-${randomBytes(6).toString("hex")}`);
  const output = new Output(temporary);
  try {
    const compiledAt = `${options.clock.now().toISOString().slice(0, 19)}Z`;
    const parts = await writeSources(options, previous, output, `${temporary}.rows`, compiledAt);
    if (previous !== undefined && isSame(parts.sources, previous.footer.sources)) {
      output.abandon();
      const { path, digest, footer } = previous;
      return { path, digest, footer, facts: factsOf(previous), isNew: false };
    }
    const pages = writeTable(parts.keys, output);
    const footer: Footer = { compiledAt, ecosystems: parts.ecosystems, sources: parts.sources, pages };
    const digest = finish(output, footer);
    const path = join(options.directory, databaseName(digest));
    chmodSync(temporary, 0o400);
    renameSync(temporary, path);
    return { path, digest, footer, facts: factsOf({ digest, footer }), isNew: true };
  } catch (cause) {
    output.abandon();
    throw cause;
  } finally {
    previous?.close();
    rmSync(`${temporary}.rows`, { force: true });
  }
}

function finish(output: Output, footer: Footer): Digest {
  const offset = output.position;
  const bytes = Buffer.from(canonicalJson(footer));
  output.write(bytes);
  const trailer = Buffer.alloc(12);
  trailer.writeBigUInt64LE(BigInt(offset), 0);
  trailer.writeUInt32LE(bytes.length, 8);
  output.write(trailer);
  output.write(magic);
  return output.finish();
}

interface Written {
  readonly sources: readonly SourcePart[];
  readonly keys: ReadonlyMap<string, readonly number[]>;
  readonly ecosystems: readonly (readonly [string, number])[];
}

async function writeSources(
  options: CompileOptions,
  previous: DatabaseFile | undefined,
  output: Output,
  spoolPath: string,
  compiledAt: string,
): Promise<Written> {
  output.write(magic);
  output.partDigest();
  const index = new KeyIndex();
  const sources: SourcePart[] = [];
  const inputs = new Map(options.sources.map((input) => [input.name, input]));
  const kept = (options.kept ?? []).filter((name) => !inputs.has(name));
  for (const name of [...inputs.keys(), ...kept].sort()) {
    options.signal?.throwIfAborted();
    const before = previous?.footer.sources.find((each) => each.name === name);
    const input = inputs.get(name);
    if (input === undefined) {
      if (previous !== undefined && before !== undefined) sources.push(copy(previous, before, output, index));
      continue;
    }
    const importer = importers[input.kind];
    const facts = {
      origin: input.origin ?? input.path,
      ...(input.licence === undefined ? {} : { licence: input.licence }),
    };
    const isComparable = before?.kind === input.kind && before.importer === importer.version && options.again !== true;
    if (previous !== undefined && before !== undefined && isComparable) {
      if (openSourceFiles(input.path, importer).digest() === before.digest) {
        const { licence: _, ...rest } = before;
        sources.push(copy(previous, { ...rest, ...facts }, output, index));
        options.onProgress?.({ source: name, state: "unchanged" });
        continue;
      }
    }
    const spool = new Spool(spoolPath);
    try {
      const now = options.clock.now();
      const { rows, ...read } = await importSource(input.path, importer, spool, { now, ...signalOf(options) });
      const counts = { advisory: 0, exploitation: 0, "end-of-life": 0 };
      const offset = output.position;
      for (const row of rows) {
        counts[row.kind]++;
        index.add(row.keys, output.position);
        output.write(spool.read(row));
      }
      const part: SourcePart = {
        ...{ name, kind: input.kind, importer: importer.version, importedAt: compiledAt, ...facts, ...read },
        ...{ advisories: counts.advisory, exploitations: counts.exploitation, endsOfLife: counts["end-of-life"] },
        region: { offset, length: output.position - offset, digest: output.partDigest() },
      };
      if (before !== undefined && options.allowRollback !== true) checkProgress(part, before);
      sources.push(part);
      options.onProgress?.({ source: name, state: "read" });
    } finally {
      spool.close();
    }
  }
  return { sources, keys: index.offsets, ecosystems: index.ecosystems() };
}

function signalOf({ signal }: CompileOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The same rows at another place. */
function copy(from: DatabaseFile, source: SourcePart, output: Output, index: KeyIndex): SourcePart {
  const offset = output.position;
  for (const { kind, bytes } of from.rows(source)) {
    const row = { kind, record: recordOf(bytes) } as Row;
    index.add([...rowKeys(row)], output.position);
    output.write(encodeRow(kind, bytes));
  }
  return { ...source, region: { offset, length: output.position - offset, digest: output.partDigest() } };
}

/** Offsets by key, as rows are written; and how many advisories each ecosystem has. */
class KeyIndex {
  readonly offsets = new Map<string, number[]>();
  readonly #counts = new Map<string, number>();

  add(keys: readonly string[], offset: number): void {
    const ecosystems = new Set<string>();
    for (const key of keys) {
      const held = this.offsets.get(key);
      if (held === undefined) this.offsets.set(key, [offset]);
      else held.push(offset);
      if (key.startsWith("P")) ecosystems.add(key.slice(1, key.indexOf("\u0000")));
    }
    for (const ecosystem of ecosystems) this.#counts.set(ecosystem, (this.#counts.get(ecosystem) ?? 0) + 1);
  }

  ecosystems(): readonly (readonly [string, number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** True when the sources are the same ones, by everything but their place in the file. */
function isSame(now: readonly SourcePart[], before: readonly SourcePart[]): boolean {
  const facts = (parts: readonly SourcePart[]): string =>
    canonicalJson(parts.map(({ importedAt: _, region, ...rest }) => ({ ...rest, region: region.digest })));
  return facts(now) === facts(before);
}
