import { canonicalJson, isDigest, type Json } from "@touchmark/core";
import type { DigestAlgorithm, Ecosystem } from "@touchmark/formats/lockfiles";
import type { ExpectedDigest, MaterialKind, MaterialRecord } from "../material.ts";
import { mirrorErrors } from "./errors.ts";
import { recordedUrl, recordKey } from "./record-key.ts";
import type { JsonObject } from "./sealed-json.ts";

const ecosystems: Readonly<Record<Ecosystem, true>> = {
  npm: true,
  pypi: true,
  golang: true,
  cargo: true,
  maven: true,
  deb: true,
  git: true,
  generic: true,
};
const kinds: Readonly<Record<MaterialKind, true>> = {
  index: true,
  metadata: true,
  archive: true,
  signature: true,
  git: true,
  download: true,
  chatter: true,
};
const sources: Readonly<Record<ExpectedDigest["source"], true>> = {
  lockfile: true,
  pipeline: true,
  index: true,
  "checksum-file": true,
  "signed-index": true,
  history: true,
};
/** Hex digits of each algorithm. */
const hexDigits: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 32,
  sha1: 40,
  sha256: 64,
  sha384: 96,
  sha512: 128,
  h1: 64,
};
const methods = { GET: true, HEAD: true, POST: true };

/** True when algorithm and value are an announced digest as records spell it. */
export function isAnnouncedDigest(algorithm: unknown, value: unknown): boolean {
  if (typeof algorithm !== "string" || !Object.hasOwn(hexDigits, algorithm) || typeof value !== "string") return false;
  return value.length === hexDigits[algorithm as DigestAlgorithm] && /^[0-9a-f]+$/.test(value);
}

/** A record as it is kept: its addresses without user information, fragments and secrets. @throws MIRROR_RECORD_INVALID */
export function recorded(record: MaterialRecord): MaterialRecord {
  if (![record.url, ...record.redirects].every((url) => URL.canParse(url))) throw invalid("addresses in `url`");
  return checkRecord({ ...record, url: recordedUrl(record.url), redirects: record.redirects.map(recordedUrl) });
}

/**
 * Reads a record strictly: every member by its type and bounds, none unknown, and the key of its own request.
 * @throws MIRROR_RECORD_INVALID
 */
export function checkRecord(value: unknown): MaterialRecord {
  const record = members(
    value,
    "the record",
    ["expected", "facts", "fetchedAt", "digest", "headers", "key", "method"],
    ["redirects", "size", "status", "url", "variant"],
  );
  oneOf(record["method"], methods, "method");
  address(record["url"], "url");
  for (const redirect of list(record["redirects"], 20, "redirects")) address(redirect, "redirects");
  if (!whole(record["status"]) || record["status"] < 100 || record["status"] > 599) throw invalid("an HTTP status");
  headers(record["headers"], "headers");
  if (record["variant"] !== undefined) headers(record["variant"], "variant");
  if (typeof record["digest"] !== "string" || !isDigest(record["digest"])) throw invalid("a digest in `digest`");
  if (!whole(record["size"])) throw invalid("a number of bytes in `size`");
  facts(record["facts"]);
  for (const one of list(record["expected"], 64, "expected")) expectation(one);
  time(record["fetchedAt"]);
  const own = recordKey(
    record["method"] as string,
    record["url"] as string,
    (record["variant"] ?? {}) as JsonObject & Record<string, string>,
  );
  if (record["key"] !== own) {
    throw invalid(`key ${own}, which its method, address and variant have`, {
      hint: "`variant` holds what variantOf(headers) answered for the request.",
    });
  }
  return value as MaterialRecord;
}

function facts(value: Json | undefined): void {
  const object = members(
    value,
    "`facts`",
    ["ecosystem", "kind", "upstream", "immutable"],
    ["name", "version", "purl", "fileName"],
  );
  oneOf(object["ecosystem"], ecosystems, "ecosystem");
  oneOf(object["kind"], kinds, "kind");
  if (typeof object["immutable"] !== "boolean") throw invalid("true or false in `immutable`");
  for (const name of ["upstream", "name", "version", "purl", "fileName"]) {
    const text = object[name];
    if (text !== undefined) line(text, 2048, name);
  }
  if (object["purl"] !== undefined && !/^pkg:[a-z0-9.+-]+\/\S+$/.test(object["purl"] as string)) {
    throw invalid("a package URL in `purl`");
  }
  const fileName = object["fileName"];
  if (fileName !== undefined && (/[/\\]/.test(fileName as string) || fileName === "." || fileName === "..")) {
    throw invalid("a file name in `fileName`");
  }
}

function expectation(value: Json): void {
  const object = members(value, "`expected`", ["algorithm", "value", "source", "from"], []);
  if (!isAnnouncedDigest(object["algorithm"], object["value"])) throw invalid("digests in `expected`");
  oneOf(object["source"], sources, "source");
  line(object["from"], 8192, "from");
}

function headers(value: Json | undefined, where: string): void {
  const object = members(value, `\`${where}\``, [], undefined);
  const names = Object.keys(object);
  if (names.length > 64) throw invalid(`at most 64 members in \`${where}\``);
  for (const name of names) {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name)) throw invalid(`lower-case header names in \`${where}\``);
    line(object[name], 8192, where, 0);
  }
}

function members(
  value: unknown,
  where: string,
  required: readonly string[],
  further: readonly string[] | undefined,
): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`an object as ${where}`);
  for (const name of required) if (!Object.hasOwn(value, name)) throw invalid(`${name} in ${where}`);
  if (further === undefined) return value as JsonObject;
  const unknown = Object.keys(value).find((name) => !required.includes(name) && !further.includes(name));
  if (unknown !== undefined) throw invalid(`no member ${JSON.stringify(unknown.slice(0, 60))} in ${where}`);
  return value as JsonObject;
}

function list(value: Json | undefined, limit: number, where: string): readonly Json[] {
  if (!Array.isArray(value) || value.length > limit) throw invalid(`a list of at most ${limit} in \`${where}\``);
  return value as readonly Json[];
}

function line(value: Json | undefined, limit: number, where: string, least = 1): void {
  const fine = typeof value === "string" && value.length >= least && value.length <= limit;
  if (!fine || /[\u0000-\u001f\u007f]/.test(value)) throw invalid(`a text of ${least} to ${limit} in \`${where}\``);
}

function address(value: Json | undefined, where: string): void {
  const url = typeof value === "string" && value.length <= 8192 && URL.canParse(value) ? new URL(value) : undefined;
  const fine = url !== undefined && /^https?:$/.test(url.protocol) && recordedUrl(url) === value;
  if (!fine) throw invalid(`a normalised http address without user information, fragment and secrets in \`${where}\``);
}

function time(value: Json | undefined): void {
  const fine = typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value);
  if (!fine || Number.isNaN(Date.parse(value))) throw invalid("an RFC 3339 UTC time in `fetchedAt`");
}

function whole(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function oneOf(value: Json | undefined, table: object, where: string): void {
  if (typeof value !== "string" || !Object.hasOwn(table, value)) {
    throw invalid(
      `one of ${Object.keys(table).join(", ")} in \`${where}\`, found ${canonicalJson(value ?? null).slice(0, 60)}`,
    );
  }
}

function invalid(expected: string, detail?: { hint: string }): Error {
  return mirrorErrors.make("MIRROR_RECORD_INVALID", `expected ${expected}`, detail);
}
