import { readFileSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import {
  type ContainerFileText,
  containerFileKind,
  containerRules,
  lintContainerFile,
  lintContainerFiles,
  mayBeContainerFile,
  type SarifFinding,
} from "@touchmark/formats/container-files";
import { lintPipeline, PipelineFileError, parsePipelineFile } from "@touchmark/formats/pipeline";
import { cliErrors } from "../../errors.ts";
import { readNamedFile } from "../../output/file.ts";
import type { Terminal } from "../../terminal.ts";
import { isDirectory, listFiles } from "./listed-files.ts";

/** A finding of any kind of file. */
export interface LintedFinding extends SarifFinding {
  /** Practice of the paper, where the rule is part of one. */
  readonly practice?: string;
}

/** What was looked at and found. */
export interface LintedFiles {
  readonly files: readonly { readonly path: string; readonly kind: string }[];
  readonly findings: readonly LintedFinding[];
}

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Judges what the paths name, directories with everything in them; without a path the current directory.
 * @throws CLI_FILE_UNREADABLE | CONTAINER_FILE_UNKNOWN | PIPELINE_… when a broken touchmark.yaml is all there is
 */
export function lintPaths(paths: readonly string[], terminal: Terminal): LintedFiles {
  const named = paths.length === 0 ? ["."] : paths;
  const texts = new Map<string, string>();
  const explicit = new Set<string>();
  for (const path of named) {
    const full = resolve(terminal.directory, path);
    if (isDirectory(full)) {
      for (const each of listFiles(full).paths) {
        if (!mayBeContainerFile(each)) continue;
        const text = readSmall(resolve(full, each));
        if (text !== undefined) texts.set(shown(resolve(full, each), terminal), text);
      }
    } else {
      const name = shown(full, terminal);
      texts.set(name, readNamedFile(terminal, path, "a file to look at").toString("utf8"));
      explicit.add(name);
    }
  }
  const pipelines: ContainerFileText[] = [];
  const others: ContainerFileText[] = [];
  for (const [path, text] of texts) {
    const file = { path, text };
    if (isPipeline(path, text)) pipelines.push(file);
    else {
      // A file that somebody names is looked at, or the command says why not.
      if (explicit.has(path) && containerFileKind(path, text, chartsOf(texts)) === undefined)
        lintContainerFile(path, text);
      others.push(file);
    }
  }
  const containers = lintContainerFiles(others);
  const files = [...pipelines.map(({ path }) => ({ path, kind: "pipeline" })), ...containers.files];
  if (files.length === 0) {
    throw cliErrors.make(
      "CLI_FILE_UNREADABLE",
      `expected a touchmark.yaml or container files in ${named.join(", ")}, found none`,
    );
  }
  const findings = pipelines.flatMap((file) => lintOnePipeline(file, files.length === 1));
  return { files, findings: [...findings, ...containers.findings] };
}

function chartsOf(texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set(
    [...texts.keys()].filter((path) => /(?:^|\/)Chart\.ya?ml$/.test(path)).map((path) => path.replace(/\/?[^/]*$/, "")),
  );
}

function isPipeline(path: string, text: string): boolean {
  return (
    /(?:^|\/)touchmark\.ya?ml$/.test(path) || (/\.ya?ml$/.test(path) && /^touchmark:\s*["']?pipeline\//m.test(text))
  );
}

function lintOnePipeline({ path, text }: ContainerFileText, isAlone: boolean): LintedFinding[] {
  try {
    return lintPipeline(parsePipelineFile(text, path)).map(
      ({ rule, severity, line, column, message, fix, path: place }) => ({
        file: path,
        rule,
        severity,
        line,
        column,
        message: place === "" ? message : `${place}: ${message}`,
        fix,
      }),
    );
  } catch (error) {
    if (!(error instanceof PipelineFileError) || isAlone) throw error;
    const { severity, fix } = containerRules["file-unread"];
    return error.problems.map(({ code, line, column, message }) => ({
      file: path,
      rule: "file-unread",
      severity,
      line,
      column,
      message: `${code}: ${message}`,
      fix,
    }));
  }
}

/** Text of a file that was found; undefined for one that vanished or is no text that a lint could judge. */
function readSmall(path: string): string | undefined {
  try {
    return statSync(path).size > MAX_BYTES ? undefined : readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** As people name it: relative to where they are when it lies there. */
function shown(full: string, terminal: Terminal): string {
  const path = relative(terminal.directory, full).split(sep).join("/");
  return path === "" || path.startsWith("../") || isAbsolute(path) ? full.split(sep).join("/") : path;
}
