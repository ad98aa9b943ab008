import { type Digest, isDigest, isFactoryError, parseJson } from "@touchmark/core";
import { advisoryDatabaseErrors } from "./errors.ts";

/** First bytes of every database, and its last: the number is the version of the layout. */
export const magic = Buffer.from("touchmark-adv-1\n");

/** Behind the footer: its offset (8 bytes), its length (4), both little-endian, and the magic once more. */
export const trailerBytes = 8 + 4 + magic.length;

const longestFooter = 64 << 20;

/** A record that was left out of the database, or taken with a doubt. */
export interface RecordLoss {
  /** File and place inside of the source. */
  readonly path: string;
  /** Error code. */
  readonly code: string;
  readonly message: string;
}

/** What one source brought, and where its rows lie. */
export interface SourcePart {
  readonly name: string;
  readonly kind: string;
  /** Version of the importer that read it: what a newer one would read otherwise is read again. */
  readonly importer: number;
  /** SHA-256 of the file, or of the list of paths and digests of a directory's files. */
  readonly digest: Digest;
  /** When the newest record was modified, or the feed says that it was made. RFC 3339. */
  readonly newest?: string;
  readonly importedAt: string;
  readonly licence?: string;
  /** Path or address, as configured. */
  readonly origin: string;
  /** Commit of a git checkout. */
  readonly revision?: string;
  readonly advisories: number;
  readonly exploitations: number;
  readonly endsOfLife: number;
  /** Every loss is counted, the first hundred are named. */
  readonly losses: { readonly count: number; readonly named: readonly RecordLoss[] };
  readonly region: { readonly offset: number; readonly length: number; readonly digest: Digest };
}

/** The last section of a database: what it is made of, and where everything lies. */
export interface Footer {
  readonly compiledAt: string;
  /** Advisories by ecosystem, sorted. */
  readonly ecosystems: readonly (readonly [string, number])[];
  /** Sorted by name. */
  readonly sources: readonly SourcePart[];
  /** The index of the table's pages. */
  readonly pages: { readonly offset: number; readonly length: number };
}

/** Reads a footer's bytes. `end` is where the sections end. @throws ADVISORY_DATABASE_MALFORMED */
export function parseFooter(bytes: Uint8Array, end: number): Footer {
  if (bytes.length > longestFooter) return malformed("a shorter footer");
  let footer: Footer;
  try {
    footer = parseJson(bytes, { maxBytes: longestFooter, maxDepth: 8 }) as unknown as Footer;
  } catch (cause) {
    return malformed("a footer of JSON", isFactoryError(cause) ? cause : undefined);
  }
  const isSpan = (span: unknown): boolean => {
    const { offset, length } = (span ?? {}) as { offset?: unknown; length?: unknown };
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) return false;
    return (offset as number) >= magic.length && (length as number) >= 0 && Number(offset) + Number(length) <= end;
  };
  const isText = (value: unknown): boolean => typeof value === "string";
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (typeof footer !== "object" || footer === null || !isText(footer.compiledAt) || !isSpan(footer.pages)) {
    return malformed("a footer with the time of compiling and an index");
  }
  if (
    !Array.isArray(footer.ecosystems) ||
    !footer.ecosystems.every((each) => Array.isArray(each) && isText(each[0]) && isCount(each[1]))
  ) {
    return malformed("ecosystems with counts");
  }
  if (!Array.isArray(footer.sources)) return malformed("a list of sources");
  for (const source of footer.sources as readonly SourcePart[]) {
    const texts = [source?.name, source?.kind, source?.importedAt, source?.origin];
    const counts = [source?.importer, source?.advisories, source?.exploitations, source?.endsOfLife];
    if (!texts.every(isText) || !counts.every(isCount) || !isDigest(source.digest)) {
      return malformed("sources with name, kind, digest and counts");
    }
    if (!isSpan(source.region) || !isDigest(source.region.digest)) return malformed("a source's region");
    if (!isCount(source.losses?.count) || !Array.isArray(source.losses.named)) return malformed("a source's losses");
  }
  return footer;
}

/** @throws ADVISORY_DATABASE_MALFORMED */
export function malformed(expected: string, cause?: unknown): never {
  throw advisoryDatabaseErrors.make(
    "ADVISORY_DATABASE_MALFORMED",
    `expected ${expected}, found none`,
    cause === undefined ? {} : { cause },
  );
}
