import { lockfileErrors } from "./errors.ts";
import type { LockfileOptions } from "./options.ts";
import { shown } from "./shape.ts";
import { refuse } from "./tolerance.ts";

/** An entry of a yarn 1 lockfile. */
export interface YarnEntry {
  /** `name@range`, all that this entry stands for. */
  readonly descriptors: readonly string[];
  readonly line: number;
  readonly fields: ReadonlyMap<string, string>;
  /** `dependencies`, `optionalDependencies`: range by name. */
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

interface OpenEntry extends YarnEntry {
  readonly fields: Map<string, string>;
  readonly groups: Map<string, Map<string, string>>;
}

const word = String.raw`"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"|[A-Za-z/.@_-][^\s",:]*(?::[^\s",]+)*`;
const keyLine = new RegExp(`^(?:${word})(?:, (?:${word}))*:$`);
const words = new RegExp(word, "g");
const pairLine = new RegExp(`^(${word}) (${word}|[0-9][^\\s",]*)$`);

/**
 * Reads the one shape that yarn 1 writes: entries at the margin, fields two spaces in, groups of dependencies four.
 * @throws LOCKFILE_MALFORMED | LOCKFILE_DUPLICATE
 */
export function readYarnEntries(text: string, options: LockfileOptions = {}): readonly YarnEntry[] {
  const entries: OpenEntry[] = [];
  const seen = new Set<string>();
  let entry: OpenEntry | undefined;
  let group: Map<string, string> | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "" || line.startsWith("#")) continue;
    const at = index + 1;
    const indent = line.length - line.trimStart().length;
    const body = line.slice(indent);
    if (indent === 0) {
      if (!keyLine.test(body)) throw wrong(at, "NAME@RANGE, … and a colon", body);
      const descriptors = (body.slice(0, -1).match(words) ?? []).map((one) => plain(one, at));
      for (const one of descriptors) {
        if (seen.has(one)) {
          refuse(options, lockfileErrors.make("LOCKFILE_DUPLICATE", `line ${at}: ${shown(one)} stands twice`));
        }
        seen.add(one);
      }
      entry = { descriptors, line: at, fields: new Map(), groups: new Map() };
      entries.push(entry);
      group = undefined;
    } else if (indent === 2 && entry !== undefined) {
      const opened = /^(dependencies|optionalDependencies):$/.exec(body)?.[1];
      if (opened !== undefined) {
        if (entry.groups.has(opened))
          throw lockfileErrors.make("LOCKFILE_DUPLICATE", `line ${at}: ${opened} stands twice`);
        group = new Map();
        entry.groups.set(opened, group);
      } else {
        group = undefined;
        put(entry.fields, body, at);
      }
    } else if (indent === 4 && group !== undefined) put(group, body, at);
    else throw wrong(at, "an entry, a field two spaces in or a dependency four", line);
  }
  return entries;
}

function put(into: Map<string, string>, body: string, line: number): void {
  const [, key = "", value = ""] = pairLine.exec(body) ?? [];
  if (key === "") throw wrong(line, "NAME VALUE", body);
  const name = plain(key, line);
  if (into.has(name)) throw lockfileErrors.make("LOCKFILE_DUPLICATE", `line ${line}: ${shown(name)} stands twice`);
  into.set(name, plain(value, line));
}

function plain(token: string, line: number): string {
  const text = token.startsWith('"') ? (JSON.parse(token) as string) : token;
  if (text === "__proto__") throw wrong(line, "another name", text);
  return text;
}

function wrong(line: number, expected: string, found: string) {
  return lockfileErrors.make("LOCKFILE_MALFORMED", `line ${line}: expected ${expected}, found ${shown(found)}`);
}
