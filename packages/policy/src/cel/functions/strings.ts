import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { isList } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { format } from "./format.ts";
import { type Native, type NativeTable, noOverload } from "./native.ts";
import { charAt, indexOf, lastIndexOf, substring } from "./places.ts";
import { isMatch, matcherOf, regex, spendMatch } from "./regex.ts";

/** A function of two texts. */
function ofTexts(name: string, work: (frame: Frame, text: string, other: string) => CelValue): Native {
  return (frame, text, other) => {
    if (typeof text !== "string" || typeof other !== "string") return noOverload(frame, name, text, other);
    frame.read(text.length);
    return work(frame, text, other);
  };
}

/** `matches` with a pattern that is part of the expression. */
export function matchesConstant(pattern: string): Native {
  const match = matcherOf(pattern);
  return (frame, text) => (typeof text === "string" ? match(frame, text) : noOverload(frame, "matches", text, pattern));
}

/** A function that makes a text of the same length, or about. */
function mapped(name: string, work: (text: string) => string): Native {
  return (frame, text) => {
    if (typeof text !== "string") return noOverload(frame, name, text);
    frame.hold(text.length);
    return work(text);
  };
}

function replace(frame: Frame, text: CelValue, from: CelValue, to: CelValue, limit: CelValue): CelValue {
  const isText = typeof text === "string" && typeof from === "string" && typeof to === "string";
  if (!isText || (limit !== null && typeof limit !== "bigint"))
    return noOverload(frame, "replace", text, from, to, limit);
  frame.read(text.length);
  const most = limit === null || limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
  if (from === "") return spread(frame, text, to, most);
  const parts: string[] = [];
  let offset = 0;
  for (let next = text.indexOf(from); next !== -1 && parts.length < most; next = text.indexOf(from, offset)) {
    frame.hold(next - offset + to.length + 1);
    parts.push(text.slice(offset, next));
    offset = next + from.length;
  }
  frame.hold(text.length - offset);
  return [...parts, text.slice(offset)].join(to);
}

/** Nothing is replaced: before each character, and at the end. */
function spread(frame: Frame, text: string, to: string, most: number): string {
  const characters = Array.from(text);
  const places = Math.min(most, characters.length + 1);
  frame.hold(text.length + places * to.length);
  const filled = characters.map((character, index) => (index < places ? to + character : character)).join("");
  return places > characters.length ? filled + to : filled;
}

function split(frame: Frame, text: CelValue, by: CelValue, limit: CelValue): CelValue {
  const isText = typeof text === "string" && typeof by === "string";
  if (!isText || (limit !== null && typeof limit !== "bigint")) return noOverload(frame, "split", text, by, limit);
  if (limit === 0n) return [];
  frame.hold(text.length + 1);
  const parts = by === "" ? Array.from(text) : text.split(by);
  frame.hold(parts.length);
  if (limit === null || limit < 0n || parts.length <= Number(limit)) return parts;
  const most = Number(limit) - 1;
  return [...parts.slice(0, most), parts.slice(most).join(by)];
}

function join(frame: Frame, list: CelValue, separator: CelValue): CelValue {
  const between = separator ?? "";
  if (!isList(list) || typeof between !== "string") return noOverload(frame, "join", list, separator);
  const texts = list.map((element) => {
    if (typeof element !== "string") return noOverload(frame, "join", list, element);
    frame.hold(element.length + between.length);
    return element;
  });
  return texts.join(between);
}

const quotable: ReadonlyMap<string, string> = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** A text as CEL writes it, between double quotes. */
export function quote(text: string): string {
  const escaped = text
    .toWellFormed()
    .replace(/[\u0007\b\f\n\r\t\v\\"]/g, (character) => quotable.get(character) ?? character);
  return `"${escaped}"`;
}

/** First match, as an optional-free text; raises where there is none. */
function extracted(frame: Frame, text: string, pattern: string): CelValue {
  const program = regex(frame, pattern);
  spendMatch(frame, program, text);
  const matcher = program.matcher(text);
  if (!matcher.find()) return raise("CEL_ARGUMENT", "no part of the text matches", frame.at);
  const group = matcher.group(program.groupCount() > 0 ? 1 : 0);
  return typeof group === "string" ? group : "";
}

const space = /^[\p{White_Space}]+|[\p{White_Space}]+$/gu;

/** Functions of text. */
export const strings: NativeTable = [
  [".contains/1", ofTexts("contains", (_frame, text, part) => text.includes(part))],
  [".startsWith/1", ofTexts("startsWith", (_frame, text, part) => text.startsWith(part))],
  [".endsWith/1", ofTexts("endsWith", (_frame, text, part) => text.endsWith(part))],
  [".matches/1", ofTexts("matches", isMatch)],
  ["matches/2", ofTexts("matches", isMatch)],
  ["regex.extract/2", ofTexts("regex.extract", extracted)],
  [".charAt/1", charAt],
  [".indexOf/1", indexOf],
  [".indexOf/2", indexOf],
  [".lastIndexOf/1", lastIndexOf],
  [".lastIndexOf/2", lastIndexOf],
  [".substring/1", substring],
  [".substring/2", substring],
  [".lowerAscii/0", mapped("lowerAscii", (text) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase()))],
  [".upperAscii/0", mapped("upperAscii", (text) => text.replace(/[a-z]+/g, (part) => part.toUpperCase()))],
  [".trim/0", mapped("trim", (text) => text.replace(space, ""))],
  ["strings.quote/1", mapped("strings.quote", quote)],
  [".replace/2", replace],
  [".replace/3", replace],
  [".split/1", split],
  [".split/2", split],
  [".join/0", join],
  [".join/1", join],
  [".format/1", format],
];
