import type { ExploitationRecord } from "../database/row.ts";
import { cveId } from "./cve.ts";
import type { Importer } from "./importer.ts";
import { moment, wrong } from "./members.ts";
import { lost } from "./osv.ts";

/** Scores of FIRST's model, CSV, plain or gzip: a comment with the model's date, names of columns, one line a CVE. */
export const epssImporter: Importer = {
  kind: "epss",
  version: 1,
  endings: [".csv"],
  largestFile: 256 << 20,
  async *read(entries, context) {
    for await (const entry of entries) {
      try {
        const text = Buffer.from(await entry.read()).toString("latin1");
        const date = dateOf(text);
        context.made(date);
        let number = 0;
        for (const line of linesOf(text)) {
          number++;
          if (line === "" || line.startsWith("#") || line.startsWith("cve,")) continue;
          try {
            yield { kind: "exploitation", record: scored(line, date) };
          } catch (error) {
            lost(context, `${entry.path}:${number}`, error);
          }
        }
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
  },
};

function dateOf(text: string): string {
  const date = /^#[^\n]{0,200}?\bscore_date:([^,\s]{1,40})/.exec(text)?.[1];
  return date === undefined ? wrong("a first line with score_date") : moment(date, "score_date");
}

function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    yield text
      .slice(at, end === -1 ? text.length : end)
      .trimEnd()
      .slice(0, 200);
    if (end === -1) return;
    at = end + 1;
  }
}

function scored(line: string, date: string): ExploitationRecord {
  const [cve, probability, percentile, ...rest] = line.split(",");
  if (rest.length > 0) return wrong("three columns");
  return {
    cve: cveId(cve),
    epss: { probability: share(probability), percentile: share(percentile), date },
  };
}

/** A number from 0 to 1. */
function share(text: string | undefined): number {
  const value = text !== undefined && /^[01](?:\.\d{1,12})?(?:[eE]-\d{1,2})?$/.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? value : wrong("a number from 0 to 1");
}
