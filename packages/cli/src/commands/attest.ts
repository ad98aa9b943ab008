import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { readNamedFile, writeNamedFile } from "../output/file.ts";

/** `touchmark attest`: a further statement about an artifact, under an identity that is no step and no builder. */
export const command: Command = {
  name: "attest",
  summary: "sign a further statement about an artifact",
  description:
    "Signs a predicate of yours about an artifact as spiffe://TD/attest, logs it and stores the bundle. Predicates that only the factory may make are refused.",
  arguments: [{ name: "artifact", description: "a file, or sha256:<digest>", required: true }],
  options: [
    { flags: "--type <uri>", description: "predicate type" },
    { flags: "--predicate <file>", description: "JSON file with the predicate" },
    { flags: "--out <file>", description: "also write the bundle to this file" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark attest app.tgz --type https://example.org/review/v1 --predicate review.json", "signed, logged, stored"],
  ],
  async run(invocation, terminal) {
    const type = text(invocation, "type");
    const file = text(invocation, "predicate");
    if (type === undefined || file === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected --type URI and --predicate FILE", {
        hint: "touchmark attest --help",
      });
    }
    const predicate = readNamedFile(terminal, file, "a readable predicate file");
    const { attestArtifact, namedArtifact, openFactory } = await import("@touchmark/pipeline");
    const artifact = await namedArtifact(invocation.arguments[0] ?? "");
    const factory = await openFactory();
    try {
      const { bytes, ...report } = await attestArtifact(factory, { artifact, type, predicate });
      const out = text(invocation, "out");
      if (out !== undefined) writeNamedFile(terminal, out, bytes);
      if (given(invocation, "json")) terminal.print(JSON.stringify(report));
      else terminal.print(`${report.bundle}  ${type}\nsigned as ${report.identity}, log entry ${report.logIndex}`);
      return 0;
    } finally {
      await factory.close();
    }
  },
};
