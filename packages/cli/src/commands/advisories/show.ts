import { type Advisory, lookupName, type OpenAdvisories, openAdvisories } from "@touchmark/advisories";
import { systemClock } from "@touchmark/core";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { readAdvisories } from "./place.ts";

/** `touchmark advisories show`: what the database knows, for people. */
export const command: Command = {
  name: "advisories show",
  summary: "what is known under an id, or of a package",
  description:
    "Shows every advisory of that id or alias, from every source, with what it says of packages and versions; with --ecosystem, every advisory about the package of that name. The exit code is 1 when nothing is known.",
  arguments: [{ name: "id", description: "CVE-2021-44228, GHSA-..., or a package's name", required: true }],
  options: [
    { flags: "--ecosystem <name>", description: "ecosystem of the package: npm, PyPI, Debian:12" },
    { flags: "--database <digest>", description: "an older database that is kept" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark advisories show CVE-2021-44228", "every source's word on it"],
    ["touchmark advisories show openssl --ecosystem Debian:12", "everything about a package"],
  ],
  async run(invocation, terminal) {
    const [id = ""] = invocation.arguments;
    const ecosystem = text(invocation, "ecosystem");
    const database = text(invocation, "database");
    return readAdvisories((place) => {
      const open = openAdvisories(place, {
        ...{ now: systemClock.now(), allowStale: true },
        ...(database === undefined ? {} : { database }),
      });
      if (open === undefined) {
        throw cliErrors.make("CLI_USAGE", "expected advisories in this home, found none", {
          hint: "touchmark advisories import takes some in",
        });
      }
      try {
        return show(open, id, ecosystem, given(invocation, "json"), terminal);
      } finally {
        open.database.close();
      }
    });
  },
};

function show(
  open: OpenAdvisories,
  id: string,
  ecosystem: string | undefined,
  json: boolean,
  terminal: Terminal,
): number {
  const { database } = open;
  const found = ecosystem === undefined ? database.find(id) : database.lookup(ecosystem, lookupName(ecosystem, id));
  const exploitation = ecosystem === undefined ? database.exploitation(id) : undefined;
  if (json) terminal.print(JSON.stringify({ advisories: found, exploitation: exploitation ?? null }, undefined, 2));
  else {
    for (const advisory of found) showAdvisory(advisory, ecosystem, terminal);
    if (exploitation?.knownExploited !== undefined) {
      terminal.print(
        terminal.style.bad(`known to be exploited since ${exploitation.knownExploited.added.slice(0, 10)}`),
      );
    }
    if (exploitation?.epss !== undefined) {
      const { probability, date } = exploitation.epss;
      terminal.print(`exploited within 30 days with a probability of ${probability} (${date.slice(0, 10)})`);
    }
    if (found.length === 0 && exploitation === undefined) {
      terminal.note(`nothing is known of ${oneLine(id)} in ${database.facts.digest}`);
    }
  }
  return found.length > 0 || exploitation !== undefined ? 0 : 1;
}

const shownPackages = 40;

function showAdvisory(advisory: Advisory, ecosystem: string | undefined, terminal: Terminal): void {
  const { style } = terminal;
  const withdrawn = advisory.withdrawn === undefined ? "" : style.warn(` withdrawn ${advisory.withdrawn}`);
  terminal.print(
    `${style.bold(oneLine(advisory.id))} (${oneLine(advisory.source)})${withdrawn} ${oneLine(advisory.summary)}`,
  );
  const others = [...advisory.aliases, ...advisory.upstream];
  if (others.length > 0) terminal.print(`    also ${oneLine(others.join(", "))}`);
  const dates = [
    advisory.published === undefined ? "" : `published ${advisory.published}`,
    advisory.modified.startsWith("0001-") ? "" : `modified ${advisory.modified}`,
  ];
  terminal.print(`    ${dates.filter((each) => each !== "").join(", ")}; ${advisory.digest}`);
  for (const { type, value } of advisory.severities) terminal.print(`    ${type} ${oneLine(value)}`);
  const packages = advisory.affected.filter((each) => ecosystem === undefined || each.ecosystem === ecosystem);
  for (const each of packages.slice(0, shownPackages)) {
    const ranges = each.ranges.map(({ events }) =>
      events.map((event) => Object.entries(event)[0]?.join(" ")).join(", "),
    );
    const versions = each.versions.length === 0 ? "" : `; ${each.versions.length} versions listed`;
    const state = each.state === undefined ? "" : ` [${each.state}]`;
    terminal.print(`    ${oneLine(`${each.ecosystem} ${each.name}${state}: ${ranges.join(" | ")}${versions}`)}`);
  }
  if (packages.length > shownPackages) terminal.print(`    and ${packages.length - shownPackages} packages more`);
}
