import { sha256 } from "@touchmark/core";
import type { Advisory, Exploitation } from "../advisory.ts";
import { lookupName } from "../matching/names.ts";
import { malformed } from "./footer.ts";

/** An advisory as it stands in its source: who holds it, and its digest, follow from its bytes and its place. */
export type AdvisoryRecord = Omit<Advisory, "source" | "digest">;

/** What one source says of the exploitation of one CVE. */
export interface ExploitationRecord extends Exploitation {
  readonly cve: string;
}

/** When support of one release of a distribution ends: RFC 3339. */
export interface EndOfLifeRecord {
  readonly distribution: string;
  readonly version: string;
  readonly date: string;
}

/** One row of a source's part of the database. */
export type Row =
  | { readonly kind: "advisory"; readonly record: AdvisoryRecord }
  | { readonly kind: "exploitation"; readonly record: ExploitationRecord }
  | { readonly kind: "end-of-life"; readonly record: EndOfLifeRecord };

/** First letter of the key under which each kind is found, and the byte before each row. */
export const rowLetters = { advisory: "A", exploitation: "X", "end-of-life": "E" } as const;

/** A date of sources that tell none; it stands in the `modified` of their records. */
export const undated = "0001-01-01T00:00:00Z";

/** What is unique in a source: a later row of the same name replaces an earlier one. */
export function rowName(row: Row): string {
  if (row.kind === "advisory") return row.record.id;
  return row.kind === "exploitation" ? row.record.cve : `${row.record.distribution} ${row.record.version}`;
}

/** Bytes of a row: canonical JSON (RFC 8785). */
export function rowBytes(row: Row): Buffer {
  return Buffer.from(JSON.stringify(sorted(row.record)));
}

/** Members in the order of RFC 8785, so that JSON.stringify, which is much faster, writes the canonical form. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const from = value as Record<string, unknown>;
  const to: Record<string, unknown> = {};
  for (const key of Object.keys(from).sort()) to[key] = sorted(from[key]);
  return to;
}

/** The advisory of a row's bytes. @throws ADVISORY_DATABASE_MALFORMED */
export function advisoryOf(bytes: Uint8Array, source: string): Advisory {
  const record = recordOf(bytes) as AdvisoryRecord;
  const isList = [record.affected, record.aliases, record.severities, record.references].every(Array.isArray);
  if (!isList || typeof record.id !== "string") return malformed("a row that is an advisory");
  if (!record.affected.every((each) => Array.isArray(each?.ranges) && Array.isArray(each.versions))) {
    return malformed("affected packages with ranges and versions");
  }
  return { ...record, source, digest: sha256(bytes) };
}

/** The record of a row's bytes. @throws ADVISORY_DATABASE_MALFORMED */
export function recordOf(bytes: Uint8Array): object {
  let record: unknown;
  try {
    record = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    return malformed("a row of JSON", cause);
  }
  return typeof record === "object" && record !== null ? record : malformed("a row that is an object");
}

/** Key of the packages table. */
export function packageKey(ecosystem: string, name: string): string {
  return `P${ecosystem}\u0000${lookupName(ecosystem, name)}`;
}

/** Key of the table of ids. */
export function idKey(id: string): string {
  return `I${id.toUpperCase()}`;
}

/** Key of the table of exploitations. */
export function exploitationKey(cve: string): string {
  return `X${cve.toUpperCase()}`;
}

/** Key of the table of ends of life. */
export function endOfLifeKey(distribution: string, version: string): string {
  return `E${distribution.toLowerCase()}\u0000${version}`;
}

/** Every key that leads to a row, each once. */
export function rowKeys(row: Row): ReadonlySet<string> {
  const keys = new Set<string>();
  if (row.kind === "exploitation") keys.add(exploitationKey(row.record.cve));
  else if (row.kind === "end-of-life") keys.add(endOfLifeKey(row.record.distribution, row.record.version));
  else {
    for (const { ecosystem, name } of row.record.affected) keys.add(packageKey(ecosystem, name));
    for (const id of [row.record.id, ...row.record.aliases]) keys.add(idKey(id));
  }
  return keys;
}
