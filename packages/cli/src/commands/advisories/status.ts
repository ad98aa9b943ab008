import { existsSync } from "node:fs";
import {
  advisorySources,
  databaseBundlePath,
  days,
  keptDatabases,
  type OpenAdvisories,
  openAdvisories,
  type SourcePart,
} from "@touchmark/advisories";
import { type Digest, exitCodes, systemClock } from "@touchmark/core";
import { type Command, given, text } from "../../command.ts";
import { size } from "../../output/quantity.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { readAdvisories } from "./place.ts";

/** `touchmark advisories status`: what there is, from where, how old. */
export const command: Command = {
  name: "advisories status",
  summary: "what the database holds, how old it is, and what was left out",
  description:
    "Reads every byte of the database, compares it with its digest, and shows each source with its digest, date, licence, and the records that were left out. The exit code is 3 when a source is older than maximum-age allows.",
  options: [
    { flags: "--database <digest>", description: "an older one that is kept" },
    { flags: "--losses", description: "name the records that were left out" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [["touchmark advisories status --losses", "with every record that could not be read"]],
  async run(invocation, terminal) {
    const database = text(invocation, "database");
    return readAdvisories((place) => {
      const open = openAdvisories(place, {
        ...{ now: systemClock.now(), allowStale: true },
        ...(database === undefined ? {} : { database }),
      });
      const kept = keptDatabases(place);
      const configured = advisorySources(place)?.sources ?? [];
      if (open === undefined) {
        if (given(invocation, "json")) terminal.print(JSON.stringify({ configured, databases: kept }, undefined, 2));
        else
          terminal.print("no advisories: vulnerabilities are not evaluated; touchmark advisories import takes some in");
        return 0;
      }
      open.database.close();
      const { footer, facts, bytes } = open.database;
      const missing = configured.filter(({ name }) => !footer.sources.some((source) => source.name === name));
      const isSigned = existsSync(databaseBundlePath(place, facts.digest as Digest));
      if (given(invocation, "json")) {
        const { sources, compiledAt, ecosystems } = footer;
        const report = { digest: facts.digest, bytes, isSigned, compiledAt, ecosystems, sources, ages: open.ages };
        terminal.print(
          JSON.stringify({ ...report, missing: missing.map(({ name }) => name), databases: kept }, undefined, 2),
        );
      } else {
        terminal.print(
          `${facts.digest}  ${size(bytes)}, compiled ${footer.compiledAt}, ${isSigned ? "signed" : "not signed"}`,
        );
        for (const source of footer.sources) showSource(source, open, given(invocation, "losses"), terminal);
        for (const { name } of missing) terminal.print(`${terminal.style.warn("never read")} ${name}`);
        const others = kept.filter(({ digest }) => digest !== facts.digest);
        if (others.length > 0) terminal.note(terminal.style.dim(`${others.length} other databases are kept`));
      }
      return database === undefined && open.ages.some(({ verdict }) => verdict === "stale") ? exitCodes.refused : 0;
    });
  },
};

function showSource(source: SourcePart, { ages }: OpenAdvisories, withLosses: boolean, terminal: Terminal): void {
  const { style } = terminal;
  const age = ages.find((each) => each.source === source.name);
  const colour = { fresh: style.good, old: style.warn, stale: style.bad }[age?.verdict ?? "fresh"];
  const records = source.advisories + source.exploitations + source.endsOfLife;
  terminal.print(`${colour(age?.verdict ?? "fresh")} ${oneLine(source.name)}: ${records} records of ${source.kind}`);
  const of = age === undefined ? "" : `, ${days(age.seconds)} old`;
  terminal.print(
    `    data of ${source.newest ?? "no date"}${of}; read ${source.importedAt} from ${oneLine(source.origin)}`,
  );
  const revision = source.revision === undefined ? "" : `, commit ${source.revision}`;
  terminal.print(`    ${source.digest}, licence ${oneLine(source.licence ?? "not told")}${revision}`);
  const { count, named } = source.losses;
  if (count > 0) terminal.print(`    ${style.warn(`${count} records were left out or are in doubt`)}`);
  for (const loss of withLosses ? named : []) {
    terminal.print(`      ${oneLine(loss.path)}: ${loss.code}: ${oneLine(loss.message)}`);
  }
  if (withLosses && count > named.length) terminal.print(`      and ${count - named.length} more`);
}
