import type { Digest } from "@touchmark/core";
import { advisorySourceErrors } from "../importers/errors.ts";
import type { ImportContext, Importer } from "../importers/importer.ts";
import { openSourceFiles } from "../importers/source-files.ts";
import { longestRow } from "./database-file.ts";
import type { RecordLoss, SourcePart } from "./footer.ts";
import { undated } from "./row.ts";
import type { Spool, SpooledRow } from "./spool.ts";

/** Losses that are named; the others are counted. */
const namedLosses = 100;

/** What reading one source brought. */
export interface ImportedSource {
  readonly digest: Digest;
  readonly revision?: string;
  readonly newest?: string;
  /** Sorted by name, each name once. */
  readonly rows: readonly SpooledRow[];
  readonly losses: SourcePart["losses"];
}

/**
 * Reads a source whole. A record that cannot be is left out and named; a source of which nothing can be read is refused.
 * @throws ADVISORY_SOURCE_*
 */
export async function importSource(
  path: string,
  importer: Importer,
  spool: Spool,
  { now, signal }: { readonly now: Date; readonly signal?: AbortSignal },
): Promise<ImportedSource> {
  const files = openSourceFiles(path, importer);
  const digest = files.digest();
  const named: RecordLoss[] = [];
  let lost = 0;
  let made: string | undefined;
  // A clock that is a day off is no lie.
  const future = `${new Date(now.getTime() + 86_400_000).toISOString().slice(0, 19)}Z`;
  const context: ImportContext = {
    now: `${now.toISOString().slice(0, 19)}Z`,
    lose: (place, code, message) => {
      lost++;
      if (named.length < namedLosses) named.push({ path: place.slice(0, 300), code, message: message.slice(0, 300) });
    },
    made: (at) => {
      if (at <= future && (made === undefined || at > made)) made = at;
    },
  };
  const rows = new Map<string, SpooledRow>();
  let newest = undated;
  let count = 0;
  for await (const row of importer.read(files.entries(), context)) {
    if (++count % 1000 === 0) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const spooled = spool.add(row);
    if (spooled.length > longestRow) {
      context.lose(spooled.name, "ADVISORY_RECORD_TOO_LARGE", `expected at most ${longestRow} bytes of one record`);
      continue;
    }
    const before = rows.get(spooled.name);
    if (before !== undefined && spool.read(before).equals(spool.read(spooled))) continue;
    if (before !== undefined) {
      const which = before.modified > spooled.modified ? "the earlier" : "the later";
      context.lose(spooled.name, "ADVISORY_RECORD_DUPLICATE", `expected one record of an id; ${which} is kept`);
      if (before.modified > spooled.modified) continue;
    }
    rows.set(spooled.name, spooled);
    if (spooled.modified > future) {
      context.lose(spooled.name, "ADVISORY_DATE_FUTURE", `expected a date until ${future}, found ${spooled.modified}`);
    } else if (spooled.modified > newest) newest = spooled.modified;
  }
  if (rows.size === 0) refuseEmpty(path, named[0]);
  if (files.digest() !== digest) {
    throw advisorySourceErrors.make("ADVISORY_SOURCE_CHANGED", `expected ${path} to stay as it is while it is read`);
  }
  const dated = made ?? (newest === undated ? undefined : newest);
  return {
    digest,
    ...(files.revision === undefined ? {} : { revision: files.revision }),
    ...(dated === undefined ? {} : { newest: dated }),
    rows: [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    losses: { count: lost, named },
  };
}

function refuseEmpty(path: string, loss: RecordLoss | undefined): never {
  const why = loss === undefined ? "no file of its kind" : `${loss.path}: ${loss.message}`;
  throw advisorySourceErrors.make("ADVISORY_SOURCE_MALFORMED", `expected records in ${path}, found ${why}`);
}
