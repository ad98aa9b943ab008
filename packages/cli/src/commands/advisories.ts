import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark advisories`, in the order of help. One visible place; nothing registers itself. */
export const advisoriesTable: readonly SubcommandRow[] = [
  {
    name: "update",
    summary: "bring the database up to date with the configured sources",
    load: () => import("./advisories/update.ts"),
  },
  {
    name: "import",
    summary: "take in a source, or a compiled database, from files",
    load: () => import("./advisories/import.ts"),
  },
  {
    name: "watch",
    summary: "look at the SBOMs of released artifacts again, and sign what is new",
    load: () => import("./advisories/watch.ts"),
  },
  {
    name: "status",
    summary: "what the database holds, how old it is, and what was left out",
    load: () => import("./advisories/status.ts"),
  },
  {
    name: "show",
    summary: "what is known under an id, or of a package",
    load: () => import("./advisories/show.ts"),
  },
  {
    name: "prune",
    summary: "delete older databases; scans that named them can not be repeated",
    load: () => import("./advisories/prune.ts"),
  },
];

/** `touchmark advisories`: data about vulnerabilities. */
export const command: Command = {
  name: "advisories",
  summary: "data about vulnerabilities: update, import, status, show, prune",
  description:
    "Compiles the sources that TOUCHMARK_HOME/advisories.yaml names into one file, pinned by its digest, so that a scan can be repeated. Sources are files and directories of this machine, or https addresses; none is built in, and without a network everything works from files.",
  examples: [
    ["touchmark advisories import ./advisory-db --kind osv --name rust --licence CC0-1.0", "a git checkout"],
    ["touchmark advisories update", "everything that advisories.yaml names"],
    ["touchmark advisories status", "dates, licences, digests, and what was left out"],
  ],
  subcommands: advisoriesTable,
  // A subcommand runs instead.
  run: async () => 2,
};
