import { readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { inTotoErrors, isClassic, readClassicLayout } from "@touchmark/formats/in-toto";
import {
  type ExpressionCompiler,
  lintPolicyDocument,
  PolicyDocumentError,
  type PolicyReading,
  policyLintRules,
  readPolicyDocument,
} from "@touchmark/formats/policy";
import { compileExpression, rulesOf } from "@touchmark/policy";
import { cliErrors } from "../../errors.ts";
import { readNamedFile } from "../../output/file.ts";
import type { Terminal } from "../../terminal.ts";

/** Something that is wrong with a document, or weakens it. */
export interface DocumentFinding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Rule of the lint, or code of the reader. */
  readonly rule: string;
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  readonly fix?: string;
}

/** A file that was looked at. */
export interface LintedDocument {
  readonly file: string;
  /** Kind of the document; undefined where it could not be read. */
  readonly kind?: string;
  readonly findings: readonly DocumentFinding[];
}

/** Files below a directory that are looked into, and how deep it goes. */
const walkLimits = { files: 10_000, levels: 16 } as const;
const mayBeDocument = /\.(?:ya?ml|json|layout)$/;

/** Compiles as the engine does. */
const compile: ExpressionCompiler = (source, variables) => {
  const expression = compileExpression(source, { variables });
  return {
    variables: expression.variables,
    constant: () => {
      const { outcome } = expression.evaluate({}, { cost: 10_000 });
      return outcome.kind === "value" && typeof outcome.value === "boolean" ? outcome.value : undefined;
    },
  };
};

/** Findings of the lint for a document that was read. */
export function findingsOf(reading: PolicyReading, now: Date): readonly DocumentFinding[] {
  const collection = (name: string) => rulesOf(name)?.map(({ id }) => id);
  return lintPolicyDocument(reading, { now, compile, collection }).map(
    ({ line, column, rule, severity, path, message }) => ({
      ...{ file: reading.name, line, column, rule, severity },
      message: `${path}: ${message}`,
      fix: policyLintRules[rule].fix,
    }),
  );
}

/**
 * Looks into documents that are named, and into those of directories that say what they are.
 * @throws CLI_FILE_UNREADABLE | CLI_USAGE when there is none
 */
export function lintDocuments(terminal: Terminal, paths: readonly string[], now: Date): readonly LintedDocument[] {
  const linted: LintedDocument[] = [];
  for (const path of paths) {
    const isWalked = isDirectory(resolve(terminal.directory, path));
    for (const file of isWalked ? filesBelow(terminal, path) : [path]) {
      const bytes = readNamedFile(terminal, file, "a readable policy document");
      // In a directory there are other files too.
      if (isWalked && !isClassic(bytes) && !/^\s*\{?\s*"?touchmark"?\s*:/m.test(bytes.toString("latin1"))) continue;
      if (isWalked && isPipeline(bytes)) continue;
      linted.push(lintDocument(file, bytes, now));
    }
  }
  if (linted.length > 0) return linted;
  throw cliErrors.make("CLI_USAGE", `expected policy documents, found none in ${paths.join(", ")}`);
}

function lintDocument(file: string, bytes: Uint8Array, now: Date): LintedDocument {
  try {
    if (isClassic(bytes)) return { file, kind: "in-toto layout", findings: classicFindings(file, bytes, now) };
    const reading = readPolicyDocument(bytes, { name: file });
    return { file, kind: reading.kind, findings: findingsOf(reading, now) };
  } catch (error) {
    const severity = "error" as const;
    if (error instanceof PolicyDocumentError) {
      const findings = error.problems.map(({ code, line, column, message }) => {
        return { file, line, column, rule: code, severity, message };
      });
      return { file, findings };
    }
    if (!isFactoryError(error) || !(error.code in inTotoErrors.rows)) throw error;
    return { file, findings: [{ file, line: 1, column: 1, rule: error.code, severity, message: error.message }] };
  }
}

function classicFindings(file: string, bytes: Uint8Array, now: Date): readonly DocumentFinding[] {
  const { layout, envelope } = readClassicLayout(bytes);
  const place = { file, line: 1, column: 1 };
  const expired = { ...place, ...of("expired"), message: `expired on ${layout.expires}` };
  const unsigned = { ...place, rule: "unsigned", severity: "error", message: "nobody signed it" } as const;
  return [
    ...(Date.parse(layout.expires) <= now.getTime() ? [expired] : []),
    ...(envelope.signatures.length === 0 ? [{ ...unsigned, fix: "touchmark policy sign --classic" }] : []),
  ];
}

function of(rule: keyof typeof policyLintRules) {
  const { severity, fix } = policyLintRules[rule];
  return { rule, severity, fix };
}

/** `touchmark.yaml` of a pipeline begins with the same word. */
function isPipeline(bytes: Buffer): boolean {
  return /^\s*touchmark\s*:\s*["']?(?:pipeline\/|\d)/m.test(bytes.toString("latin1", 0, 4096));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function filesBelow(terminal: Terminal, directory: string): readonly string[] {
  const found: string[] = [];
  const walk = (at: string, level: number): void => {
    for (const entry of readdirSync(at, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory() && level < walkLimits.levels && !/^(?:\.git|node_modules)$/.test(entry.name)) {
        walk(join(at, entry.name), level + 1);
      }
      if (!entry.isFile() || !mayBeDocument.test(entry.name)) continue;
      if (found.length >= walkLimits.files) {
        throw cliErrors.make("CLI_USAGE", `expected at most ${walkLimits.files} files below ${directory}`);
      }
      found.push(relative(terminal.directory, join(at, entry.name)));
    }
  };
  walk(resolve(terminal.directory, directory), 0);
  return found;
}
