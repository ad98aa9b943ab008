import type { Terminal } from "./terminal.ts";

/** One positional argument of a command. */
export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  readonly variadic?: boolean;
}

/** One option of a command; `flags` in commander's spelling, for example `--jobs <n>`. */
export interface OptionSpec {
  readonly flags: string;
  readonly description: string;
  /** May stand several times; values are collected in order. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
  /** Environment name that supplies the value when the flag is absent. */
  readonly environment?: string;
}

/** What the reader typed, after parsing. */
export interface Invocation {
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A subcommand's row in its command's table: what the command's `--help` shows, and where its code is. */
export interface SubcommandRow {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** A command as typed data: help, parsing and documentation are made from it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Longer text of `--help`. */
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Command lines with a remark, shown by `--help`. */
  readonly examples: readonly (readonly [line: string, remark: string])[];
  /** Commands of its own: the first word after its name chooses one. `run` is called for other words when it has arguments. */
  readonly subcommands?: readonly SubcommandRow[];
  /** Returns the exit code. Throws FactoryError for everything that goes wrong. */
  run(invocation: Invocation, terminal: Terminal): Promise<number>;
}

/** Text value of an option, or undefined. */
export function text(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Values of a repeatable option. */
export function texts(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name];
  return Array.isArray(value) ? (value as string[]) : [];
}

/** True when a switch was given. */
export function given(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true;
}
