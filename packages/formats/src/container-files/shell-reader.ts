import type { Position } from "../pipeline/definition.ts";
import { ContainerFileError } from "./finding.ts";
import { type SourceText, textAt } from "./source-text.ts";

/** A simple command of a shell script: its words without quotes; `$(…)` inside stands as commands of its own. */
export interface ShellCommand {
  /** Program without directory, wrappers (sudo, env, exec, time) and assignments removed. */
  readonly program: string;
  readonly words: readonly string[];
  readonly at: Position;
  /** Its output goes into the next command. */
  readonly pipes: boolean;
  /** Its input comes from the command before. */
  readonly piped: boolean;
  /** It stands in `$(…)`, `<(…)` or backticks. */
  readonly nested: boolean;
}

const MAX_COMMANDS = 20_000;
const MAX_DEPTH = 40;
const MAX_WORD = 4096;
const keywords = new Set(
  "if then elif else fi for while until do done case esac select function in ! { } [[ ]]".split(" "),
);
const wrappers = new Set(
  "sudo doas env exec command time nice nohup builtin eval xargs chroot gosu su-exec".split(" "),
);
const shells = new Set("sh bash dash ash zsh ksh".split(" "));

/** Commands of a script, in its order. Never refuses a script for its syntax. @throws CONTAINER_FILE_TOO_COMPLEX */
export function readShell(source: SourceText): ShellCommand[] {
  const lexer = new Lexer(source, 0);
  lexer.list(undefined, 0);
  return lexer.commands;
}

class Lexer {
  readonly commands: ShellCommand[] = [];
  readonly #source: SourceText;
  readonly #text: string;
  readonly #level: number;
  #offset = 0;
  #bodies: { readonly name: string; readonly tabs: boolean }[] = [];

  constructor(source: SourceText, level: number) {
    this.#source = source;
    this.#text = source.text;
    this.#level = level;
  }

  /** Reads commands up to `close`. */
  list(close: string | undefined, depth: number): void {
    const text = this.#text;
    let words: string[] = [];
    let word: string | undefined;
    let start = -1;
    let piped = false;
    let redirect = false;
    const put = (piece: string, at: number) => {
      if (word === undefined) {
        word = "";
        if (start === -1 && !redirect) start = at;
      }
      if (word.length < MAX_WORD) word += piece;
    };
    const endWord = () => {
      if (word !== undefined && !redirect) words.push(word);
      if (word !== undefined) redirect = false;
      word = undefined;
    };
    const endCommand = (pipes: boolean) => {
      endWord();
      if (words.length > 0) this.#add(words, start, { pipes, piped, nested: depth > 0 });
      piped = pipes;
      words = [];
      start = -1;
      redirect = false;
    };
    while (this.#offset < text.length) {
      const at = this.#offset;
      const c = text[at] ?? "";
      const next = text[at + 1] ?? "";
      if (c === close) {
        this.#offset++;
        endCommand(false);
        return;
      }
      if (c === "\\") {
        if (next !== "\n") put(next, at);
        this.#offset += 2;
      } else if (c === "'") {
        const end = text.indexOf("'", at + 1);
        put(text.slice(at + 1, end === -1 ? text.length : end), at);
        this.#offset = end === -1 ? text.length : end + 1;
      } else if (c === '"') {
        this.#offset++;
        put(this.#quoted(depth), at);
      } else if ((c === "$" && next === "(") || ((c === "<" || c === ">") && next === "(")) {
        this.#offset += 2;
        this.#nested(")", depth);
        put("$()", at);
      } else if (c === "`" && close !== "`") {
        this.#offset++;
        this.#nested("`", depth);
        put("$()", at);
      } else if (c === "#" && word === undefined) {
        const end = text.indexOf("\n", at);
        this.#offset = end === -1 ? text.length : end;
      } else if (c === "\n") {
        this.#offset++;
        endCommand(false);
        this.#skipBodies();
      } else if (c === " " || c === "\t" || c === "\r") {
        this.#offset++;
        endWord();
      } else if (c === ";" || c === "&" || c === "|") {
        const double = next === c || (c === "|" && next === "&");
        this.#offset += double ? 2 : 1;
        endCommand(c === "|" && (!double || next === "&"));
      } else if (c === "(" && word === undefined) {
        this.#offset++;
        this.#nested(")", depth - 1);
      } else if (c === ")") {
        this.#offset++;
        endCommand(false);
      } else if (c === "<" || c === ">") {
        if (word !== undefined && /^\d+$/.test(word)) word = undefined;
        endWord();
        this.#offset++;
        if (c === "<" && next === "<" && text[at + 2] !== "<") this.#heredoc(at + 2);
        else {
          while (/[<>&|]/.test(text[this.#offset] ?? "")) this.#offset++;
          redirect = true;
        }
      } else {
        put(c, at);
        this.#offset++;
      }
    }
    endCommand(false);
  }

  #nested(close: string, depth: number): void {
    if (depth + 1 >= MAX_DEPTH) {
      throw new ContainerFileError(
        "CONTAINER_FILE_TOO_COMPLEX",
        this.#source.at(this.#offset),
        `expected at most ${MAX_DEPTH} levels of commands`,
      );
    }
    this.list(close, depth + 1);
  }

  /** Text up to the closing double quote; commands in it stand for themselves. */
  #quoted(depth: number): string {
    const text = this.#text;
    let out = "";
    while (this.#offset < text.length) {
      const c = text[this.#offset] ?? "";
      const next = text[this.#offset + 1] ?? "";
      if (c === '"') {
        this.#offset++;
        break;
      }
      if (c === "\\" && /["\\$`\n]/.test(next)) {
        if (next !== "\n") out += next;
        this.#offset += 2;
      } else if ((c === "$" && next === "(") || c === "`") {
        this.#offset += c === "`" ? 1 : 2;
        this.#nested(c === "`" ? "`" : ")", depth);
        out += "$()";
      } else {
        out += c;
        this.#offset++;
      }
    }
    return out;
  }

  #heredoc(at: number): void {
    const mark = /(-?)[ \t]{0,20}(["']?)([A-Za-z_][A-Za-z0-9_]{0,100})\2/y;
    mark.lastIndex = at;
    const found = mark.exec(this.#text);
    this.#offset = found === null ? at : at + found[0].length;
    if (found !== null) this.#bodies.push({ name: found[3] ?? "", tabs: found[1] === "-" });
  }

  #skipBodies(): void {
    for (const { name, tabs } of this.#bodies) {
      while (this.#offset < this.#text.length) {
        const end = this.#text.indexOf("\n", this.#offset);
        const line = this.#text.slice(this.#offset, end === -1 ? this.#text.length : end);
        this.#offset = end === -1 ? this.#text.length : end + 1;
        if ((tabs ? line.replace(/^\t+/, "") : line) === name) break;
      }
    }
    this.#bodies = [];
  }

  #add(words: readonly string[], start: number, how: Pick<ShellCommand, "pipes" | "piped" | "nested">): void {
    const at = this.#source.at(Math.max(0, start));
    if (this.commands.length >= MAX_COMMANDS) {
      throw new ContainerFileError("CONTAINER_FILE_TOO_COMPLEX", at, `expected at most ${MAX_COMMANDS} commands`);
    }
    const plain = withoutWrappers(words);
    const [first = ""] = plain;
    if (first === "") return;
    const program = first.slice(first.lastIndexOf("/") + 1);
    this.commands.push({ program, words: plain, at, ...how });
    const script = shells.has(program) ? plain[plain.findIndex((each) => /^-[a-z]*c$/.test(each)) + 1] : undefined;
    if (script !== undefined && script !== first && this.#level < 3) {
      const inner = new Lexer(textAt(script, at), this.#level + 1);
      inner.list(undefined, 0);
      for (const command of inner.commands) {
        if (this.commands.length < MAX_COMMANDS) this.commands.push(command);
      }
    }
  }
}

/** True for programs that run what they are given. */
export function isShell(program: string): boolean {
  return shells.has(program);
}

function withoutWrappers(words: readonly string[]): readonly string[] {
  let i = 0;
  let wrapped = false;
  for (; i < words.length; i++) {
    const word = words[i] ?? "";
    if (keywords.has(word) || /^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(word)) continue;
    if (wrappers.has(word.slice(word.lastIndexOf("/") + 1))) wrapped = true;
    else if (!(wrapped && word.startsWith("-"))) break;
  }
  return words.slice(i);
}
