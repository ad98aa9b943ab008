import { type FactoryError, isFactoryError, type Json, parseJson, rfc3339 } from "@touchmark/core";
import type { DigestAlgorithm } from "@touchmark/formats/lockfiles";
import type { Announcement, ExpectedDigest } from "../material.ts";
import { materialErrors } from "./errors.ts";

/** Largest index that is read, in bytes. */
export const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** Most files, and most versions, of one index. */
export const MAX_INDEX_FILES = 100_000;

/** A JSON object of an untrusted document. */
export type Members = Readonly<Record<string, Json>>;

/** Refuses a body that no real index reaches. @throws MATERIAL_INDEX_TOO_LARGE */
export function checkIndexSize(body: Uint8Array): void {
  if (body.length > MAX_INDEX_BYTES) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected an index of at most ${MAX_INDEX_BYTES} bytes, found ${body.length}`,
    );
  }
}

/** Reads an index that is one JSON object. @throws MATERIAL_INDEX_MALFORMED | MATERIAL_INDEX_TOO_LARGE */
export function readIndexObject(body: Uint8Array): Members {
  checkIndexSize(body);
  try {
    return object(parseJson(body, { maxBytes: MAX_INDEX_BYTES })) ?? malformed("expected a JSON object");
  } catch (error) {
    if (!isFactoryError(error) || error.code.startsWith("MATERIAL_")) throw error;
    throw materialErrors.make("MATERIAL_INDEX_MALFORMED", error.message, { cause: error });
  }
}

/** Throws for an index that is not what it should be. */
export function malformed(message: string): never {
  throw makeMalformed(message);
}

function makeMalformed(message: string): FactoryError {
  return materialErrors.make("MATERIAL_INDEX_MALFORMED", message);
}

/** A value as messages show it. */
export function shown(value: Json | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 220);
}

export function object(value: Json | undefined): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

/** Text of a member, cut to a length that evidence can hold; undefined when it is none or empty. */
export function text(value: Json | undefined, longest = 1000): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return value.length <= longest ? value : `${value.slice(0, longest)}…`;
}

/** The number of bytes or files that a member names. */
export function count(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A moment as the house writes it; undefined when it is none. Without a zone it is UTC. */
export function instant(value: Json | undefined): string | undefined {
  const [, day, time, zone] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?$/.exec(text(value) ?? "") ?? [];
  const at = new Date(`${day}T${time}${zone ?? "Z"}`);
  return Number.isNaN(at.getTime()) ? undefined : rfc3339(at);
}

/**
 * An address that an index announces, absolute and normalised, without fragment; undefined for what is no address of
 * a web server, holds user information, or is too long: that announces nothing.
 */
export function announcedAddress(spelled: string, base: URL): URL | undefined {
  if (spelled === "" || spelled.length > 8192 || /[\u0000-\u0020\u007f\\]/.test(spelled)) return undefined;
  const url = URL.parse(spelled, base.href);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return undefined;
  url.hash = "";
  return url;
}

/** Address of an index as evidence has it. */
export function fromAddress(url: URL): string {
  const shown = new URL(url.href);
  shown.username = "";
  shown.password = "";
  shown.hash = "";
  return shown.href;
}

const hexLengths: Readonly<Partial<Record<string, number>>> = {
  md5: 32,
  sha1: 40,
  sha256: 64,
  sha384: 96,
  sha512: 128,
};

/** A digest in hexadecimal of either case; undefined for algorithms that are not known, and for what has not their length. */
export function hexDigest(algorithm: string, value: unknown, from: string): ExpectedDigest | undefined {
  const length = Object.hasOwn(hexLengths, algorithm) ? hexLengths[algorithm] : undefined;
  if (typeof value !== "string" || value.length !== length || !/^[0-9a-fA-F]*$/.test(value)) return undefined;
  return { algorithm: algorithm as DigestAlgorithm, value: value.toLowerCase(), source: "index", from };
}

/** The digests of a Subresource Integrity value (`sha512-BASE64 sha1-BASE64`), without those that are not well formed. */
export function integrityDigests(integrity: string, from: string): readonly ExpectedDigest[] {
  if (integrity.length > 4096) return [];
  return integrity.split(/\s+/).flatMap((word) => {
    const [, algorithm = "", value = ""] = /^([a-z0-9]+)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(word) ?? [];
    const bytes = Buffer.from(value, "base64");
    if (bytes.toString("base64") !== value) return [];
    return hexDigest(algorithm, bytes.toString("hex"), from) ?? [];
  });
}

/**
 * Refuses an index that announces one file with two digests of one algorithm, by what `keyOf` calls one file.
 * @throws MATERIAL_INDEX_AMBIGUOUS
 */
export function checkUnambiguous(
  announcements: readonly Announcement[],
  keyOf: (announcement: Announcement) => string,
): void {
  const known = new Map<string, string>();
  for (const announcement of announcements) {
    const key = keyOf(announcement);
    for (const { algorithm, value } of announcement.digests) {
      const before = known.get(`${algorithm} ${key}`);
      if (before !== undefined && before !== value) {
        throw materialErrors.make(
          "MATERIAL_INDEX_AMBIGUOUS",
          `expected one ${algorithm} for ${key.slice(0, 200)}, found ${before} and ${value}`,
        );
      }
      known.set(`${algorithm} ${key}`, value);
    }
  }
}
