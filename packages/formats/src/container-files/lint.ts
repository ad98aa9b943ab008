import { isFactoryError } from "@touchmark/core";
import { credential } from "../pipeline/lint.ts";
import { lintCompose } from "./compose.ts";
import { containerFileErrors } from "./errors.ts";
import { ContainerFileError, type ContainerFinding, Findings, type Report } from "./finding.ts";
import { lintHelmTemplate, lintHelmValues } from "./helm.ts";
import { type ContainerFileKind, chartOf, containerFileKind, directoryOf } from "./kind.ts";
import { lintKubernetes } from "./kubernetes.ts";
import { lintMakefile } from "./makefile.ts";
import { lintRecipe } from "./recipe-rules.ts";
import { lintScript } from "./script-rules.ts";
import { readShell } from "./shell-reader.ts";
import { TextBuilder } from "./source-text.ts";
import { applySuppressions, type LineSpan, readSuppressions } from "./suppression.ts";
import { readYamlTrees, textOf, type YamlTree } from "./yaml-tree.ts";

/** A file as the lint takes it. Paths have `/` and no leading `./`. */
export interface ContainerFileText {
  readonly path: string;
  readonly text: string;
}

/** What was looked at, and what was found. */
export interface ContainerLint {
  readonly files: readonly { readonly path: string; readonly kind: ContainerFileKind }[];
  /** By file as given, then by line; suppressed ones too. */
  readonly findings: readonly ContainerFinding[];
}

const MAX_LENGTH = 4 * 1024 * 1024;
// As for pipeline files: control characters, and those that make text look other than it is (CVE-2021-42574).
const forbidden = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/;

/** Judges container files; others are left alone. What cannot be read is a finding, and the rest is judged. */
export function lintContainerFiles(files: readonly ContainerFileText[]): ContainerLint {
  const charts = new Set(
    files.filter(({ path }) => /(?:^|\/)Chart\.ya?ml$/.test(path)).map(({ path }) => directoryOf(path)),
  );
  const values = new Map<string, YamlTree | undefined>();
  const valuesOf = (chart: string): YamlTree | undefined => {
    if (!values.has(chart)) {
      const path = `${chart === "" ? "" : `${chart}/`}values.yaml`;
      values.set(chart, firstTree(files.find((file) => file.path === path)?.text));
    }
    return values.get(chart);
  };
  const known: { path: string; kind: ContainerFileKind }[] = [];
  const findings: ContainerFinding[] = [];
  for (const { path, text } of files) {
    const kind = containerFileKind(path, text, charts);
    if (kind === undefined) continue;
    known.push({ path, kind });
    const chart = kind === "helm-template" ? chartOf(path, charts) : undefined;
    findings.push(...lintText(path, text, kind, chart === undefined ? undefined : valuesOf(chart)));
  }
  return { files: known, findings };
}

/** Judges one file, of a kind that its name and content decide. @throws CONTAINER_FILE_UNKNOWN */
export function lintContainerFile(path: string, text: string): ContainerFinding[] {
  const kind = containerFileKind(path, text);
  if (kind === undefined) {
    const found = JSON.stringify(path.slice(0, 200));
    throw containerFileErrors.make("CONTAINER_FILE_UNKNOWN", `expected a container file, found ${found}`);
  }
  return lintText(path, text, kind, undefined);
}

function firstTree(text: string | undefined): YamlTree | undefined {
  if (text === undefined || text.length > MAX_LENGTH) return undefined;
  try {
    return readYamlTrees(text)[0];
  } catch (error) {
    // The file itself is judged too, and says what is wrong with it.
    if (isFactoryError(error)) return undefined;
    throw error;
  }
}

function lintText(
  path: string,
  text: string,
  kind: ContainerFileKind,
  values: YamlTree | undefined,
): ContainerFinding[] {
  const findings = new Findings(path);
  let spans: readonly LineSpan[] = [];
  let lines: readonly string[] = [];
  try {
    checkText(text);
    lines = text.split(/\r?\n/);
    spans = lintKind({ text, lines, kind, values }, findings.report);
  } catch (error) {
    if (!(error instanceof ContainerFileError)) throw error;
    findings.report("file-unread", error, `${error.code}: ${error.message}`);
  }
  lintCredentials(lines, findings.report);
  const suppressions = readSuppressions(lines, spans, findings.report);
  const late = new Findings(path);
  const judged = applySuppressions(findings.sorted(), suppressions, late.report);
  return [...judged, ...late.sorted()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function checkText(text: string): void {
  const start = { line: 1, column: 1 };
  if (text.length > MAX_LENGTH) {
    throw new ContainerFileError(
      "CONTAINER_FILE_TOO_LARGE",
      start,
      `expected at most ${MAX_LENGTH} characters, found ${text.length}`,
    );
  }
  const strange = forbidden.exec(text);
  if (strange === null) return;
  const before = text.slice(0, strange.index).split("\n");
  const at = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const name = `U+${strange[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  throw new ContainerFileError(
    "CONTAINER_FILE_CHARACTER_FORBIDDEN",
    at,
    `expected printable text, found the character ${name}`,
  );
}

interface Subject {
  readonly text: string;
  readonly lines: readonly string[];
  readonly kind: ContainerFileKind;
  readonly values: YamlTree | undefined;
}

function lintKind({ text, lines, kind, values }: Subject, report: Report): readonly LineSpan[] {
  switch (kind) {
    case "recipe":
      return lintRecipe(text, report).instructions.map(({ at, endLine }) => ({ from: at.line, to: endLine }));
    case "makefile":
      lintMakefile(text, report);
      return [];
    case "shell": {
      const builder = new TextBuilder();
      for (const [index, line] of lines.entries()) builder.add(`${line}\n`, { line: index + 1, column: 1 });
      lintScript(readShell(builder.build()), report);
      return [];
    }
    case "helm-template":
      lintHelmTemplate(lines, values, report);
      return [];
    case "helm-values":
      for (const tree of readYamlTrees(text)) lintHelmValues(tree, report);
      return [];
    case "compose":
      for (const tree of readYamlTrees(text)) lintCompose(tree, lines, report);
      return [];
    case "kubernetes":
      for (const tree of readYamlTrees(text)) if (textOf(tree, "kind") !== undefined) lintKubernetes(tree, report);
      return [];
  }
}

/** Longest piece of a line that is searched: patterns stay linear. */
const MAX_PIECE = 2048;

function lintCredentials(lines: readonly string[], report: Report): void {
  for (const [index, line] of lines.entries()) {
    for (let start = 0; start < line.length; start += MAX_PIECE / 2) {
      const found = credential.exec(line.slice(start, start + MAX_PIECE));
      if (found !== null) {
        report(
          "credential-in-file",
          { line: index + 1, column: start + found.index + 1 },
          "this looks like a credential",
        );
        break;
      }
    }
  }
}
