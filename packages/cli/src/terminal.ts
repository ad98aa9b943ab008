import { fstatSync, writeSync } from "node:fs";

/** Everything a command may know of its surroundings; tests pass their own. */
export interface Terminal {
  /** Writes a line to standard output. */
  print(line: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Writes bytes to standard output as they are. */
  write(bytes: Uint8Array | string): void;
  /** Writes to standard error without a line end; for live progress. */
  draw(text: string): void;
  /** Standard error is a terminal that can redraw lines. */
  readonly live: boolean;
  readonly columns: number;
  readonly style: Style;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Aborted by Ctrl-C or a termination signal. */
  readonly signal: AbortSignal;
  readonly stdin: NodeJS.ReadStream;
  /** Standard output is a screen, on which control characters would act. */
  readonly screen: boolean;
  /** Hands the interrupt key to a program that uses this terminal, until the answer is called. */
  lend(): () => void;
}

/** Colours, which are plain text when the output is no terminal. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

const plain: Style = { good: same, bad: same, warn: same, dim: same, bold: same };
const coloured: Style = { good: sgr(32), bad: sgr(31), warn: sgr(33), dim: sgr(2), bold: sgr(1) };

function same(text: string): string {
  return text;
}

function sgr(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}

/** The real terminal of this process. */
export function processTerminal(signal: AbortSignal, lend: () => () => void): Terminal {
  const environment = process.env;
  const screen = isScreen(1);
  const isTerminal = isScreen(2) && environment["TERM"] !== "dumb";
  const colour = environment["NO_COLOR"] ? false : screen && isTerminal;
  return {
    print: (line) => writeAll(1, `${line}\n`),
    note: (line) => writeAll(2, `${line}\n`),
    write: (bytes) => writeAll(1, bytes),
    draw: (text) => writeAll(2, text),
    live: isTerminal,
    columns: (isTerminal ? process.stderr.columns : undefined) ?? 100,
    style: colour ? coloured : plain,
    environment,
    directory: process.cwd(),
    signal,
    get stdin() {
      return process.stdin;
    },
    screen,
    lend,
  };
}

/** Files and pipes are no screen; asking Node's streams, which costs a start a tenth, is for what may be one. */
function isScreen(fd: 1 | 2): boolean {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  return (fd === 1 ? process.stdout : process.stderr).isTTY === true;
}

/** Writes everything: a pipe may answer EAGAIN, and a reader that left (EPIPE) ends us quietly. */
function writeAll(fd: number, content: Uint8Array | string): void {
  let bytes = typeof content === "string" ? Buffer.from(content) : content;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** As `printable`, on one line: for names, which could pretend to be lines of ours. */
export function oneLine(text: string): string {
  return printable(text).replace(/[\t\n\u2028\u2029]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** What a program printed, for a screen: its colours stay, whatever else would move or change the screen does not. */
export function printableLog(text: string): string {
  return text
    .split(/(\u001b\[[0-9;]{0,32}m|\r\n)/)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join("");
}

/** Text from outside, safe to show: control characters become visible, so that nobody draws on our terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
