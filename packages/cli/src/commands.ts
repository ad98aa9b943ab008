import type { Command } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { preparedVerify } from "./prepared.ts";

/** A command's row in the table: what `touchmark --help` shows, and where its code is. */
export interface CommandRow {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const build = "Build";
const evidence = "Evidence";
const house = "House";

/** Every command, in the order of help. One visible place; nothing registers itself. */
export const commandTable: readonly CommandRow[] = [
  {
    name: "init",
    group: build,
    summary: "propose a touchmark.yaml for this repository",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "run",
    group: build,
    summary: "run a pipeline on a revision, sealed and observed",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "lint",
    group: build,
    summary: "check touchmark.yaml and container files for what weakens a build",
    load: () => import("./commands/lint.ts"),
  },
  { name: "runs", group: build, summary: "list runs", load: () => import("./commands/runs.ts") },
  { name: "logs", group: build, summary: "show what a step printed", load: () => import("./commands/logs.ts") },
  {
    name: "debug",
    group: build,
    summary: "open a shell in a fresh copy of a step's sandbox",
    load: () => import("./commands/debug.ts"),
  },
  {
    name: "publish",
    group: build,
    summary: "send an artifact and its evidence to a registry",
    load: () => import("./commands/publish.ts"),
  },
  {
    name: "verify",
    group: evidence,
    summary: "verify an artifact against its evidence",
    load: async () => preparedVerify() ?? import("./commands/verify.ts"),
  },
  {
    name: "show",
    group: evidence,
    summary: "show what is known of an artifact or a run",
    load: () => import("./commands/show.ts"),
  },
  {
    name: "export",
    group: evidence,
    summary: "write artifact and evidence to a directory",
    load: () => import("./commands/export.ts"),
  },
  {
    name: "attest",
    group: evidence,
    summary: "sign a further statement about an artifact",
    load: () => import("./commands/attest.ts"),
  },
  {
    name: "approve",
    group: evidence,
    summary: "approve an artifact as a person, in a role",
    load: () => import("./commands/approve.ts"),
  },
  {
    name: "deploy",
    group: evidence,
    summary: "let an artifact into an environment, through the gate",
    load: () => import("./commands/deploy.ts"),
  },
  {
    name: "trust",
    group: evidence,
    summary: "show or export the trust root",
    load: () => import("./commands/trust.ts"),
  },
  {
    name: "log",
    group: evidence,
    summary: "check, prove and witness the transparency log",
    load: () => import("./commands/log.ts"),
  },
  {
    name: "materials",
    group: evidence,
    summary: "what came in from others: list, verify, carry over, prune",
    load: () => import("./commands/materials.ts"),
  },
  {
    name: "sbom",
    group: evidence,
    summary: "what software consists of: catalogue, convert, compare, merge",
    load: () => import("./commands/sbom.ts"),
  },
  {
    name: "scan",
    group: evidence,
    summary: "what is known of it: vulnerabilities, licences, and what a gate says",
    load: () => import("./commands/scan.ts"),
  },
  {
    name: "why",
    group: evidence,
    summary: "who pulls a package in, and where it was found",
    load: () => import("./commands/why.ts"),
  },
  {
    name: "advisories",
    group: evidence,
    summary: "data about vulnerabilities: update, import, status, show, prune",
    load: () => import("./commands/advisories.ts"),
  },
  {
    name: "vex",
    group: evidence,
    summary: "statements about whether a vulnerability affects: write, keep, explain",
    load: () => import("./commands/vex.ts"),
  },
  {
    name: "admit",
    group: evidence,
    summary: "may it be deployed: images, files, manifests; or execute only what may",
    load: () => import("./commands/admit.ts"),
  },
  {
    name: "admission",
    group: evidence,
    summary: "the deployment gate: serve it, look again at what runs, break-glass, status",
    load: () => import("./commands/admission.ts"),
  },
  {
    name: "policy",
    group: evidence,
    summary: "policies: write, check, test, sign, put in force, explain, replay",
    load: () => import("./commands/policy.ts"),
  },
  {
    name: "image",
    group: evidence,
    summary: "images: look into them, compare, copy, export",
    load: () => import("./commands/image.ts"),
  },
  {
    name: "user",
    group: house,
    summary: "people who sign with their own keys: add, list, remove",
    load: () => import("./commands/user.ts"),
  },
  {
    name: "registry",
    group: house,
    summary: "the factory's own OCI registry: serve, users, tokens, collect, check",
    load: () => import("./commands/registry.ts"),
  },
  {
    name: "doctor",
    group: house,
    summary: "what this host can isolate and observe",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "prune",
    group: house,
    summary: "free space, without breaking a chain",
    load: () => import("./commands/prune.ts"),
  },
  {
    name: "backup",
    group: house,
    summary: "write TOUCHMARK_HOME to one file",
    load: () => import("./commands/backup.ts"),
  },
  {
    name: "restore",
    group: house,
    summary: "read a backup into a new TOUCHMARK_HOME",
    load: () => import("./commands/restore.ts"),
  },
  {
    name: "schema",
    group: house,
    summary: "print the JSON Schema of a document",
    load: () => import("./commands/schema.ts"),
  },
  {
    name: "coverage",
    group: house,
    summary: "which requirements are met, by stage",
    load: () => import("./commands/coverage.ts"),
  },
  {
    name: "selftest",
    group: house,
    summary: "attack your own pipeline: every violation must be refused",
    load: () => import("./commands/selftest.ts"),
  },
  {
    name: "demo",
    group: house,
    summary: "build this repository, verify it, alter it, see it refused",
    load: () => import("./commands/demo.ts"),
  },
];

/** Loads the command that the first word names. @throws CLI_COMMAND_UNKNOWN */
export async function loadCommand(words: readonly string[]): Promise<Command> {
  const name = words[0] ?? "";
  const row = commandTable.find((candidate) => candidate.name === name);
  if (row === undefined) {
    const { nearestName } = await import("@touchmark/formats/pipeline");
    const near = nearestName(
      name,
      commandTable.map((candidate) => candidate.name),
    );
    throw cliErrors.make("CLI_COMMAND_UNKNOWN", `expected a command, found ${JSON.stringify(name)}`, {
      hint: near === undefined ? "touchmark --help lists the commands" : `did you mean: touchmark ${near}?`,
    });
  }
  return (await row.load()).command;
}
