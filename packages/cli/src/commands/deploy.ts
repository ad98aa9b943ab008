import type { CallerFacts } from "@touchmark/policy";
import { type Command, given, type Invocation, text, texts } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeNamedFile } from "../output/file.ts";
import type { Terminal } from "../terminal.ts";
import { keyOption, personKey } from "../user-key.ts";

/** `touchmark deploy`: an artifact goes into an environment. */
export const command: Command = {
  name: "deploy",
  summary: "let an artifact into an environment, through the gate",
  description:
    "Environments stand in their order in policy/environments.yaml of the home. The gate relies on the decision on the artifact's publication and on its deployment to the environment before, asks the policies in force, and gets a credential of one minute that signs what was deployed where. What is signed is kept beside the artifact's evidence; bringing the bytes there is the caller's own.",
  arguments: [{ name: "artifact", description: "a file, or sha256:<digest>", required: true }],
  options: [
    { flags: "--environment <name>", description: "where to" },
    { flags: "--as <name>", description: "a person who asks, and shows the enrolled key" },
    keyOption,
    { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
    { flags: "--renew", description: "ask the gate of publication again first, when its decision has expired" },
    { flags: "--out <file>", description: "also write the deployment's bundle to this file" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark deploy app.tgz --environment staging", "the first environment"],
    ["touchmark deploy app.tgz --environment production --as ada", "after staging, in the name of a person"],
  ],
  async run(invocation, terminal) {
    const environment = text(invocation, "environment");
    if (environment === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected --environment NAME", { hint: "touchmark deploy --help" });
    }
    const { namedArtifact, openFactory } = await import("@touchmark/pipeline");
    const { deployGate, renewPublication } = await import("@touchmark/pipeline/gates");
    const { policiesInForce, readPolicyFiles } = await import("@touchmark/pipeline/policy");
    const { digest, path } = await namedArtifact(invocation.arguments[0] ?? "");
    const artifact = { digest, name: path?.split("/").at(-1) ?? digest };
    const files = texts(invocation, "policy");
    const factory = await openFactory();
    try {
      const policies = await policiesInForce(factory, files.length === 0 ? {} : { files: readPolicyFiles(files) });
      const caller = await callerOf(factory, invocation, terminal);
      if (given(invocation, "renew")) await renewPublication(factory, policies, artifact);
      const report = await deployGate(factory, { artifact, environment, policies, ...caller });
      const { bytes, ...deployment } = report.deployment;
      const out = text(invocation, "out");
      if (out !== undefined) writeNamedFile(terminal, out, bytes);
      if (given(invocation, "json")) {
        terminal.print(JSON.stringify({ verdict: "accepted", ...report, deployment }));
      } else {
        terminal.print(`${environment}  ${artifact.name === digest ? "" : `${artifact.name}  `}${digest}`);
        terminal.print(`decision ${report.decision.bundle}, log entry ${report.decision.logIndex}`);
        terminal.print(`signed as ${deployment.identity}, log entry ${deployment.logIndex}`);
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};

async function callerOf(
  factory: Awaited<ReturnType<typeof import("@touchmark/pipeline")["openFactory"]>>,
  invocation: Invocation,
  terminal: Terminal,
): Promise<{ readonly caller?: CallerFacts }> {
  const name = text(invocation, "as");
  if (name === undefined) return {};
  const { provePerson } = await import("@touchmark/pipeline/people");
  return { caller: await provePerson(factory, name, await personKey(terminal, invocation, name)) };
}
