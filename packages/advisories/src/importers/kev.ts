import type { ExploitationRecord } from "../database/row.ts";
import { csvRecords } from "./csv.ts";
import { cveId } from "./cve.ts";
import type { Importer } from "./importer.ts";
import { list, type Members, moment, object, optionalMoment } from "./members.ts";
import { lost } from "./osv.ts";
import { parseDocument } from "./parse-document.ts";

/** CISA's catalogue of known exploited vulnerabilities, as JSON or as CSV. */
export const kevImporter: Importer = {
  kind: "kev",
  version: 1,
  endings: [".json", ".csv"],
  largestFile: 64 << 20,
  async *read(entries, context) {
    for await (const entry of entries) {
      // A catalogue stands beside its schema.
      if (/schema\.json$/i.test(entry.path)) continue;
      try {
        const bytes = await entry.read();
        let records: readonly unknown[];
        if (/\.csv$/i.test(entry.path)) records = csvRecords(bytes);
        else {
          const document = object(parseDocument(bytes), "a catalogue");
          records = list(document["vulnerabilities"], "vulnerabilities", 1_000_000);
          const released = optionalMoment(document["dateReleased"], "dateReleased");
          if (released !== undefined) context.made(released);
        }
        for (const [i, each] of records.entries()) {
          try {
            const record = exploited(object(each, "an entry"));
            context.made(record.knownExploited?.added ?? "");
            yield { kind: "exploitation", record };
          } catch (error) {
            lost(context, `${entry.path}#${i}`, error);
          }
        }
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
  },
};

function exploited(entry: Members): ExploitationRecord {
  const due = optionalMoment(entry["dueDate"], "dueDate");
  return {
    cve: cveId(entry["cveID"]),
    knownExploited: {
      added: moment(entry["dateAdded"], "dateAdded"),
      ...(due === undefined ? {} : { due }),
      ransomware: entry["knownRansomwareCampaignUse"] === "Known",
    },
  };
}
