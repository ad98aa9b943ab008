import { resolve } from "node:path";
import { type Command, given, type Invocation, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeNamedFile } from "../output/file.ts";
import type { Terminal } from "../terminal.ts";

/** `touchmark export`: artifact and evidence for a machine that has no factory. */
export const command: Command = {
  name: "export",
  summary: "write artifact and evidence to a directory",
  description:
    "Writes the artifact alone at the top, its bundles below bundles/, and there the commands to verify them. The trust root is never put beside the artifact: touchmark trust export gives it, for its own way.",
  arguments: [{ name: "artifact", description: "a file, or sha256:<digest>", required: true }],
  options: [
    { flags: "--out <dir>", description: "directory to write; new or empty" },
    { flags: "--vsa <file>", description: "write the gate's decision for `slsa-verifier verify-vsa` instead" },
    {
      flags: "--compatibility-key",
      description: "with --vsa: signed by the long-lived key, which no verification here counts",
    },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark export sha256:… --out release", "release/app.tgz and release/bundles/*.sigstore.json"],
    ["touchmark export sha256:… --vsa vsa.json --compatibility-key", "vsa.json and vsa.json.pub.pem"],
  ],
  async run(invocation, terminal) {
    if (text(invocation, "vsa") !== undefined || given(invocation, "compatibilityKey")) {
      return writeVsa(invocation, terminal);
    }
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

/** The decision on a publication as a bare envelope, and the key to check it with. */
async function writeVsa(invocation: Invocation, terminal: Terminal): Promise<number> {
  const file = text(invocation, "vsa");
  if (file === undefined || !given(invocation, "compatibilityKey") || text(invocation, "out") !== undefined) {
    throw cliErrors.make("CLI_USAGE", "expected --vsa FILE and --compatibility-key, without --out", {
      hint: "its signature says neither when it was made nor who asked; a bundle of `export --out` does",
    });
  }
  const { namedArtifact, openFactory } = await import("@touchmark/pipeline");
  const { compatibilityVsa } = await import("@touchmark/pipeline/gates");
  const { digest, path } = await namedArtifact(invocation.arguments[0] ?? "");
  const factory = await openFactory();
  try {
    const vsa = await compatibilityVsa(factory, { digest, name: path?.split("/").at(-1) ?? digest });
    const { publicKey, envelope, ...facts } = vsa;
    const written = writeNamedFile(terminal, file, envelope);
    const key = writeNamedFile(terminal, `${file}.pub.pem`, publicKey);
    if (given(invocation, "json")) terminal.print(JSON.stringify({ digest, vsa: written, key, ...facts }));
    else {
      terminal.print(`${written}\nkey ${vsa.keyId} in ${key}`);
      terminal.note("next: send the key on another way, and there");
      terminal.note(
        `      slsa-verifier verify-vsa --subject-digest ${digest} --attestation-path ${file} --verifier-id ${vsa.verifier} --resource-uri ${vsa.resourceUri} --verified-level ${vsa.levels[0] ?? ""} --public-key-path ${file}.pub.pem --public-key-id ${vsa.keyId}`,
      );
    }
    return 0;
  } finally {
    await factory.close();
  }
}
