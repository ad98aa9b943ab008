import { availableParallelism } from "node:os";
import { exitCodes } from "@touchmark/core";
import type { Factory, RunOutcome, RunRequest } from "@touchmark/pipeline";
import { given, type Invocation, type OptionSpec, text, texts } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { progressDisplay } from "./output/progress.ts";
import type { Terminal } from "./terminal.ts";

/** What every command that runs a pipeline can be told. */
export const runOptions: readonly OptionSpec[] = [
  { flags: "--source <location>", description: "git repository, path or URL (default: the repository here)" },
  { flags: "--revision <revision>", description: "commit, tag or branch (default: HEAD)" },
  { flags: "--param <k=v>", description: "value of a parameter; may stand several times", repeatable: true },
  { flags: "--jobs <n>", description: "steps at once (default: one a processor)" },
  { flags: "--no-cache", description: "perform every step again" },
  { flags: "--offline", description: "no network at all: fetch steps are answered by the mirror" },
  { flags: "--untrusted", description: "a change from outside: its steps get no credential; recorded" },
  { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
  { flags: "--insecure-working-tree", description: "build uncommitted changes too; recorded in the provenance" },
  { flags: "--insecure-image", description: "allow steps to take images that nobody vouches for; recorded" },
  { flags: "--insecure-process", description: "allow steps that ask for no sandbox; recorded in the provenance" },
  {
    flags: "--bundle-profile <profile>",
    description: "v2, or v1 for verifiers that know only the former shape of bundles",
    choices: ["v1", "v2"],
  },
  {
    flags: "--worker <backend>",
    description: "what makes the sandboxes (default: the first that works here; `touchmark doctor` says which)",
    choices: ["bubblewrap", "crun", "runc"],
  },
];

/** Runs the pipeline that a command line asks for, shows its progress, and gives the exit code of how it ended. */
export async function performRun(
  invocation: Invocation,
  terminal: Terminal,
  show: (outcome: RunOutcome, factory: Factory) => Promise<void> | void,
): Promise<number> {
  const { openFactory, runPipeline } = await import("@touchmark/pipeline");
  const { findRepositoryRoot } = await import("@touchmark/source");
  const policies = await policyFiles(texts(invocation, "policy"));
  const factory = await openFactory({
    create: true,
    ...(terminal.environment["TOUCHMARK_ROOT_PASSPHRASE"] === undefined
      ? {}
      : { rootPassphrase: terminal.environment["TOUCHMARK_ROOT_PASSPHRASE"] }),
  });
  const display = progressDisplay(terminal);
  try {
    const outcome = await runPipeline(factory, {
      location: text(invocation, "source") ?? findRepositoryRoot(terminal.directory) ?? terminal.directory,
      ...optional("revision", text(invocation, "revision")),
      ...optional("pipeline", invocation.arguments[0]),
      parameters: parameters(texts(invocation, "param")),
      jobs: jobs(invocation),
      cache: invocation.options["cache"] !== false,
      offline: given(invocation, "offline"),
      trusted: !given(invocation, "untrusted"),
      insecureWorkingTree: given(invocation, "insecureWorkingTree"),
      insecureProcess: given(invocation, "insecureProcess"),
      insecureImage: given(invocation, "insecureImage"),
      ...worker(text(invocation, "worker")),
      ...(policies === undefined ? {} : { policies }),
      ...(text(invocation, "bundleProfile") === "v1" ? { bundleProfile: "v1" as const } : {}),
      environment: terminal.environment,
      signal: terminal.signal,
      listener: display.listener,
    });
    display.close();
    await show(outcome, factory);
    return runExitCode(outcome);
  } finally {
    display.close();
    await factory.close();
  }
}

async function policyFiles(paths: readonly string[]): Promise<RunRequest["policies"]> {
  if (paths.length === 0) return undefined;
  const { readPolicyFiles } = await import("@touchmark/pipeline/policy");
  return readPolicyFiles(paths);
}

function worker(name: string | undefined): { worker?: "bubblewrap" | "crun" | "runc" } {
  return name === "bubblewrap" || name === "crun" || name === "runc" ? { worker: name } : {};
}

function optional<Name extends string>(name: Name, value: string | undefined): { [K in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [K in Name]?: string };
}

function parameters(pairs: readonly string[]): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1)
      throw cliErrors.make("CLI_USAGE", `expected --param NAME=VALUE, found ${JSON.stringify(pair.slice(0, 80))}`);
    values[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return values;
}

function jobs(invocation: Invocation): number {
  const given = text(invocation, "jobs");
  if (given === undefined) return availableParallelism();
  if (!/^[1-9][0-9]{0,2}$/.test(given))
    throw cliErrors.make("CLI_USAGE", `expected --jobs 1 to 999, found ${JSON.stringify(given)}`);
  return Number(given);
}

/** What our side ended has the exit code of its nature; a step's own command that failed is 1. */
export function runExitCode(outcome: RunOutcome): number {
  const error = outcome.error ?? outcome.steps.find((step) => step.error !== undefined)?.error;
  if (outcome.status === "refused" && error !== undefined) return exitCodes[error.nature];
  // All is signed and stored, and not all of it published.
  if (outcome.status === "succeeded" && outcome.error !== undefined) return exitCodes[outcome.error.nature];
  return { succeeded: 0, failed: 1, refused: exitCodes.refused, cancelled: 130 }[outcome.status];
}
