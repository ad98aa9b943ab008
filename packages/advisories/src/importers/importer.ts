import type { Row } from "../database/row.ts";
import type { advisoryErrors } from "../errors.ts";
import type { advisorySourceErrors } from "./errors.ts";

/** Kinds of sources. */
export const advisorySourceKinds = [
  "osv",
  "debian-tracker",
  "alpine-secdb",
  "redhat-csaf",
  "ubuntu-oval",
  "kev",
  "epss",
  "end-of-life",
] as const;

/** What a source is. GitHub's advisories, and those of distributions in that form, are `osv`. */
export type AdvisorySourceKind = (typeof advisorySourceKinds)[number];

/** Codes under which a record is left out, or taken with a doubt. */
export type LossCode = keyof typeof advisoryErrors.rows | keyof typeof advisorySourceErrors.rows;

/** One file of a source. */
export interface SourceEntry {
  /** Below the source; `OUTER.zip!/INNER` inside an archive. */
  readonly path: string;
  /** Its bytes, unpacked. @throws ADVISORY_RECORD_TOO_LARGE | ADVISORY_MALFORMED */
  read(): Promise<Uint8Array> | Uint8Array;
}

/** What an importer is told, and tells, beside its rows. */
export interface ImportContext {
  /** RFC 3339. */
  readonly now: string;
  /** A record was left out. */
  lose(path: string, code: LossCode, message: string): void;
  /** The feed says when it was made. RFC 3339. */
  made(at: string): void;
}

/** Reads one kind of source. */
export interface Importer {
  readonly kind: AdvisorySourceKind;
  /** Raised whenever it reads the same bytes otherwise than before. */
  readonly version: number;
  /** Ends of the names of files that it reads in directories and archives, lower case. */
  readonly endings: readonly string[];
  /** Largest file, unpacked. */
  readonly largestFile: number;
  read(entries: AsyncIterable<SourceEntry>, context: ImportContext): AsyncIterable<Row>;
}
