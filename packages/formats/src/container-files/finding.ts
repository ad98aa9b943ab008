import { FactoryError } from "@touchmark/core";
import type { Position } from "../pipeline/definition.ts";
import { type ContainerFileCode, containerFileErrors } from "./errors.ts";
import { type ContainerRule, containerRules, type Severity } from "./rules.ts";

/** Something in a container file that weakens what is built from it or run by it. */
export interface ContainerFinding extends Position {
  readonly rule: ContainerRule;
  readonly severity: Severity;
  /** Path of the file, as it was given. */
  readonly file: string;
  /** What was found there. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** Id of the practice that it goes against (docs/lint-rules.md). */
  readonly practice: string;
  /** Why it does not count: the comment beside it says so. Shown all the same. */
  readonly suppressed?: string;
}

/** Takes a finding. The severity is the rule's, unless this place makes it lower. */
export type Report = (
  rule: ContainerRule,
  at: Position,
  message: string,
  more?: { readonly severity?: Severity; readonly fix?: string },
) => void;

/** Most findings of one file; what comes after is counted. */
const MAX_FINDINGS = 1000;

/** The findings of one file as they come in. */
export class Findings {
  readonly #file: string;
  readonly #all: ContainerFinding[] = [];
  readonly #seen = new Set<string>();
  #beyond = 0;

  constructor(file: string) {
    this.#file = file;
  }

  readonly report: Report = (rule, at, message, more) => {
    const key = `${rule} ${at.line}:${at.column} ${message}`;
    if (this.#seen.has(key)) return;
    if (this.#all.length >= MAX_FINDINGS) {
      this.#beyond++;
      return;
    }
    this.#seen.add(key);
    const row = containerRules[rule];
    this.#all.push({
      rule,
      severity: more?.severity ?? row.severity,
      file: this.#file,
      line: at.line,
      column: at.column,
      message,
      fix: more?.fix ?? row.fix,
      practice: row.practice,
    });
  };

  /** In the order of the file. */
  sorted(): ContainerFinding[] {
    if (this.#beyond > 0) {
      const row = containerRules["file-unread"];
      const { severity, fix, practice } = row;
      const message = `${this.#beyond} findings more are not shown (at most ${MAX_FINDINGS} of a file)`;
      this.#all.push({
        rule: "file-unread",
        severity,
        file: this.#file,
        line: 1,
        column: 1,
        message,
        fix,
        practice,
      });
    }
    return this.#all.sort((a, b) => a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : 1));
  }
}

/** A container file that cannot be read, and where. */
export class ContainerFileError extends FactoryError {
  readonly line: number;
  readonly column: number;

  constructor(code: ContainerFileCode, at: Position, message: string, cause?: unknown) {
    super(code, containerFileErrors.rows[code], message, cause === undefined ? {} : { cause });
    this.line = at.line;
    this.column = at.column;
  }
}
