import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type InspectedArchive, type InspectLimits, inspectArchive, type MaterialRecord } from "@touchmark/materials";
import { writeFileAtomically } from "@touchmark/store";

/** Changes whenever an inspection could say something else about the same bytes. */
const FORMAT = "touchmark inspection v1";

interface StoredInspection extends Omit<InspectedArchive, "digests"> {
  readonly inspection: string;
  readonly digests: readonly (readonly [string, string])[];
}

/**
 * Inspects archives, and remembers by digest what was found: the same bytes hold the same. The memory is a cache of the
 * home; losing it costs time only.
 */
export function inspections(
  directory: string,
  limits: InspectLimits,
): (record: MaterialRecord, path: string) => Promise<InspectedArchive> {
  const bounds = JSON.stringify(limits);
  return async (record, path) => {
    const fileName = record.facts.fileName ?? new URL(record.url).pathname.split("/").at(-1) ?? "";
    const ending = /\.[A-Za-z0-9.]{1,12}$/.exec(fileName)?.[0] ?? "";
    const place = join(directory, `inspected-${record.digest.slice(7)}`);
    const inspection = `${FORMAT} ${ending} ${bounds}`;
    const known = read(place, inspection);
    if (known !== undefined) return known;
    const found = await inspectArchive(path, fileName, limits);
    const stored: StoredInspection = { ...found, inspection, digests: [...found.digests] };
    writeFileAtomically(place, JSON.stringify(stored), { durable: false });
    return found;
  };
}

function read(place: string, inspection: string): InspectedArchive | undefined {
  try {
    const stored = JSON.parse(readFileSync(place, "utf8")) as StoredInspection;
    if (stored.inspection !== inspection) return undefined;
    const { inspection: _, digests, ...rest } = stored;
    return { ...rest, digests: new Map(digests) };
  } catch {
    return undefined;
  }
}
