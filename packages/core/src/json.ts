import { isAscii, isUtf8 } from "node:buffer";
import { coreErrors } from "./errors.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Limits of a JSON reader. */
export interface JsonLimits {
  /** Largest accepted text, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Deepest accepted nesting. Default 64. */
  readonly maxDepth?: number;
}

/**
 * Canonical JSON (RFC 8785, JCS): members sorted by UTF-16 code units, no white space, ECMAScript numbers.
 * Members that are `undefined` are left out.
 * @throws JSON_NOT_CANONICAL
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw coreErrors.make("JSON_NOT_CANONICAL", `${value} has no JSON form`);
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
      return canonicalObject(value as Record<string, unknown>);
    default:
      throw coreErrors.make("JSON_NOT_CANONICAL", `a ${typeof value} has no JSON form`);
  }
}

function canonicalObject(value: Record<string, unknown>): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/**
 * Reads one JSON value (RFC 8259), refusing duplicate keys, excessive depth and size, and a key `__proto__`.
 * Strict UTF-8 when given bytes.
 * @throws JSON_MALFORMED | JSON_DUPLICATE_KEY | JSON_TOO_DEEP | JSON_TOO_LARGE
 */
export function parseJson(content: Uint8Array | string, limits: JsonLimits = {}): Json {
  const maxBytes = limits.maxBytes ?? 64 * 1024 * 1024;
  if (content.length > maxBytes) {
    throw coreErrors.make("JSON_TOO_LARGE", `expected at most ${maxBytes} bytes, found ${content.length}`);
  }
  const text = typeof content === "string" ? content : decodeUtf8(content);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw coreErrors.make("JSON_MALFORMED", `expected JSON: ${(cause as Error).message.slice(0, 200)}`, { cause });
  }
  scan(text, limits.maxDepth ?? 64);
  return value;
}

function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw coreErrors.make("JSON_MALFORMED", "expected UTF-8");
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // What is plain ASCII, as most evidence is, becomes a string of one byte a character.
  return buffer.toString(isAscii(bytes) ? "latin1" : "utf8");
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Walks text that JSON.parse accepted, once, for what JSON.parse lets pass: duplicate keys and depth. */
function scan(text: string, maxDepth: number): void {
  // One entry per open container: a set of keys for an object, null for an array.
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const start = i;
      i = endOfString(text, i);
      if (expectKey) {
        noteKey(open[open.length - 1] as Set<string>, text.slice(start, i + 1));
        expectKey = false;
      }
    } else if (c === 0x7b || c === 0x5b) {
      open.push(c === 0x7b ? new Set() : null);
      expectKey = c === 0x7b;
      if (open.length > maxDepth) throw coreErrors.make("JSON_TOO_DEEP", `expected nesting of at most ${maxDepth}`);
    } else if (c === 0x7d || c === 0x5d) {
      open.pop();
      expectKey = false;
    } else if (c === 0x2c) {
      expectKey = open[open.length - 1] instanceof Set;
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

function noteKey(keys: Set<string>, quoted: string): void {
  const key = quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  if (key === "__proto__") throw coreErrors.make("JSON_MALFORMED", "the key __proto__ is refused");
  if (keys.has(key))
    throw coreErrors.make(
      "JSON_DUPLICATE_KEY",
      `the key ${JSON.stringify(key.slice(0, 80))} stands twice in one object`,
    );
  keys.add(key);
}
