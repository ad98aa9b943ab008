import { localPath } from "./addresses.ts";
import { lockfileErrors } from "./errors.ts";
import { checkName, checkVersion } from "./names.ts";
import { shown } from "./shape.ts";

/** What a go.mod says about other modules. */
export interface GoModule {
  readonly module: string;
  readonly require: readonly { readonly path: string; readonly version: string; readonly indirect: boolean }[];
  readonly exclude: readonly { readonly path: string; readonly version: string }[];
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

/** Reads go.mod (https://go.dev/ref/mod#go-mod-file). @throws LOCKFILE_MALFORMED | LOCKFILE_NAME | LOCKFILE_PATH */
export function readGoModule(text: string): GoModule {
  let module: string | undefined;
  const require: GoModule["require"][number][] = [];
  const exclude: GoModule["exclude"][number][] = [];
  const replace: GoReplacement[] = [];
  let block: string | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const where = `go.mod:${index + 1}`;
    const { words, comment } = tokens(raw, where);
    if (words.length === 0) continue;
    if (block !== undefined && words[0] === ")" && words.length === 1) {
      block = undefined;
      continue;
    }
    if (block === undefined && words.length === 2 && words[1] === "(") {
      block = directive(words[0] ?? "", where);
      continue;
    }
    const verb: string = block ?? directive(words.shift() ?? "", where);
    if (verb === "module") module = words[0];
    else if (verb === "require" || verb === "exclude") {
      const [path = "", version = ""] = words;
      if (words.length !== 2) throw wrong(where, "a module and its version", raw);
      const named = { path: checkName("golang", path, where), version: checkVersion("golang", version, where) };
      if (verb === "exclude") exclude.push(named);
      else require.push({ ...named, indirect: /^indirect(?:;|$)/.test(comment) });
    } else if (verb === "replace") replace.push(replacement(words, where));
  }
  if (module === undefined || block !== undefined) throw wrong("go.mod", "a module line and closed blocks", text);
  return { module, require, exclude, replace };
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

function directive(word: string, where: string): string {
  if (!directives.has(word)) throw wrong(where, "a directive of go.mod", word);
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
