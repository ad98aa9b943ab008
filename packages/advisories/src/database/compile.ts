import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, canonicalJson, type Digest, digestHex } from "@touchmark/core";
import type { AdvisoryDataFacts } from "@touchmark/formats/findings";
import type { AdvisorySourceKind } from "../importers/importer.ts";
import { type DatabaseFile, openDatabaseFile } from "./database-file.ts";
import { type Footer, magic, type SourcePart } from "./footer.ts";
import { factsOf } from "./open.ts";
import { Output } from "./output.ts";
import { writeTable } from "./table.ts";
import { type SourceFailure, unchangedParts, writeSources } from "./write-sources.ts";

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
  /** Date of the newest record ever read, by source: older ones are refused even when `previous` is gone. */
  readonly newest?: Readonly<Record<string, string>>;
  /** Accept sources that are older or much smaller than before. */
  readonly allowRollback?: boolean;
  /** Read every source again, whatever did not change. */
  readonly again?: boolean;
  /** A source that cannot be taken stays as it was, and is told of, instead of ending it all. */
  readonly tolerant?: boolean;
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
  /** Sources that were not taken, when the compiler is tolerant. */
  readonly failures: readonly SourceFailure[];
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
    const known = unchangedParts(options, previous);
    const stay = (failures: readonly SourceFailure[]): CompiledDatabase | undefined => {
      if (previous === undefined) return undefined;
      output.abandon();
      const { path, digest, footer } = previous;
      return { path, digest, footer, facts: factsOf(previous), isNew: false, failures };
    };
    if (previous !== undefined && isWhole(options, known, previous)) {
      for (const { name } of options.sources) options.onProgress?.({ source: name, state: "unchanged" });
      return stay([]) as CompiledDatabase;
    }
    const { sources, failures, keys, ecosystems } = await writeSources(options, {
      ...{ output, compiledAt, spool: `${temporary}.rows`, known },
      ...(previous === undefined ? {} : { previous }),
    });
    const same = previous !== undefined && isSame(sources, previous.footer.sources) ? stay(failures) : undefined;
    if (same !== undefined) return same;
    const pages = writeTable(keys, output);
    const footer: Footer = { compiledAt, ecosystems, sources, pages };
    const digest = finish(output, footer);
    const path = join(options.directory, databaseName(digest));
    chmodSync(temporary, 0o400);
    renameSync(temporary, path);
    return { path, digest, footer, facts: factsOf({ digest, footer }), isNew: true, failures };
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

/** True when every source of the previous database is there, and nothing else, each as it was. */
function isWhole(
  { sources, kept = [] }: CompileOptions,
  known: ReadonlyMap<string, SourcePart>,
  { footer }: DatabaseFile,
): boolean {
  const names = new Set([...sources.map(({ name }) => name), ...kept]);
  return (
    sources.every(({ name }) => known.has(name)) &&
    footer.sources.every(({ name }) => names.has(name)) &&
    isSame(
      [...known.values()],
      footer.sources.filter(({ name }) => known.has(name)),
    )
  );
}

/** True when the sources are the same ones, by everything but their place in the file and the time of reading. */
function isSame(now: readonly SourcePart[], before: readonly SourcePart[]): boolean {
  const facts = (parts: readonly SourcePart[]): string =>
    canonicalJson(parts.map(({ importedAt: _, region, ...rest }) => ({ ...rest, region: region.digest })));
  return facts(now) === facts(before);
}
