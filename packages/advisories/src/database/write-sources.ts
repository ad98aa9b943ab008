import { isFactoryError } from "@touchmark/core";
import { importers } from "../importers/index.ts";
import { openSourceFiles } from "../importers/source-files.ts";
import type { AdvisorySourceInput, CompileOptions } from "./compile.ts";
import { type DatabaseFile, encodeRow } from "./database-file.ts";
import { magic, type SourcePart } from "./footer.ts";
import { importSource } from "./import-source.ts";
import type { Output } from "./output.ts";
import { checkProgress } from "./progress.ts";
import { type Row, recordOf, rowKeys } from "./row.ts";
import { Spool } from "./spool.ts";

/** A source that was not taken, and why. */
export interface SourceFailure {
  readonly source: string;
  readonly code: string;
  readonly message: string;
}

/** Where the rows of one compilation go. */
export interface WriteTarget {
  readonly output: Output;
  /** Path of a file for rows that wait. */
  readonly spool: string;
  readonly compiledAt: string;
  readonly previous?: DatabaseFile;
  /** Parts of sources that did not change. */
  readonly known: ReadonlyMap<string, SourcePart>;
}

/** What was written: parts of sources, and what leads to their rows. */
export interface WrittenSources {
  readonly sources: readonly SourcePart[];
  readonly failures: readonly SourceFailure[];
  readonly keys: ReadonlyMap<string, readonly number[]>;
  readonly ecosystems: readonly (readonly [string, number])[];
}

/** Writes the rows of every source, in order of the sources' names. */
export async function writeSources(options: CompileOptions, target: WriteTarget): Promise<WrittenSources> {
  const { output, previous } = target;
  output.write(magic);
  output.partDigest();
  const index = new KeyIndex();
  const sources: SourcePart[] = [];
  const failures: SourceFailure[] = [];
  const inputs = new Map(options.sources.map((input) => [input.name, input]));
  const kept = (options.kept ?? []).filter((name) => !inputs.has(name));
  for (const name of [...inputs.keys(), ...kept].sort()) {
    options.signal?.throwIfAborted();
    const before = previous?.footer.sources.find((each) => each.name === name);
    const input = inputs.get(name);
    const keep = (part = before): void => {
      if (previous !== undefined && part !== undefined) sources.push(copy(previous, part, output, index));
    };
    if (input === undefined) {
      keep();
      continue;
    }
    try {
      const unchanged = target.known.get(name);
      if (unchanged !== undefined) keep(unchanged);
      else sources.push(await readSource(input, before, options, target, index));
      options.onProgress?.({ source: name, state: unchanged === undefined ? "read" : "unchanged" });
    } catch (error) {
      if (options.tolerant !== true || !isFactoryError(error) || error.nature === "bug") throw error;
      failures.push({ source: name, code: error.code, message: error.message });
      keep();
    }
  }
  return { sources, failures, keys: index.offsets, ecosystems: index.ecosystems() };
}

/** Parts of sources that have the same bytes as in the previous database. What can not be read is told of later. */
export function unchangedParts(
  options: CompileOptions,
  previous: DatabaseFile | undefined,
): ReadonlyMap<string, SourcePart> {
  const parts = new Map<string, SourcePart>();
  for (const input of options.sources) {
    const before = previous?.footer.sources.find(({ name }) => name === input.name);
    try {
      const part = unchangedPart(input, before, options);
      if (part !== undefined) parts.set(input.name, part);
    } catch (error) {
      if (!isFactoryError(error)) throw error;
    }
  }
  return new Map([...parts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The part as it was, when the source has the same bytes and would be read in the same way. */
function unchangedPart(
  input: AdvisorySourceInput,
  before: SourcePart | undefined,
  options: CompileOptions,
): SourcePart | undefined {
  const importer = importers[input.kind];
  if (before?.kind !== input.kind || before.importer !== importer.version || options.again === true) return undefined;
  if (openSourceFiles(input.path, importer).digest() !== before.digest) return undefined;
  const { licence: _, ...rest } = before;
  return { ...rest, ...originOf(input) };
}

async function readSource(
  input: AdvisorySourceInput,
  before: SourcePart | undefined,
  options: CompileOptions,
  { output, spool: spoolPath, compiledAt }: WriteTarget,
  index: KeyIndex,
): Promise<SourcePart> {
  const importer = importers[input.kind];
  const spool = new Spool(spoolPath);
  try {
    const now = options.clock.now();
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    const { rows, ...read } = await importSource(input.path, importer, spool, { now, ...signal });
    const count = (kind: Row["kind"]): number => rows.filter((row) => row.kind === kind).length;
    const part = {
      ...{ name: input.name, kind: input.kind, importer: importer.version, importedAt: compiledAt },
      ...originOf(input),
      ...read,
      ...{ advisories: count("advisory"), exploitations: count("exploitation"), endsOfLife: count("end-of-life") },
    };
    if (options.allowRollback !== true) checkProgress(part, before, options.newest?.[input.name]);
    const offset = output.position;
    for (const row of rows) {
      index.add(row.keys, output.position);
      output.write(spool.read(row));
    }
    return { ...part, region: { offset, length: output.position - offset, digest: output.partDigest() } };
  } finally {
    spool.close();
  }
}

function originOf({ origin, path, licence }: AdvisorySourceInput): Pick<SourcePart, "origin" | "licence"> {
  return { origin: origin ?? path, ...(licence === undefined ? {} : { licence }) };
}

/** The same rows at another place. */
function copy(from: DatabaseFile, source: SourcePart, output: Output, index: KeyIndex): SourcePart {
  const offset = output.position;
  for (const { kind, bytes } of from.rows(source)) {
    index.add([...rowKeys({ kind, record: recordOf(bytes) } as Row)], output.position);
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
