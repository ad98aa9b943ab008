import { xmlErrors } from "./errors.ts";

/** Bounds of reading one document. */
export interface XmlLimits {
  /** UTF-16 units of the whole document. */
  readonly characters: number;
  readonly depth: number;
  /** Elements and attributes together. */
  readonly nodes: number;
}

/** Bounds where the caller gives none. */
export const xmlLimits: XmlLimits = { characters: 128 * 1024 * 1024, depth: 128, nodes: 4_000_000 };

/** Who listens to a document, in its order. Names are as written, with their prefix. */
export interface XmlListener {
  open(name: string, attributes: ReadonlyMap<string, string>, line: number): void;
  /** Text and CDATA between two tags; an element may have several pieces. Line ends are single line feeds. */
  text(value: string): void;
  close(name: string): void;
}

const longestTag = 256 * 1024;
const nameCharacters = "[A-Za-z_\\u00c0-\\ud7ff\\uf900-\\ufdcf][-\\w.:\\u00b7-\\ud7ff\\uf900-\\ufdcf]*";
const opening = new RegExp(
  `<(${nameCharacters})((?:\\s+${nameCharacters}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`,
  "y",
);
const closing = new RegExp(`</(${nameCharacters})\\s*>`, "y");
const attribute = new RegExp(`(${nameCharacters})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, "g");
const instruction = new RegExp(`^<\\?(${nameCharacters})(?:\\s[^]*)?$`);
const declaration = /^<\?xml\s+version\s*=\s*(?:"1\.[01]"|'1\.[01]')[^<>?]*$/;
const reference = /&([^;&\s]{0,32};?)/g;
// Controls other than tab and line ends, and the two that are no characters.
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const none: ReadonlyMap<string, string> = new Map();

/**
 * Reads XML 1.0 in one pass and tells what stands in it; time is linear in its length. There is no document type and
 * no entity but XML's five and characters by number; comments and processing instructions are passed over; namespaces
 * are not resolved.
 * @throws XML_MALFORMED | XML_FORBIDDEN | XML_TOO_LARGE | XML_TOO_DEEP | XML_DUPLICATE
 */
export function walkXml(source: string, listener: XmlListener, limits: Partial<XmlLimits> = {}): void {
  const bounds = { ...xmlLimits, ...limits };
  if (source.length > bounds.characters) throw tooLarge(`${bounds.characters} characters`, source.length);
  const text = source.startsWith("\ufeff") ? source.slice(1) : source;
  const cursor = new Cursor(text);
  const open: string[] = [];
  let hasRoot = false;
  let nodes = 0;
  while (cursor.at < text.length) {
    if (text[cursor.at] !== "<") {
      const written = cursor.until("<");
      if (written.includes("]]>")) throw wrong(cursor, "no end of CDATA outside of one", written);
      if (open.length > 0) listener.text(plain(written, cursor));
      else if (/[^ \t\r\n]/.test(written)) throw wrong(cursor, "nothing outside the root element");
      continue;
    }
    const mark = text[cursor.at + 1];
    if (mark === "!") {
      const inside = special(cursor, open.length > 0);
      if (inside !== undefined) listener.text(inside);
    } else if (mark === "?") readInstruction(cursor);
    else if (mark === "/") {
      const [, name = ""] = cursor.match(closing) ?? [];
      if (name === "" || open.pop() !== name) throw wrong(cursor, "elements closed in their order");
      listener.close(name);
    } else {
      const [, name = "", written = "", empty] = cursor.match(opening) ?? [];
      if (name === "") throw wrong(cursor, "an element");
      if (hasRoot && open.length === 0) throw wrong(cursor, "one root element");
      if (open.length >= bounds.depth) {
        throw xmlErrors.make("XML_TOO_DEEP", `line ${cursor.line()}: expected at most ${bounds.depth} levels`);
      }
      hasRoot = true;
      const attributes = written === "" ? none : attributesOf(written, cursor);
      nodes += 1 + attributes.size;
      if (nodes > bounds.nodes) throw tooLarge(`${bounds.nodes} elements and attributes`, nodes);
      listener.open(name, attributes, cursor.line());
      if (empty === "/") listener.close(name);
      else open.push(name);
    }
  }
  if (!hasRoot || open.length > 0) throw wrong(cursor, "one complete element");
}

/** A place in a document. */
class Cursor {
  readonly text: string;
  at = 0;
  #line = 1;
  #counted = 0;
  #next: number | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Line of the place, from 1. */
  line(): number {
    // The next line end is kept: a document of one long line is not searched again for every element.
    this.#next ??= this.text.indexOf("\n", this.#counted);
    while (this.#next >= 0 && this.#next < this.at) {
      this.#line++;
      this.#counted = this.#next + 1;
      this.#next = this.text.indexOf("\n", this.#counted);
    }
    return this.#line;
  }

  /** What stands before the next `mark`, or all the rest. */
  until(mark: string): string {
    const end = this.text.indexOf(mark, this.at);
    const found = this.text.slice(this.at, end < 0 ? undefined : end);
    this.at += found.length;
    return found;
  }

  /** The tag at this place; passes it. @throws XML_TOO_LARGE */
  match(pattern: RegExp): RegExpExecArray | null {
    // Line ends are normalised only where a tag or text is handed over, so that places stay true.
    const end = this.text.indexOf(">", this.at);
    if (end - this.at > longestTag) throw tooLarge(`${longestTag} characters of one tag`, end - this.at);
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at = pattern.lastIndex;
    return match;
  }
}

/** A comment, passed over, or the text of a CDATA section. */
function special(cursor: Cursor, inside: boolean): string | undefined {
  const { text, at } = cursor;
  if (text.startsWith("<!--", at)) {
    const end = text.indexOf("--", at + 4);
    if (end < 0 || text[end + 2] !== ">") throw wrong(cursor, "a comment that ends with -->");
    cursor.at = end + 3;
    return undefined;
  }
  if (text.startsWith("<![CDATA[", at)) {
    const end = text.indexOf("]]>", at);
    if (end < 0 || !inside) throw wrong(cursor, "CDATA that ends, inside the root element");
    cursor.at = end + 3;
    return checked(text.slice(at + 9, end), cursor);
  }
  throw forbidden(cursor, text.slice(at, at + 40));
}

function readInstruction(cursor: Cursor): void {
  const start = cursor.at;
  const written = cursor.until("?>");
  if (!cursor.text.startsWith("?>", cursor.at) || written.length > longestTag || !instruction.test(written)) {
    cursor.at = start;
    throw wrong(cursor, "an instruction that ends with ?>");
  }
  if (/^<\?xml(?:\s|$)/i.test(written) && (start !== 0 || !declaration.test(written))) {
    cursor.at = start;
    throw wrong(cursor, "an XML declaration at the very beginning alone");
  }
  cursor.at += 2;
}

function attributesOf(written: string, cursor: Cursor): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", double, single] of written.matchAll(attribute)) {
    if (found.has(name)) {
      throw xmlErrors.make("XML_DUPLICATE", `line ${cursor.line()}: the attribute ${shown(name)} stands twice`);
    }
    found.set(name, plain((double ?? single ?? "").replace(/\r\n|[\t\r\n]/g, " "), cursor));
  }
  return found;
}

/** Text with its references replaced, once: what comes out of them is not read again. */
function plain(written: string, cursor: Cursor): string {
  const clean = checked(written, cursor);
  return clean.includes("&")
    ? clean.replace(reference, (whole, name: string) => character(whole, name, cursor))
    : clean;
}

function checked(written: string, cursor: Cursor): string {
  if (unwritable.test(written)) throw wrong(cursor, "text without control characters");
  return written.includes("\r") ? written.replace(/\r\n?/g, "\n") : written;
}

function character(whole: string, name: string, cursor: Cursor): string {
  const known = name.endsWith(";") && Object.hasOwn(named, name.slice(0, -1)) ? named[name.slice(0, -1)] : undefined;
  if (known !== undefined) return known;
  const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}));$/.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal ?? "NaN") : Number.parseInt(hex, 16);
  if (Number.isNaN(code)) throw forbidden(cursor, whole);
  const isCharacter = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && code !== 0;
  const found = isCharacter ? String.fromCodePoint(code) : "\0";
  if (unwritable.test(found)) throw wrong(cursor, "the number of a character", whole);
  return found;
}

function forbidden(cursor: Cursor, found: string) {
  return xmlErrors.make(
    "XML_FORBIDDEN",
    `line ${cursor.line()}: expected no document type and no entity but XML's own, found ${shown(found)}`,
  );
}

function wrong(cursor: Cursor, expected: string, found = cursor.text.slice(cursor.at, cursor.at + 40)) {
  return xmlErrors.make("XML_MALFORMED", `line ${cursor.line()}: expected ${expected}, found ${shown(found)}`);
}

function tooLarge(bound: string, found: number) {
  return xmlErrors.make("XML_TOO_LARGE", `expected at most ${bound}, found ${found}`);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
