import { localPath } from "./addresses.ts";
import { lockfileErrors } from "./errors.ts";
import { checkName, checkVersion } from "./names.ts";
import { shown } from "./shape.ts";

/** What a go.mod says about other modules. */
export interface GoModule {
  readonly module: string;
  /** Version of the language (`1.22`, `1.22.3`) and toolchain (`go1.22.3`) that it asks for. */
  readonly go?: string;
  readonly toolchain?: string;
  /** Packages that are run as tools. */
  readonly tools: readonly string[];
  readonly require: readonly { readonly path: string; readonly version: string; readonly indirect: boolean }[];
  readonly exclude: readonly { readonly path: string; readonly version: string }[];
  readonly replace: readonly GoReplacement[];
}

/** What a go.work says. */
export interface GoWorkspace {
  readonly go?: string;
  /** Directories of its modules, relative to its own. */
  readonly use: readonly string[];
  readonly replace: readonly GoReplacement[];
}

/** `to.version` is absent for a directory. */
export interface GoReplacement {
  readonly path: string;
  readonly version?: string;
  readonly to: { readonly path: string; readonly version?: string };
}

const directives = new Set([
  "module",
  "go",
  "toolchain",
  "godebug",
  "require",
  "exclude",
  "replace",
  "retract",
  "tool",
  "ignore",
]);

const workDirectives = new Set(["go", "toolchain", "godebug", "use", "replace"]);

/** Reads go.mod (https://go.dev/ref/mod#go-mod-file). @throws LOCKFILE_MALFORMED | LOCKFILE_NAME | LOCKFILE_PATH */
export function readGoModule(text: string): GoModule {
  let module: string | undefined;
  const require: GoModule["require"][number][] = [];
  const exclude: GoModule["exclude"][number][] = [];
  const replace: GoReplacement[] = [];
  const tools: string[] = [];
  const versions: { go?: string; toolchain?: string } = {};
  for (const { verb, words, comment, where, raw } of statements(text, "go.mod", directives)) {
    if (verb === "module") module = words[0];
    else if (verb === "require" || verb === "exclude") {
      const [path = "", version = ""] = words;
      if (words.length !== 2) throw wrong(where, "a module and its version", raw);
      const named = { path: checkName("golang", path, where), version: checkVersion("golang", version, where) };
      if (verb === "exclude") exclude.push(named);
      else require.push({ ...named, indirect: /^indirect(?:;|$)/.test(comment) });
    } else if (verb === "replace") replace.push(replacement(words, where));
    else if (verb === "tool") tools.push(words[0] ?? "");
    else if ((verb === "go" || verb === "toolchain") && words[0] !== undefined) versions[verb] = words[0];
  }
  if (module === undefined) throw wrong("go.mod", "a module line", text);
  return { module, ...versions, tools, require, exclude, replace };
}

/** Reads go.work (https://go.dev/ref/mod#go-work-file). @throws LOCKFILE_MALFORMED | LOCKFILE_NAME | LOCKFILE_PATH */
export function readGoWorkspace(text: string): GoWorkspace {
  const use: string[] = [];
  const replace: GoReplacement[] = [];
  let go: string | undefined;
  for (const { verb, words, where, raw } of statements(text, "go.work", workDirectives)) {
    if (verb === "use") {
      if (words[0] === undefined || words.length !== 1) throw wrong(where, "one directory", raw);
      use.push(localPath(words[0], where));
    } else if (verb === "replace") replace.push(replacement(words, where));
    else if (verb === "go") go = words[0];
  }
  return { ...(go !== undefined && { go }), use, replace };
}

interface Statement {
  readonly verb: string;
  readonly words: readonly string[];
  readonly comment: string;
  readonly where: string;
  readonly raw: string;
}

/** One statement for each line, those of a block with its verb. */
function* statements(text: string, name: string, verbs: ReadonlySet<string>): Generator<Statement> {
  let block: string | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const where = `${name}:${index + 1}`;
    const { words, comment } = tokens(raw, where);
    if (words.length === 0) continue;
    if (block !== undefined && words[0] === ")" && words.length === 1) {
      block = undefined;
      continue;
    }
    if (block === undefined && words.length === 2 && words[1] === "(") {
      block = directive(words[0] ?? "", where, name, verbs);
      continue;
    }
    const verb = block ?? directive(words.shift() ?? "", where, name, verbs);
    yield { verb, words, comment, where, raw };
  }
  if (block !== undefined) throw wrong(name, "closed blocks", text);
}

function replacement(words: readonly string[], where: string): GoReplacement {
  const arrow = words.indexOf("=>");
  const [path = "", version] = words.slice(0, arrow);
  const [to = "", toVersion] = words.slice(arrow + 1);
  if (arrow < 1 || arrow > 2 || words.length - arrow < 2 || words.length - arrow > 3) {
    throw wrong(where, "MODULE [VERSION] => MODULE VERSION or a directory", words.join(" "));
  }
  checkName("golang", path, where);
  if (version !== undefined) checkVersion("golang", version, where);
  const target =
    toVersion === undefined
      ? { path: localPath(to, where) }
      : { path: checkName("golang", to, where), version: checkVersion("golang", toVersion, where) };
  return { path, ...(version !== undefined && { version }), to: target };
}

function directive(word: string, where: string, name: string, verbs: ReadonlySet<string>): string {
  if (!verbs.has(word)) throw wrong(where, `a directive of ${name}`, word);
  return word;
}

function tokens(raw: string, where: string): { words: string[]; comment: string } {
  const words: string[] = [];
  const syntax = /\s*(?:\/\/(.*)$|"((?:[^"\\]|\\["\\])*)"|([()])|((?:(?!\/\/)[^\s"`()])+))/gy;
  const line = raw.replace(/[\s]+$/, "");
  while (syntax.lastIndex < line.length) {
    const match = syntax.exec(line);
    if (match === null) throw wrong(where, "words, strings and comments", raw);
    const [, comment, quoted, bracket, word] = match;
    if (comment !== undefined) return { words, comment: comment.trim() };
    words.push(quoted?.replace(/\\(.)/g, "$1") ?? bracket ?? word ?? "");
  }
  return { words, comment: "" };
}

function wrong(where: string, expected: string, found: string) {
  return lockfileErrors.make("LOCKFILE_MALFORMED", `${where}: expected ${expected}, found ${shown(found)}`);
}
