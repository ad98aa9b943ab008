import { lockfileErrors } from "./errors.ts";
import { shown } from "./shape.ts";

/** An element of a small, strict XML document; text is not kept. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

const deepest = 32;
const mostElements = 1_000_000;
const declaration = /<\?xml\s[^?<>]*\?>\s*/y;
const longestTag = 64 * 1024;
const opening = /<([A-Za-z_][\w.:-]*)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*)\s*(\/?)>/y;
const closing = /<\/([A-Za-z_][\w.:-]*)\s*>/y;
const words = /[^<]+/y;
const attribute = /([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;
const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Reads XML with elements, attributes and comments: no document type, no entities but the five of XML itself, no
 * processing instructions, no CDATA.
 * @throws LOCKFILE_SYNTAX_FORBIDDEN | LOCKFILE_MALFORMED | LOCKFILE_TOO_DEEP | LOCKFILE_DUPLICATE
 */
export function readXml(text: string): XmlElement {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  take(declaration);
  const open: { name: string; attributes: Map<string, string>; children: XmlElement[] }[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  while (at < text.length) {
    const written = take(words);
    if (written !== null) {
      if (open.length === 0 && written[0].trim() !== "") throw wrong(text, at, "nothing outside the root element");
      plain(written[0], text, at);
      continue;
    }
    if (text.startsWith("<!--", at)) {
      const end = text.indexOf("--", at + 4);
      if (end < 0 || text[end + 2] !== ">") throw wrong(text, at, "a comment that ends with -->");
      at = end + 3;
      continue;
    }
    if (text.indexOf(">", at) - at > longestTag) throw wrong(text, at, `a tag of at most ${longestTag} characters`);
    const begin = take(opening);
    if (begin !== null) {
      const element = { name: begin[1] ?? "", attributes: attributesOf(begin[2] ?? "", text, at), children: [] };
      if (root !== undefined && open.length === 0) throw wrong(text, at, "one root element");
      if (open.length >= deepest)
        throw lockfileErrors.make("LOCKFILE_TOO_DEEP", `expected at most ${deepest} levels of XML`);
      if (++count > mostElements)
        throw lockfileErrors.make("LOCKFILE_TOO_LARGE", `expected at most ${mostElements} elements`);
      open.at(-1)?.children.push(element);
      root ??= element;
      if (begin[3] === "") open.push(element);
      continue;
    }
    const end = take(closing);
    if (end === null) throw unexpected(text, at);
    if (open.pop()?.name !== end[1]) throw wrong(text, at, "elements closed in their order");
  }
  if (root === undefined || open.length > 0) throw wrong(text, at, "one complete element");
  return root;
}

function attributesOf(written: string, text: string, at: number): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", double, single] of written.matchAll(attribute)) {
    if (found.has(name))
      throw lockfileErrors.make("LOCKFILE_DUPLICATE", `line ${lineAt(text, at)}: ${name} stands twice`);
    found.set(name, plain(double ?? single ?? "", text, at));
  }
  return found;
}

function plain(written: string, text: string, at: number): string {
  return written.replace(/&([^;&\s]{0,32};?)/g, (whole, name: string) => {
    const character =
      name.endsWith(";") && Object.hasOwn(named, name.slice(0, -1)) ? named[name.slice(0, -1)] : undefined;
    if (character === undefined) throw forbidden(text, at, whole);
    return character;
  });
}

function unexpected(text: string, at: number) {
  const found = text.slice(at, at + 40);
  return /^<[!?]/.test(found) && !found.startsWith("<!--") ? forbidden(text, at, found) : wrong(text, at, "an element");
}

function forbidden(text: string, at: number, found: string) {
  return lockfileErrors.make(
    "LOCKFILE_SYNTAX_FORBIDDEN",
    `line ${lineAt(text, at)}: expected no document type, entity, instruction or CDATA, found ${shown(found)}`,
  );
}

function wrong(text: string, at: number, expected: string) {
  return lockfileErrors.make(
    "LOCKFILE_MALFORMED",
    `line ${lineAt(text, at)}: expected ${expected}, found ${shown(text.slice(at, at + 40))}`,
  );
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
