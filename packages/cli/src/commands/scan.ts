import type { VexDocument } from "@touchmark/advisories";
import type { ScanGatePolicy, ScanGateResult, ScanResult, SeverityThreshold } from "@touchmark/formats/findings";
import type { Invocation } from "../command.ts";
import { type Command, given, text, texts } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { cataloguing } from "../output/cataloguing.ts";
import { readNamedFile, writeNamedFile } from "../output/file.ts";
import { registryOptions } from "../registry-options.ts";
import { openScanSource, sourceDescription } from "../scan-source.ts";
import { oneLine, type Terminal } from "../terminal.ts";

const formats = ["table", "json", "sarif", "junit", "markdown", "html"] as const;

/** `touchmark scan`: SBOM, vulnerabilities, licences, and what a gate says of them. */
export const command: Command = {
  name: "scan",
  summary: "what is known of it: vulnerabilities, licences, and what a gate says",
  description:
    "Catalogues a source, or takes an SBOM, looks every component up in the advisory database of the home, judges licences, applies VEX statements, and asks the gate: the rules of --policy, else those of scan.yaml in the home. Works without a network. Exit 0 when nothing refuses, 3 when the gate does, 2 or 4 when it could not be scanned.",
  arguments: [{ name: "source", description: sourceDescription, required: true }],
  options: [
    {
      flags: "--format <format>",
      description: "table (default), json, sarif, junit, markdown or html",
      choices: formats,
    },
    { flags: "--json", description: "the same as --format json" },
    { flags: "--output <file>", description: "write the report to this file" },
    { flags: "--policy <file>", description: "rules in place of scan.yaml of the home" },
    {
      flags: "--fail-on <class>",
      description: "refuse vulnerabilities of this class and above",
      choices: ["low", "medium", "high", "critical"],
    },
    { flags: "--base <source>", description: "with new-only rules: only what this does not have refuses" },
    { flags: "--vex <file>", description: "statements of OpenVEX, CSAF or CycloneDX to apply", repeatable: true },
    { flags: "--database <digest>", description: "an earlier advisory database, to repeat a scan" },
    { flags: "--allow-stale", description: "take advisory data that is older than advisories.yaml allows" },
    { flags: "--platform <platform>", description: "of an image for several: os/architecture[/variant]" },
    ...registryOptions,
  ],
  examples: [
    ["touchmark scan .", "vulnerabilities and licences of this directory"],
    ["touchmark scan oci-dir:image --fail-on high", "exit 3 when something of class high or critical is in it"],
    ["touchmark scan sbom:sbom.cdx.json --format sarif --output scan.sarif", "of an SBOM, for code hosts"],
    [
      "touchmark scan . --policy scan.yaml --base registry:HOST/NAME:1",
      "rules of a file, beside what was there before",
    ],
  ],
  subcommands: [
    {
      name: "compare",
      summary: "our scan beside results of other scanners: who found what, and why not",
      load: () => import("./scan/compare.ts"),
    },
  ],
  async run(invocation, terminal) {
    const format = given(invocation, "json") ? "json" : (text(invocation, "format") ?? "table");
    const { decideAll, scanSettingsOfHome, vexFor } = await import("@touchmark/pipeline/analysis");
    const pinned = text(invocation, "database");
    const { configuration, database, ages, kept, ignored } = await scanSettingsOfHome({
      ...(pinned === undefined ? {} : { database: pinned }),
      allowStale: given(invocation, "allowStale"),
    });
    for (const { source, from } of (ages ?? []).filter(({ verdict }) => verdict !== "fresh")) {
      terminal.note(`${terminal.style.warn("old data")}: ${oneLine(source)} is of ${from}`);
    }
    for (const { digest, message } of ignored) {
      terminal.note(oneLine(`VEX document ${digest} does not count: ${message}`));
    }
    try {
      const policies = await policiesOf(invocation, terminal, configuration.gate);
      const options = { now: new Date(), policies, ...(database === undefined ? {} : { database }) };
      const scanned = await scanSource(invocation.arguments[0] ?? "", invocation, terminal, options);
      const { digest } = scanned.sbom.subject;
      const about = { now: options.now, ...(digest === undefined ? {} : { artifact: digest }) };
      const result = await withStatements(scanned, vexFor(kept, about), texts(invocation, "vex"), terminal);
      const baseWords = text(invocation, "base");
      if (baseWords !== undefined && !policies.some(({ vulnerabilities }) => vulnerabilities?.newOnly === true)) {
        terminal.note("--base has no effect: no rule over vulnerabilities says new-only");
      }
      const base = baseWords === undefined ? undefined : await scanSource(baseWords, invocation, terminal, options);
      const gate = decideAll(result, policies, options.now, base);
      await report(result, gate, format, text(invocation, "output"), terminal);
      return gate.verdict === "refused" ? 3 : 0;
    } finally {
      database?.close();
    }
  },
};

type Options = Parameters<typeof import("@touchmark/pipeline/analysis").scanSbom>[1];

async function scanSource(
  words: string,
  invocation: Invocation,
  terminal: Terminal,
  options: Options,
): Promise<ScanResult> {
  const { scanSbom } = await import("@touchmark/pipeline/analysis");
  const source = await openScanSource(words, invocation, terminal);
  try {
    return scanSbom(await cataloguing(source, terminal), options);
  } finally {
    source.close();
  }
}

/** Rules of a file or of the home; a class on the command line stands beside them, so that it only tightens. */
async function policiesOf(
  invocation: Invocation,
  terminal: Terminal,
  ofHome: ScanGatePolicy | undefined,
): Promise<readonly ScanGatePolicy[]> {
  const file = text(invocation, "policy");
  const { parseScanConfiguration } = await import("@touchmark/pipeline/analysis");
  const { gate } =
    file === undefined
      ? { gate: ofHome }
      : parseScanConfiguration(readNamedFile(terminal, file, "a readable file of rules").toString("utf8"), file);
  if (file !== undefined && (gate === undefined || refusesNothing(gate))) {
    throw cliErrors.make(
      "CLI_USAGE",
      `expected rules under gate in ${file}, found none that can refuse or was asked to warn`,
    );
  }
  const threshold = text(invocation, "failOn") as SeverityThreshold | undefined;
  const { scanGatePolicy } = await import("@touchmark/formats/pipeline");
  return [
    ...(gate === undefined ? [] : [gate]),
    ...(threshold === undefined ? [] : [scanGatePolicy({ vulnerabilities: { refuse: threshold } })]),
  ];
}

/** True where nothing is asked beyond what is warned of without being asked. */
function refusesNothing(gate: ScanGatePolicy): boolean {
  const { vulnerabilities, licences, unownedExecutables, supplierSbom, unaccountedComponents, losses } = gate;
  return (
    vulnerabilities === undefined &&
    licences === undefined &&
    gate.requiredReports.length === 0 &&
    [unownedExecutables, supplierSbom].every((each) => each === "ignore") &&
    [unaccountedComponents, losses].every((each) => each !== "refuse")
  );
}

/** Statements that the home keeps, and those of files of the command line. */
async function withStatements(
  result: ScanResult,
  kept: readonly VexDocument[],
  files: readonly string[],
  terminal: Terminal,
): Promise<ScanResult> {
  if (files.length + kept.length === 0) return result;
  const { applyVex, readVex } = await import("@touchmark/advisories");
  const given = files.map((file) => readVex(readNamedFile(terminal, file, "a readable VEX document"), { name: file }));
  const { result: applied, unmatched } = applyVex(result, [...kept, ...given]);
  const told = unmatched.filter(({ document }) => given.some(({ id }) => id === document));
  for (const { statement, why } of told.slice(0, 20)) terminal.note(oneLine(`no effect: ${statement}: ${why}`));
  return applied;
}

async function report(
  result: ScanResult,
  gate: ScanGateResult,
  format: string,
  output: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const reports = await import("@touchmark/advisories");
  const made: string =
    format === "json"
      ? reports.scanJson(result, gate)
      : format === "sarif"
        ? reports.scanSarif(result, gate)
        : format === "junit"
          ? reports.scanJunit(result, gate)
          : format === "markdown"
            ? reports.scanMarkdown(result, gate)
            : format === "html"
              ? reports.scanHtml(result, gate)
              : reports.scanTable(result, gate, { paint: (mark, words) => terminal.style[mark](words) });
  if (output === undefined) terminal.print(made.trimEnd());
  else {
    writeNamedFile(terminal, output, made.endsWith("\n") ? made : `${made}\n`);
    terminal.note(
      `${result.sbom.components.length - 1} components, ${result.findings.length} findings, gate: ${gate.verdict}; written to ${output}`,
    );
  }
}
