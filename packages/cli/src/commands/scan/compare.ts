import { compareScans, type ForeignScan, readForeignScan, type ScanComparison } from "@touchmark/advisories";
import { type Digest, isDigest } from "@touchmark/core";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { cataloguing } from "../../output/cataloguing.ts";
import { readNamedFile, writeNamedFile } from "../../output/file.ts";
import { registryOptions } from "../../registry-options.ts";
import { openScanSource, sourceDescription } from "../../scan-source.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark scan compare`: our scan beside those of others. */
export const command: Command = {
  name: "scan compare",
  summary: "our scan beside results of grype, trivy, osv-scanner and syft: who found what, and why not",
  arguments: [
    { name: "source", description: sourceDescription, required: true },
    { name: "results", description: "JSON or SARIF of other scanners", required: true, variadic: true },
  ],
  options: [
    { flags: "--differences", description: "only what not all found" },
    { flags: "--attest <digest>", description: "sign the others' results as further evidence about this artifact" },
    { flags: "--output <file>", description: "write the comparison to this file, as JSON" },
    { flags: "--platform <platform>", description: "of an image for several: os/architecture[/variant]" },
    { flags: "--json", description: "machine-readable output" },
    ...registryOptions,
  ],
  examples: [
    ["grype dir:. -o json > grype.json && touchmark scan compare . grype.json", "each finding with who found it"],
    ["touchmark scan compare sha256:… trivy.json --attest sha256:…", "theirs is signed, logged and kept as theirs"],
  ],
  async run(invocation, terminal) {
    const [words = "", ...files] = invocation.arguments;
    const foreign = files.map((file) => readForeignScan(readNamedFile(terminal, file, "a result of a scanner"), file));
    const artifact = attested(text(invocation, "attest"));
    const { attestForeignScan, scanSbom, scanSettingsOfHome } = await import("@touchmark/pipeline/analysis");
    const { database } = await scanSettingsOfHome({ allowStale: true });
    const source = await openScanSource(words, invocation, terminal);
    try {
      const options = { now: new Date(), policies: [], ...(database === undefined ? {} : { database }) };
      const comparison = compareScans(scanSbom(await cataloguing(source, terminal), options), foreign, database);
      const output = text(invocation, "output");
      if (output !== undefined) writeNamedFile(terminal, output, `${JSON.stringify(comparison, undefined, 2)}\n`);
      if (given(invocation, "json")) terminal.print(JSON.stringify(comparison));
      else show(comparison, given(invocation, "differences"), terminal);
      if (artifact !== undefined) await attest(artifact, foreign, attestForeignScan, terminal);
      return 0;
    } finally {
      source.close();
      database?.close();
    }
  },
};

function attested(artifact: string | undefined): Digest | undefined {
  if (artifact === undefined || isDigest(artifact)) return artifact;
  throw cliErrors.make("CLI_USAGE", `expected --attest sha256:…, found ${JSON.stringify(artifact.slice(0, 100))}`);
}

async function attest(
  artifact: Digest,
  foreign: readonly ForeignScan[],
  sign: typeof import("@touchmark/pipeline/analysis").attestForeignScan,
  terminal: Terminal,
): Promise<void> {
  const { openFactory } = await import("@touchmark/pipeline");
  const factory = await openFactory({ create: true });
  try {
    for (const scan of foreign.filter(({ findings }) => findings !== undefined)) {
      const { bundle } = await sign(factory, artifact, scan);
      terminal.note(`${scan.tool}: signed as ${bundle}`);
    }
  } finally {
    await factory.close();
  }
}

function show({ scanners, findings, packages }: ScanComparison, onlyDifferences: boolean, terminal: Terminal): void {
  const { style } = terminal;
  const judging = scanners.filter((scanner) => scanner.findings !== undefined).length;
  for (const { name, version, packages: listed, findings: found } of scanners) {
    const what = found === undefined ? "no findings in this form" : `${found} findings`;
    terminal.print(
      oneLine(`${style.bold(name)}${version === undefined ? "" : ` ${version}`}: ${listed} packages, ${what}`),
    );
  }
  const shown = findings.filter(({ foundBy }) => !onlyDifferences || foundBy.length < judging);
  for (const { id, package: name, version, foundBy, why } of shown) {
    const mark = foundBy.length === judging ? style.good("all ") : style.warn("some");
    terminal.print(
      oneLine(`${mark} ${id}  ${name} ${version}  by ${foundBy.join(", ")}${why === "" ? "" : style.dim(`  ${why}`)}`),
    );
  }
  const agreed = findings.filter(({ foundBy }) => foundBy.length === judging).length;
  terminal.print(
    `${findings.length} findings, ${agreed} found by all; ${packages.length} packages are not listed by all`,
  );
}
