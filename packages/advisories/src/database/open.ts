import type { Digest } from "@touchmark/core";
import type { AdvisoryDataFacts } from "@touchmark/formats/findings";
import type { Advisory, AdvisoryDatabase, Exploitation } from "../advisory.ts";
import { type DatabaseFile, openDatabaseFile, type StoredRow } from "./database-file.ts";
import type { Footer, SourcePart } from "./footer.ts";
import {
  advisoryOf,
  type EndOfLifeRecord,
  type ExploitationRecord,
  endOfLifeKey,
  exploitationKey,
  idKey,
  packageKey,
  recordOf,
} from "./row.ts";
import { offsetsOn, pageOf, readPages } from "./table.ts";

/** How to open a database. */
export interface OpenDatabaseOptions {
  /** SHA-256 that the file must have. */
  readonly digest?: Digest;
}

/** A compiled database, with what its sources say of themselves. */
export interface CompiledAdvisoryDatabase extends AdvisoryDatabase {
  readonly path: string;
  readonly bytes: number;
  readonly footer: Footer;
  /** Rows of a source, in order of their names. @throws ADVISORY_DATABASE_MALFORMED */
  rows(source: SourcePart): Iterable<StoredRow>;
}

/** Answers that are kept for the next question: many packages of a distribution have one source. */
const keptAnswers = 2048;
const keptPages = 256;

/**
 * Opens a compiled database. The whole file is hashed; then only what is asked for is read.
 * @throws ADVISORY_DATABASE_MISSING | ADVISORY_DATABASE_MALFORMED | ADVISORY_DATABASE_DIGEST
 */
export function openAdvisoryDatabase(path: string, options: OpenDatabaseOptions = {}): CompiledAdvisoryDatabase {
  const file = openDatabaseFile(path, options.digest);
  try {
    return databaseOf(file);
  } catch (cause) {
    file.close();
    throw cause;
  }
}

function databaseOf(file: DatabaseFile): CompiledAdvisoryDatabase {
  const { footer } = file;
  const pages = readPages(file.read(footer.pages.offset, footer.pages.length), footer.pages.offset);
  const pageBytes = new Map<number, Buffer>();
  const answers = new Map<string, readonly Advisory[]>();
  const offsets = (key: string): readonly number[] => {
    const page = pageOf(pages, key);
    if (page === undefined) return [];
    const bytes = pageBytes.get(page.offset) ?? file.read(page.offset, page.length);
    keep(pageBytes, page.offset, bytes, keptPages);
    return offsetsOn(bytes, key);
  };
  const advisories = (key: string): readonly Advisory[] => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const found = offsets(key).map((offset) => advisoryOf(file.row(offset).bytes, sourceAt(footer, offset)));
    keep(answers, key, found, keptAnswers);
    return found;
  };
  const records = (key: string): readonly object[] => offsets(key).map((at) => recordOf(file.row(at).bytes));
  return {
    path: file.path,
    bytes: file.bytes,
    footer,
    rows: (source) => file.rows(source),
    facts: factsOf(file),
    lookup: (ecosystem, name) => advisories(packageKey(ecosystem, name)),
    ecosystems: () => new Map(footer.ecosystems),
    find: (id) => advisories(idKey(id)),
    exploitation: (cve) => merged(records(exploitationKey(cve)) as readonly ExploitationRecord[]),
    endOfLife: (distribution, version) => {
      // What is told of 3.20 holds for 3.20.3.
      for (let at = version; ; at = at.slice(0, at.lastIndexOf("."))) {
        const ends = records(endOfLifeKey(distribution, at)) as readonly EndOfLifeRecord[];
        if (ends.length > 0)
          return ends
            .map(({ date }) => date)
            .sort()
            .at(-1);
        if (!at.includes(".")) return undefined;
      }
    },
    close: () => file.close(),
  };
}

/** Facts of a database as scans state them. */
export function factsOf({ digest, footer }: Pick<DatabaseFile, "digest" | "footer">): AdvisoryDataFacts {
  return {
    digest,
    compiledAt: footer.compiledAt,
    advisories: footer.sources.reduce((sum, { advisories }) => sum + advisories, 0),
    sources: footer.sources.map((source) => ({
      name: source.name,
      kind: source.kind,
      digest: source.digest,
      ...(source.newest === undefined ? {} : { newest: source.newest }),
      importedAt: source.importedAt,
      ...(source.licence === undefined ? {} : { licence: source.licence }),
      advisories: source.advisories,
    })),
  };
}

/** Several feeds about one CVE: any of them that knows of exploitation counts, and the newest prediction. */
function merged(records: readonly ExploitationRecord[]): Exploitation | undefined {
  if (records.length === 0) return undefined;
  const byDate = records.flatMap(({ epss }) => (epss === undefined ? [] : [epss]));
  const epss = byDate.sort((a, b) => (a.date < b.date ? -1 : 1)).at(-1);
  const known = records.flatMap(({ knownExploited }) => (knownExploited === undefined ? [] : [knownExploited]));
  const first = known.sort((a, b) => (a.added < b.added ? -1 : 1)).at(0);
  return {
    ...(epss === undefined ? {} : { epss }),
    ...(first === undefined
      ? {}
      : { knownExploited: { ...first, ransomware: known.some(({ ransomware }) => ransomware) } }),
  };
}

function sourceAt(footer: Footer, offset: number): string {
  const holds = ({ region }: SourcePart): boolean => offset >= region.offset && offset < region.offset + region.length;
  return footer.sources.find(holds)?.name ?? "";
}

function keep<K, V>(map: Map<K, V>, key: K, value: V, limit: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > limit) for (const oldest of map.keys()) return void map.delete(oldest);
}
