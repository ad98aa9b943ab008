import { type Clock, canonicalJson, type Digest } from "@touchmark/core";
import type { MaterialRecord } from "../material.ts";
import { checkRecord } from "./check-record.ts";
import { mirrorErrors } from "./errors.ts";
import { ARCHIVE_FORMAT } from "./export-mirror.ts";
import { purlDisagreement } from "./purl-agreement.ts";
import { unsealJson } from "./sealed-json.ts";

/** Most bytes of an archive's index. */
export const MAX_INDEX_BYTES = 256 * 1024 * 1024;
// Clocks on both sides of an air gap differ; a record from the future would stay the newest of its request.
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Reads the index of an archive that anybody may have made; the records by body.
 * @throws MIRROR_ARCHIVE_MALFORMED | MIRROR_ARCHIVE_RECORD | MIRROR_ARCHIVE_DUPLICATE | MIRROR_ARCHIVE_SIZE
 */
export function parseArchiveIndex(bytes: Uint8Array, clock: Clock): ReadonlyMap<Digest, readonly MaterialRecord[]> {
  const value = parsed(bytes) as { format?: unknown; records?: unknown };
  const members = Object.keys(value ?? {})
    .sort()
    .join();
  if (value?.format !== ARCHIVE_FORMAT || members !== "format,records" || !Array.isArray(value.records)) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_MALFORMED", `expected an index of "${ARCHIVE_FORMAT}" with records`);
  }
  const newest = clock.now().getTime() + CLOCK_SKEW_MS;
  const byBody = new Map<Digest, MaterialRecord[]>();
  const met = new Set<string>();
  for (const each of value.records as readonly unknown[]) {
    const record = checked(each, newest);
    const name = canonicalJson([record.key, record.digest, record.status]);
    if (met.has(name)) {
      throw mirrorErrors.make(
        "MIRROR_ARCHIVE_DUPLICATE",
        `expected each record once, found that of ${record.url} again`,
      );
    }
    met.add(name);
    const others = byBody.get(record.digest) ?? [];
    if (others.some((one) => one.size !== record.size)) {
      throw mirrorErrors.make("MIRROR_ARCHIVE_SIZE", `expected one size of ${record.digest}, found two`);
    }
    byBody.set(record.digest, [...others, record]);
  }
  return byBody;
}

function checked(value: unknown, newest: number): MaterialRecord {
  let record: MaterialRecord;
  try {
    record = checkRecord(value);
  } catch (cause) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_RECORD", `a record is not sound: ${(cause as Error).message}`, { cause });
  }
  const disagreement = purlDisagreement(record.facts);
  if (disagreement !== undefined) {
    throw mirrorErrors.make(
      "MIRROR_ARCHIVE_RECORD",
      `expected ${record.facts.purl} to name what ${record.url} is: ${disagreement}`,
    );
  }
  if (Date.parse(record.fetchedAt) > newest) {
    throw mirrorErrors.make("MIRROR_ARCHIVE_RECORD", `expected a time in the past, found ${record.fetchedAt}`);
  }
  return record;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return unsealJson(bytes, MAX_INDEX_BYTES);
  } catch (cause) {
    throw mirrorErrors.make(
      "MIRROR_ARCHIVE_MALFORMED",
      `expected the index of an archive: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}
