import { randomBytes } from "node:crypto";
import { constants, copyFileSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Digest } from "@touchmark/core";
import { type FileContentStore, writeFileAtomically } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { parseHistory, seenOf } from "./documents.ts";
import { mirrorErrors } from "./errors.ts";
import type { MirrorLayout } from "./mirror-layout.ts";
import { readLedger } from "./record-writer.ts";

interface Conflict {
  readonly record: MaterialRecord;
  /** What was seen before under the same name. */
  readonly before: Digest;
  readonly name: string;
}

/** Conflicts of one archive that are kept for inspection. */
const MOST_KEPT = 20;

/**
 * Refuses an archive that has other bytes under a name than this mirror ever saw, or than itself. Both are kept in
 * quarantine, with the record that brought them.
 * @throws MIRROR_IMPORT_CONFLICT | MIRROR_LEDGER_CORRUPT
 */
export function refuseConflicts(
  layout: MirrorLayout,
  content: FileContentStore,
  bodies: ReadonlyMap<Digest, readonly MaterialRecord[]>,
  placeOf: (digest: Digest) => string,
): void {
  const conflicts = findConflicts(layout, [...bodies.values()].flat());
  const [first] = conflicts;
  if (first === undefined) return;
  const places = conflicts.slice(0, MOST_KEPT).map(({ record, before }) => {
    const place = join(layout.quarantine, `conflict-${randomBytes(4).toString("hex")}`);
    mkdirSync(place, { mode: 0o700 });
    copyFileSync(placeOf(record.digest), join(place, "imported"), constants.COPYFILE_FICLONE);
    const known = bodies.has(before) ? placeOf(before) : content.path(before);
    if (lstatSync(known, { throwIfNoEntry: false })?.isFile()) {
      copyFileSync(known, join(place, "seen"), constants.COPYFILE_FICLONE);
    }
    writeFileAtomically(join(place, "record.json"), `${canonicalJson({ imported: record, seen: before })}\n`);
    return place;
  });
  const more = conflicts.length === 1 ? "" : ` (and ${conflicts.length - 1} more)`;
  throw mirrorErrors.make(
    "MIRROR_IMPORT_CONFLICT",
    `expected ${first.name} with ${first.before}, as seen before, found ${first.record.digest}${more}; kept in ${places[0]}`,
  );
}

function findConflicts(layout: MirrorLayout, records: readonly MaterialRecord[]): Conflict[] {
  const conflicts: Conflict[] = [];
  /** First digest under each name of the archive. */
  const own = new Map<string, Digest>();
  for (const record of records) {
    const known = knownDigests(layout, record);
    if (known === undefined) continue;
    const { name, digests } = known;
    const other = digests[0] ?? own.get(name);
    if (other !== undefined && other !== record.digest && !digests.includes(record.digest)) {
      conflicts.push({ record, before: other, name });
    }
    own.set(name, own.get(name) ?? record.digest);
  }
  return conflicts;
}

/** What this mirror has under the name of a record: a package's file, or an answer that never changes. */
function knownDigests(layout: MirrorLayout, record: MaterialRecord): { name: string; digests: Digest[] } | undefined {
  const seen = seenOf(record, record.fetchedAt);
  if (seen !== undefined) {
    const bytes = layout.read(layout.seen(seen.purl, seen.fileName));
    const files = bytes === undefined ? [] : readLedger(bytes, seen.purl, seen.fileName);
    return { name: `${seen.fileName} of ${seen.purl}`, digests: files.map(({ digest }) => digest) };
  }
  if (!record.facts.immutable || record.status !== 200) return undefined;
  const bytes = layout.read(layout.record(record.key));
  if (bytes === undefined) return { name: record.url, digests: [] };
  try {
    const history = parseHistory(bytes, record.key).filter(({ status }) => status === 200);
    return { name: record.url, digests: history.map(({ digest }) => digest) };
  } catch {
    // Damaged: the import replaces it, as a fetch would.
    return { name: record.url, digests: [] };
  }
}
