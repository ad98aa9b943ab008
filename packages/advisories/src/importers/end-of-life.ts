import type { EndOfLifeRecord } from "../database/row.ts";
import { csvRecords } from "./csv.ts";
import type { Importer } from "./importer.ts";
import { list, type Members, moment, name, object } from "./members.ts";
import { lost } from "./osv.ts";
import { parseDocument } from "./parse-document.ts";

/**
 * When support of releases ends. Read are: the lists of endoflife.date, one file a product, named after it (`debian.json`;
 * both forms of its interface), one object with such a list for each product, and the tables of Debian's
 * distro-info-data (`debian.csv`, `ubuntu.csv`).
 */
export const endOfLifeImporter: Importer = {
  kind: "end-of-life",
  version: 1,
  endings: [".json", ".csv"],
  largestFile: 32 << 20,
  async *read(entries, context) {
    for await (const entry of entries) {
      try {
        const product = /([^/]+)\.(?:json|csv)$/i.exec(entry.path)?.[1]?.toLowerCase() ?? "";
        const bytes = await entry.read();
        const lists = /\.csv$/i.test(entry.path)
          ? [[product, csvRecords(bytes)] as const]
          : listsOf(product, parseDocument(bytes));
        for (const [distribution, releases] of lists) {
          for (const [i, release] of releases.entries()) {
            try {
              const record = endOf(name(distribution, "a distribution", 60), object(release, "a release"));
              if (record !== undefined) yield { kind: "end-of-life", record };
            } catch (error) {
              lost(context, `${entry.path}#${distribution}/${i}`, error);
            }
          }
        }
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
  },
};

function listsOf(product: string, document: unknown): readonly (readonly [string, readonly unknown[]])[] {
  if (Array.isArray(document)) return [[product, list(document, "releases", 10_000)]];
  const { result, ...products } = object(document, "a product");
  if (result !== undefined) {
    const { name: named, releases } = object(result, "result");
    return [[name(named, "a product", 60), list(releases, "releases", 10_000)]];
  }
  return Object.entries(products).map(([each, releases]) => [each, list(releases, "releases", 10_000)] as const);
}

/** Undefined where no end is known: support goes on. */
function endOf(distribution: string, release: Members): EndOfLifeRecord | undefined {
  const written = release["version"] ?? release["cycle"] ?? release["name"];
  // `22.04 LTS` of distro-info-data; a rolling release has no number.
  const version = typeof written === "string" ? written.replace(/ LTS$/, "") : written;
  if (version === "" && release["series"] !== undefined) return undefined;
  const end = release["eolFrom"] ?? release["eol"];
  if (end === undefined || end === null || end === false || end === "") return undefined;
  // Some lists say only that it is over; since when is not told.
  const date = end === true ? "1970-01-01T00:00:00Z" : moment(end, "an end of life");
  return { distribution: distribution.toLowerCase(), version: name(version, "a release", 60), date };
}
