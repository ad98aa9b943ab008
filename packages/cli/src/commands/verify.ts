import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { exitCodes } from "@touchmark/core";
import { digestOfFile } from "@touchmark/pipeline/file-digest";
import { type BatchFiles, type BatchResult, batchVerifier } from "@touchmark/verify";
import { type Command, given, type Invocation, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { readNamedFile } from "../output/file.ts";
import { registryOptions } from "../registry-options.ts";
import { printable, type Terminal } from "../terminal.ts";

/** `touchmark verify`: from bytes and a trust root, offline. */
export const command: Command = {
  name: "verify",
  summary: "verify an artifact against its evidence",
  description:
    "Alone: the artifact is looked up by digest in this factory, and the whole chain source, steps, artifact is checked. With --bundle: one bundle, against a trust root and an identity or key. With --evidence: an exported chain, on a machine that has no factory. With --layout: an in-toto layout with its links, or a layout of ours by this factory's evidence; inspections run in sandboxes. HOST/NAME@DIGEST or HOST/NAME:TAG: what a registry holds, by the evidence that it lists beside it.",
  arguments: [{ name: "artifact", description: "a file, sha256:<digest>, HOST/NAME@<digest>, or HOST/NAME:TAG" }],
  options: [
    { flags: "--bundle <file>", description: "verify this Sigstore bundle" },
    { flags: "--evidence <dir>", description: "verify the exported chain in this directory" },
    { flags: "--trust-root <file>", description: "trusted_root.json, got on another way than the artifact" },
    { flags: "--identity <uri>", description: "exact name in the signer's certificate" },
    { flags: "--identity-pattern <regexp>", description: "pattern for it, anchored at both ends" },
    { flags: "--issuer <url>", description: "exact issuer in the signer's certificate" },
    { flags: "--builder <uri>", description: "with --evidence: exact identity of the builder" },
    { flags: "--source <uri>", description: "with --evidence: exact source that the artifact must come from" },
    {
      flags: "--require <property>",
      description: "what the whole chain must show: hermetic",
      choices: ["hermetic"],
    },
    { flags: "--predicate-type <type>", description: "demand a statement of this type" },
    { flags: "--key <pem>", description: "public key, instead of an identity" },
    { flags: "--key-hint <hint>", description: "the hint by which the bundle must name it" },
    { flags: "--key-valid-from <time>", description: "RFC 3339; from when on the key counts" },
    { flags: "--key-valid-until <time>", description: "RFC 3339; until when" },
    { flags: "--log-threshold <n>", description: "log operators that must have recorded it (default: 1)" },
    { flags: "--timestamp-threshold <n>", description: "operators that must vouch for the time (default: 1)" },
    { flags: "--allow-log-time", description: "count the time that a log signs by its own clock" },
    { flags: "--witness-policy <file>", description: "C2SP tlog-policy: witnesses that must have cosigned" },
    { flags: "--layout <file>", description: "verify against this layout: of in-toto, signed, or of ours" },
    { flags: "--layout-key <key>", description: "public key that must have signed the layout", repeatable: true },
    { flags: "--links <dir>", description: "with --layout: where the links lie (default: here)" },
    { flags: "--layout-step <name>", description: "step whose product the artifact is (default: the last)" },
    { flags: "--parameter <name=value>", description: "value for {name} in the layout", repeatable: true },
    { flags: "--at <date>", description: "with --layout: as of that time" },
    { flags: "--batch <file>", description: "JSON Lines of cases, one answer a line" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable verdict" },
  ],
  examples: [
    ["touchmark verify dist/app.tgz", "built by this factory, unaltered, with its whole chain"],
    [
      "touchmark verify app.tgz --evidence export --trust-root trusted_root.json --builder spiffe://TD/builder --source git+https://git.example.org/app",
      "an exported chain, elsewhere",
    ],
    [
      "touchmark verify app.tgz --bundle b.sigstore.json --trust-root trusted_root.json --identity spiffe://TD/builder --issuer https://TD",
      "one bundle",
    ],
    [
      "touchmark verify demo.tar.gz --layout root.layout --layout-key alice.pub --links links",
      "an in-toto layout, its links and its inspections",
    ],
    ["touchmark verify registry.example.com/app:1.0", "an image or artifact in a registry, built by this factory"],
  ],
  async run(invocation, terminal) {
    const [artifact] = invocation.arguments;
    const isInRegistry = artifact !== undefined && (await namesRegistry(artifact, terminal));
    refuseUnused(invocation, isInRegistry);
    const batch = text(invocation, "batch");
    if (batch !== undefined) return verifyBatch(batch, terminal);
    if (artifact === undefined) throw cliErrors.make("CLI_USAGE", "expected an artifact: a file, or sha256:<digest>");
    if (text(invocation, "bundle") !== undefined) return verifyOne(artifact, invocation, terminal);
    if (text(invocation, "layout") !== undefined) {
      const { verifyByLayout } = await import("../verify-layout.ts");
      return verifyByLayout(artifact, invocation, terminal);
    }
    if (isInRegistry) {
      const { verifyInRegistry } = await import("../verify-registry.ts");
      return verifyInRegistry(artifact, invocation, terminal);
    }
    const { verifyChainOf } = await import("../verify-chain.ts");
    return verifyChainOf(artifact, invocation, terminal);
  },
};

/** What each way of verifying reads. A demand that would be ignored is an error: the reader counts on it. */
const usedBy = {
  batch: ["batch", "json"],
  bundle: [
    ...["bundle", "trustRoot", "identity", "identityPattern", "issuer", "predicateType", "witnessPolicy", "json"],
    ...["key", "keyHint", "keyValidFrom", "keyValidUntil", "logThreshold", "timestampThreshold", "allowLogTime"],
  ],
  layout: ["layout", "layoutKey", "links", "layoutStep", "parameter", "at", "json"],
  evidence: ["evidence", "trustRoot", "builder", "source", "issuer", "witnessPolicy", "require", "json"],
  registry: [
    ...["trustRoot", "builder", "source", "issuer", "witnessPolicy", "require", "json"],
    ...["mirror", "authority", "insecurePlainHttp"],
  ],
  factory: ["require", "json"],
} as const;

/** True for text that can name nothing but something in a registry: a digest and a file that is there go before. */
async function namesRegistry(artifact: string, terminal: Terminal): Promise<boolean> {
  if (!artifact.includes("/") || !/[:@]/.test(artifact)) return false;
  if (existsSync(resolve(terminal.directory, artifact))) return false;
  const { isRegistryText } = await import("../image-source.ts");
  return isRegistryText(artifact);
}

function refuseUnused(invocation: Invocation, isInRegistry: boolean): void {
  const named = (["batch", "bundle", "evidence", "layout"] as const).find(
    (name) => invocation.options[name] !== undefined,
  );
  const mode = isInRegistry && named !== "layout" ? "registry" : named;
  const used: readonly string[] = usedBy[mode ?? "factory"];
  const unused = Object.keys(invocation.options).find((name) => !used.includes(name));
  if (mode === "batch" && invocation.arguments.length > 0) {
    throw cliErrors.make("CLI_USAGE", "expected --batch FILE alone: each case names its own artifact");
  }
  if (unused === undefined) return;
  const flag = `--${unused.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw cliErrors.make(
    "CLI_USAGE",
    mode === undefined
      ? `${flag} needs --bundle, --evidence or --layout: this factory's own evidence is judged by its own trust root`
      : `${flag} has no meaning with ${mode === "registry" ? "a registry" : `--${mode}`}, and would be ignored`,
  );
}

const textOptions = [
  "bundle",
  "trustRoot",
  "identity",
  "identityPattern",
  "issuer",
  "predicateType",
  "key",
  "keyHint",
  "keyValidFrom",
  "keyValidUntil",
  "witnessPolicy",
] as const;

/** One bundle: the options become one case of the batch verifier, so that there is one way to say yes. */
async function verifyOne(artifact: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const batchCase: Record<string, unknown> = { artifact };
  for (const name of textOptions) if (text(invocation, name) !== undefined) batchCase[name] = text(invocation, name);
  for (const name of ["logThreshold", "timestampThreshold"] as const) {
    const value = text(invocation, name);
    if (value === undefined) continue;
    if (!/^[0-9]{1,4}$/.test(value))
      throw cliErrors.make("CLI_USAGE", `expected a number, found ${JSON.stringify(value)}`);
    batchCase[name] = Number(value);
  }
  if (given(invocation, "allowLogTime")) batchCase["allowLogTime"] = true;
  const result = batchVerifier(filesBelow(terminal.directory))(JSON.stringify(batchCase));
  const { id: _, ...answer } = result;
  if (given(invocation, "json")) terminal.print(JSON.stringify(answer));
  else showResult(result, terminal);
  return exitCodeOf(result);
}

async function verifyBatch(file: string, terminal: Terminal): Promise<number> {
  const lines = readNamedFile(terminal, file, "a readable file of cases").toString("utf8").split("\n");
  const verify = batchVerifier(filesBelow(dirname(resolve(terminal.directory, file))));
  for (const line of lines) if (line.trim() !== "") terminal.print(JSON.stringify(verify(line)));
  return 0;
}

/** Files by paths relative to a directory; the artifact is hashed as a stream, never held. */
function filesBelow(directory: string): BatchFiles {
  return {
    bytes: (path) => readFileSync(resolve(directory, path)),
    digest: (path) => digestOfFile(resolve(directory, path)),
  };
}

function exitCodeOf(result: BatchResult): number {
  if (result.verdict === "accepted") return 0;
  if (result.verdict === "refused") return exitCodes.refused;
  return result.code === "INTERNAL" ? exitCodes.bug : exitCodes.invalid;
}

function showResult(result: BatchResult, terminal: Terminal): void {
  const { style } = terminal;
  if (result.verdict === "accepted") {
    terminal.print(`${style.good("accepted")} ${printable(result.message)}`);
    for (const line of result.notChecked ?? []) terminal.print(`  ${style.dim(`not checked: ${printable(line)}`)}`);
    return;
  }
  terminal.note(`${style.bad(result.verdict)} ${result.code}: ${printable(result.message)}`);
  if (result.hint !== undefined) terminal.note(`  ${style.dim("what to do:")} ${printable(result.hint)}`);
}
