import { isUtf8 } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { type Json, parseJson, sha256 } from "@touchmark/core";
import { type Cause, sortedCauses, textCauses } from "./cause.ts";
import { elfSections } from "./elf-sections.ts";
import { explained, type FileDifference, type FileFacts, fileDifference } from "./file-facts.ts";
import { memberDifferences } from "./json-members.ts";
import { tarMembers } from "./tar-members.ts";
import { zipContent, zipMembers } from "./zip-members.ts";

/** What differs inside two files of one name. */
export interface ContentDifference {
  readonly format: "text" | "JSON" | "ELF" | "gzip" | "zstd" | "tar" | "zip" | "Python bytecode" | "binary";
  readonly causes: readonly Cause[];
  /** For people: lines, members, sections. A few. */
  readonly details: readonly string[];
  /** Of archives: the files in them that differ. */
  readonly files?: readonly FileDifference[];
}

/** Largest content that is looked into. */
export const MAX_CONTENT_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 4;
const MAX_DETAILS = 8;

/** Looks at two contents that differ, into archives in archives, for why they do. */
export function compareContent(a: Uint8Array, b: Uint8Array, depth = 0): ContentDifference {
  if (depth < MAX_DEPTH) {
    const found = packed(a, b, depth) ?? archives(a, b, depth) ?? elf(a, b);
    if (found !== undefined) return found;
  }
  if (isUtf8(a) && isUtf8(b) && !a.subarray(0, 8000).includes(0)) return texts(a, b);
  return bytecode(a, b) ?? binary(a, b);
}

function packed(a: Uint8Array, b: Uint8Array, depth: number): ContentDifference | undefined {
  const kinds = [
    { format: "gzip", magic: "1f8b", unpack: gunzipSync },
    { format: "zstd", magic: "28b52ffd", unpack: zstdDecompressSync },
  ] as const;
  for (const { format, magic, unpack } of kinds) {
    if (!begins(a, magic) || !begins(b, magic)) continue;
    let inner: [Uint8Array, Uint8Array];
    try {
      const options = { maxOutputLength: MAX_CONTENT_BYTES };
      inner = [unpack(a, options), unpack(b, options)];
    } catch {
      return undefined;
    }
    if (sha256(inner[0]) !== sha256(inner[1])) {
      const found = compareContent(...inner, depth + 1);
      return { ...found, format, details: [`unpacked, ${found.format}`, ...found.details] };
    }
    const isTime = format === "gzip" && hex(a, 4, 8) !== hex(b, 4, 8);
    const isRest = !isTime || sha256(a.subarray(10)) !== sha256(b.subarray(10));
    const causes = sortedCauses([
      ...(isTime ? (["timestamp"] as const) : []),
      ...(isRest ? (["compressor"] as const) : []),
    ]);
    return { format, causes, details: ["the same content, packed otherwise"] };
  }
  return undefined;
}

interface Members {
  readonly order: readonly string[];
  readonly facts: ReadonlyMap<string, FileFacts>;
  content(path: string): Uint8Array | undefined;
}

function archives(a: Uint8Array, b: Uint8Array, depth: number): ContentDifference | undefined {
  for (const [format, read] of [
    ["zip", zip],
    ["tar", tarMembers],
  ] as const) {
    const [x, y] = [read(a), read(b)];
    if (x === undefined || y === undefined) continue;
    const files: FileDifference[] = [];
    for (const path of [...new Set([...x.order, ...y.order])].sort()) {
      const found = fileDifference(path, x.facts.get(path), y.facts.get(path));
      if (found === undefined) continue;
      const [one, other] = [x.content(path), y.content(path)];
      const isContent = found.fields.some(({ field }) => field === "content");
      const isLookedAt = found.change === "changed" && isContent && one !== undefined && other !== undefined;
      files.push(isLookedAt ? explained(found, compareContent(one, other, depth + 1)) : found);
    }
    const isOrder =
      x.order.length === y.order.length &&
      x.order.join("\0") !== y.order.join("\0") &&
      files.every(({ change }) => change === "changed");
    const causes = sortedCauses([...files.flatMap((file) => file.causes), ...(isOrder ? (["order"] as const) : [])]);
    return {
      format,
      causes: causes.length === 0 ? ["format"] : causes,
      details: [`${files.length} files differ`],
      files: files.slice(0, 100),
    };
  }
  return undefined;
}

function zip(bytes: Uint8Array): Members | undefined {
  const members = zipMembers(bytes);
  if (members === undefined) return undefined;
  const byName = new Map(members.map((member) => [member.name, member]));
  return {
    order: members.map(({ name }) => name),
    facts: new Map(members.map(({ name, time, size, crc }) => [name, { time, size, content: crc }])),
    content(path) {
      const member = byName.get(path);
      return member === undefined ? undefined : zipContent(bytes, member, MAX_CONTENT_BYTES);
    },
  };
}

/** Sections that say how a program was built, not what it does. */
const buildSections = /^\.(?:note\.gnu\.build-id|note\.go\.buildid|gnu_debuglink|comment)$/;

function elf(a: Uint8Array, b: Uint8Array): ContentDifference | undefined {
  const [x, y] = [elfSections(a), elfSections(b)];
  if (x === undefined || y === undefined) return undefined;
  const names = [...new Set([...x.keys(), ...y.keys()])].filter((name) => x.get(name)?.digest !== y.get(name)?.digest);
  const causes = names.flatMap((name): readonly Cause[] => {
    const [one, other] = [x.get(name), y.get(name)];
    if (one === undefined || other === undefined) return ["content"];
    if (buildSections.test(name)) return ["random"];
    const [text, otherText] = [stringsOf(a, one), stringsOf(b, other)];
    return text === otherText ? ["content"] : textCauses(text, otherText);
  });
  const details =
    names.length === 0
      ? ["the same sections, laid out otherwise"]
      : [`sections: ${names.slice(0, MAX_DETAILS).join(", ")}`];
  return { format: "ELF", causes: names.length === 0 ? ["format"] : sortedCauses(causes), details };
}

/** The readable parts of a section. */
function stringsOf(bytes: Uint8Array, { at, size }: { readonly at: number; readonly size: number }): string {
  const text = Buffer.from(bytes.subarray(at, at + Math.min(size, 1024 * 1024))).toString("latin1");
  return (text.match(/[\x20-\x7e]{5,}/g) ?? []).join("\n");
}

function texts(a: Uint8Array, b: Uint8Array): ContentDifference {
  const [one, other] = [Buffer.from(a).toString("utf8"), Buffer.from(b).toString("utf8")];
  const [x, y] = [json(one), json(other)];
  if (x !== undefined && y !== undefined) {
    const members = memberDifferences(x, y, 50);
    const causes =
      members.length === 0 ? (["format"] as const) : sortedCauses(members.flatMap((member) => member.causes));
    const details = members
      .slice(0, MAX_DETAILS)
      .map(({ path, a: was, b: is }) => `${path || "value"}: ${short(was)} → ${short(is)}`);
    return {
      format: "JSON",
      causes,
      details: details.length === 0 ? ["the same members, written otherwise"] : details,
    };
  }
  const [lines, others] = [one.split("\n"), other.split("\n")];
  const details: string[] = [];
  for (let i = 0; i < Math.max(lines.length, others.length) && details.length < 2 * 2; i++) {
    if (lines[i] === others[i]) continue;
    details.push(`line ${i + 1}: ${short(lines[i])} → ${short(others[i])}`);
  }
  return { format: "text", causes: textCauses(one, other), details };
}

/** Python's compiled modules hold the time of their source (PEP 3147, 552). */
function bytecode(a: Uint8Array, b: Uint8Array): ContentDifference | undefined {
  const isIt = [a, b].every((bytes) => bytes.length > 16 && bytes[2] === 0x0d && bytes[3] === 0x0a);
  if (!isIt || hex(a, 0, 4) !== hex(b, 0, 4)) return undefined;
  const isTime = sha256(a.subarray(16)) === sha256(b.subarray(16));
  const details = [isTime ? "the time of the source alone" : "other code"];
  return { format: "Python bytecode", causes: [isTime ? "timestamp" : "content"], details };
}

function binary(a: Uint8Array, b: Uint8Array): ContentDifference {
  const least = Math.min(a.length, b.length);
  let first = 0;
  while (first < least && a[first] === b[first]) first += 1;
  let count = 0;
  for (let i = first; i < least; i++) if (a[i] !== b[i]) count += 1;
  const details = [`${count + Math.abs(a.length - b.length)} bytes differ, the first at ${first}`];
  return { format: "binary", causes: ["content"], details };
}

function json(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function begins(bytes: Uint8Array, magic: string): boolean {
  return hex(bytes, 0, magic.length / 2) === magic;
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString("hex");
}

function short(value: unknown): string {
  const text = value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
