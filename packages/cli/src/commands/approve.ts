import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeNamedFile } from "../output/file.ts";
import { timeOption } from "../time-option.ts";
import { keyOption, personKey } from "../user-key.ts";

/** `touchmark approve`: a person answers for an artifact. */
export const command: Command = {
  name: "approve",
  summary: "approve an artifact as a person, in a role",
  description:
    "Signs an approval with the person's own key, logs it and keeps it beside the artifact's evidence, where policies can demand approvals by distinct people in distinct roles.",
  arguments: [{ name: "artifact", description: "a file, or sha256:<digest>", required: true }],
  options: [
    { flags: "--as <name>", description: "the person: a name that `user add` enrolled" },
    { flags: "--role <role>", description: "a role in which the person is enrolled" },
    keyOption,
    { flags: "--environment <name>", description: "only for this environment" },
    { flags: "--reason <text>", description: "why, for people" },
    { flags: "--expires <date>", description: "from when on it counts no more: 2027-01-31" },
    { flags: "--withdraw", description: "take an earlier approval back" },
    { flags: "--out <file>", description: "also write the bundle to this file" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark approve app.tgz --as ada --role release-manager", "signed with ada's key, logged, kept"],
    ["touchmark approve sha256:… --as ada --role auditor --environment production --expires 2027-01-31", "for a while"],
  ],
  async run(invocation, terminal) {
    const user = text(invocation, "as");
    const role = text(invocation, "role");
    if (user === undefined || role === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected --as NAME and --role ROLE", { hint: "touchmark approve --help" });
    }
    const options = approvalOptions(text(invocation, "environment"), text(invocation, "reason"));
    const expires = timeOption(text(invocation, "expires"), "--expires");
    const key = await personKey(terminal, invocation, user);
    const { namedArtifact, openFactory } = await import("@touchmark/pipeline");
    const { approveArtifact } = await import("@touchmark/pipeline/people");
    const { digest, path } = await namedArtifact(invocation.arguments[0] ?? "");
    const factory = await openFactory();
    try {
      const { bytes, ...report } = await approveArtifact(factory, {
        artifact: { digest, name: path?.split("/").at(-1) ?? digest },
        ...{ user, role, key },
        decision: given(invocation, "withdraw") ? "withdrawn" : "approved",
        ...options,
        ...(expires === undefined ? {} : { expires }),
      });
      const out = text(invocation, "out");
      if (out !== undefined) writeNamedFile(terminal, out, bytes);
      if (given(invocation, "json")) terminal.print(JSON.stringify({ artifact: digest, role, ...report }));
      else terminal.print(`${digest}\nsigned as ${report.identity} in the role ${role}, log entry ${report.logIndex}`);
      return 0;
    } finally {
      await factory.close();
    }
  },
};

function approvalOptions(environment: string | undefined, reason: string | undefined) {
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(reason === undefined ? {} : { reason }),
  };
}
