import { type Command, type SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark materials`, in the order of help. One visible place; nothing registers itself. */
export const materialsTable: readonly SubcommandRow[] = [
  { name: "list", summary: "list what the mirror holds", load: () => import("./materials/list.ts") },
  {
    name: "why",
    summary: "why a package is in a build: who wanted it, where it came from, what vouches for it",
    load: () => import("./materials/why.ts"),
  },
  {
    name: "lock",
    summary: "write a lockfile for ecosystems that have none, from what a run recorded",
    load: () => import("./materials/lock.ts"),
  },
  {
    name: "verify",
    summary: "read the mirror again, every byte of it, and name what is damaged",
    load: () => import("./materials/verify.ts"),
  },
  {
    name: "export",
    summary: "write packages of the mirror to one file, to carry elsewhere",
    load: () => import("./materials/export.ts"),
  },
  {
    name: "import",
    summary: "take in such a file, believing nothing of it",
    load: () => import("./materials/import.ts"),
  },
  {
    name: "prune",
    summary: "free space; what a kept run used stays",
    load: () => import("./materials/prune.ts"),
  },
  {
    name: "diff",
    summary: "what two revisions differ in: packages, publishers, install scripts, hosts",
    load: () => import("./materials/diff.ts"),
  },
  {
    name: "watch",
    summary: "compare the mirror with its upstreams now: yanked, re-published, gone, other publishers",
    load: () => import("./materials/watch.ts"),
  },
  {
    name: "review",
    summary: "sign a decision about a package of others: accept, limit, deny",
    load: () => import("./materials/review.ts"),
  },
];

/** `touchmark materials`: what came in from others. */
export const command: Command = {
  name: "materials",
  summary: "what came in from others: list, verify, carry over, prune",
  description:
    "Every package, index and signature that a fetch step asked for is kept in the mirror of TOUCHMARK_HOME, by its digest, and verified at every use. Later runs are served from it, also without a network.",
  examples: [
    ["touchmark materials list --ecosystem npm", "what came from npm registries"],
    ["touchmark materials verify", "every body against every digest that was announced for it"],
    ["touchmark materials export --out mirror.tar", "then elsewhere: touchmark materials import mirror.tar"],
  ],
  subcommands: materialsTable,
  // A subcommand runs instead.
  run: async () => 2,
};
