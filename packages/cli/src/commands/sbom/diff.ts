import { exitCodes } from "@touchmark/core";
import type { ComparedComponent, SbomDifference } from "@touchmark/sbom";
import { type Command, given, text } from "../../command.ts";
import { writeNamedFile } from "../../output/file.ts";
import { registryOptions } from "../../registry-options.ts";
import { oneLine, type Style } from "../../terminal.ts";
import { documentOrSource } from "./document.ts";

/** `touchmark sbom diff`: what two SBOMs differ in. */
export const command: Command = {
  name: "sbom diff",
  summary: "what two SBOMs or sources differ in",
  description:
    "Compares by package: what came, what went, what changed its version, licence, scope, supplier or digest, and which edges came and went. A file is read as an SBOM document of any format; anything else is catalogued as touchmark sbom does. Another digest under the same version is an alarm; the exit code is then 3.",
  arguments: [
    { name: "before", description: "an SBOM document, or a source", required: true },
    { name: "after", description: "another one", required: true },
  ],
  options: [
    {
      flags: "--format <form>",
      description: "text (default), json or markdown",
      choices: ["text", "json", "markdown"],
    },
    { flags: "--json", description: "machine-readable output; the same as --format json" },
    { flags: "--edges", description: "list edges one by one" },
    { flags: "--output <file>", description: "write the report to this file" },
    ...registryOptions,
  ],
  examples: [
    ["touchmark sbom diff v1.cdx.json v2.spdx.json", "what a release brings; formats may differ"],
    ["touchmark sbom diff old.cdx.json . --format markdown", "this directory against an SBOM, for a pull request"],
  ],
  async run(invocation, terminal) {
    const [before = "", after = ""] = invocation.arguments;
    const { compareSboms } = await import("@touchmark/sbom");
    const difference = compareSboms(
      await documentOrSource(before, invocation, terminal),
      await documentOrSource(after, invocation, terminal),
    );
    const format = given(invocation, "json") ? "json" : (text(invocation, "format") ?? "text");
    const withEdges = given(invocation, "edges");
    const report =
      format === "json"
        ? JSON.stringify(difference, undefined, 2)
        : format === "markdown"
          ? markdown(difference, withEdges)
          : lines(difference, withEdges, terminal.style);
    const output = text(invocation, "output");
    if (output === undefined) terminal.print(report);
    else writeNamedFile(terminal, output, `${report}\n`);
    return difference.changed.some(({ alarm }) => alarm) ? exitCodes.refused : 0;
  },
};

function lines(difference: SbomDifference, withEdges: boolean, style: Style): string {
  const named = ({ package: name, version }: ComparedComponent): string => oneLine(`${name} ${version}`.trim());
  const edge = ({ from, to }: { readonly from: string; readonly to: string }): string => oneLine(`${from} -> ${to}`);
  return [
    ...difference.changed
      .filter(({ alarm }) => alarm)
      .map(
        (change) =>
          `${style.bad("alarm")} ${oneLine(`${change.package} ${change.before}`)}: other digest, same version`,
      ),
    ...difference.added.map((component) => `${style.good("+")} ${named(component)}`),
    ...difference.removed.map((component) => `${style.bad("-")} ${named(component)}`),
    ...difference.changed.map(
      ({ package: name, changes }) => `${style.warn("~")} ${oneLine(name)} ${changes.map(changeText).join("; ")}`,
    ),
    ...(withEdges ? difference.edgesAdded.map((each) => `${style.good("+")} ${edge(each)}`) : []),
    ...(withEdges ? difference.edgesRemoved.map((each) => `${style.bad("-")} ${edge(each)}`) : []),
    summary(difference),
  ].join("\n");
}

function changeText({ what, before, after }: SbomDifference["changed"][number]["changes"][number]): string {
  const shown = (value: string): string => (value === "" ? "(none)" : oneLine(value));
  return `${what} ${shown(before)} -> ${shown(after)}`;
}

function markdown(difference: SbomDifference, withEdges: boolean): string {
  const rows = [
    ...difference.changed.map(({ package: name, changes, alarm }) => [
      alarm ? "**alarm**" : "changed",
      cell(name),
      changes.map((change) => cell(changeText(change))).join("<br>"),
    ]),
    ...difference.added.map(({ package: name, version }) => ["added", cell(name), cell(version)]),
    ...difference.removed.map(({ package: name, version }) => ["removed", cell(name), cell(version)]),
    ...(withEdges ? difference.edgesAdded.map(({ from, to }) => ["edge added", cell(from), cell(to)]) : []),
    ...(withEdges ? difference.edgesRemoved.map(({ from, to }) => ["edge removed", cell(from), cell(to)]) : []),
  ];
  const table =
    rows.length === 0 ? [] : ["| | Package | |", "|---|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)];
  return ["### Bill of materials", "", ...table, "", summary(difference)].join("\n");
}

/** Names come from others: nothing in them is markup, a link or a new cell. */
function cell(value: string): string {
  return oneLine(value).replace(/[\\`*_{}[\]<>()#+!|~&@]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function summary({ added, removed, changed, edgesAdded, edgesRemoved, unchanged }: SbomDifference): string {
  return `${added.length} added, ${removed.length} removed, ${changed.length} changed, ${unchanged} the same; ${edgesAdded.length} edges added, ${edgesRemoved.length} removed`;
}
