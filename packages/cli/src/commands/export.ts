import { resolve } from "node:path";
import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";

/** `touchmark export`: artifact and evidence for a machine that has no factory. */
export const command: Command = {
  name: "export",
  summary: "write artifact and evidence to a directory",
  description:
    "Writes the artifact alone at the top, its bundles below bundles/, and there the commands to verify them. The trust root is never put beside the artifact: touchmark trust export gives it, for its own way.",
  arguments: [{ name: "artifact", description: "a file, or sha256:<digest>", required: true }],
  options: [
    { flags: "--out <dir>", description: "directory to write; new or empty" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [["touchmark export sha256:… --out release", "release/app.tgz and release/bundles/*.sigstore.json"]],
  async run(invocation, terminal) {
    const out = text(invocation, "out");
    if (out === undefined) throw cliErrors.make("CLI_USAGE", "expected --out DIR", { hint: "touchmark export --help" });
    const { exportArtifact, namedArtifact, openFactory } = await import("@touchmark/pipeline");
    const artifact = await namedArtifact(invocation.arguments[0] ?? "");
    const factory = await openFactory();
    try {
      const report = await exportArtifact(factory, artifact.digest, resolve(terminal.directory, out));
      if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
      else {
        terminal.print(`${report.artifact}\n${report.bundles.length} bundles in ${report.bundlesDirectory}`);
        terminal.print(`trust root fingerprint ${report.trustRoot}`);
        terminal.note("next: touchmark trust export --out trusted_root.json, and send it on another way");
        terminal.note(`      ${report.verifyCommand}`);
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};
