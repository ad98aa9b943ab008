import type { Digest } from "@touchmark/core";
import { canonicalJson, isDigest, type Json } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import type { MaterialRecord } from "../material.ts";
import { checkRecord, isAnnouncedDigest } from "./check-record.ts";
import { mirrorErrors } from "./errors.ts";
import type { SeenFile } from "./mirror.ts";
import { type JsonObject, sealJson, unsealJson } from "./sealed-json.ts";

/** Answers kept of one request. */
export const MAX_HISTORY = 16;
/** Records that the index names for one digest. */
const MAX_HOLDERS = 16;
/** Different bytes that the ledger keeps of one file name. */
export const MAX_SEEN = 64;

const HISTORY = "touchmark mirror record v1";
const HOLDERS = "touchmark mirror digest v1";
const LEDGER = "touchmark mirror ledger v1";

/** Where a digest is to be found: records by key, with the body's own digest, newest first. */
export interface Holder {
  readonly key: string;
  readonly digest: Digest;
}

/** Text of a record file. */
export function historyText(records: readonly MaterialRecord[]): string {
  return sealJson({ format: HISTORY, key: records[0]?.key, records });
}

/** Reads a record file. @throws Error */
export function parseHistory(bytes: Uint8Array, key: string): readonly MaterialRecord[] {
  const document = shaped(bytes, HISTORY, ["key", "records"]);
  const records = listed(document["records"], MAX_HISTORY).map(checkRecord);
  if (document["key"] !== key || records.some((record) => record.key !== key)) throw new Error("it has another key");
  return records;
}

/**
 * The history with one more answer, newest first and bounded. An answer that came before, in bytes and status, is
 * replaced: a registry that was only asked again makes no history.
 */
export function withRecord(history: readonly MaterialRecord[], record: MaterialRecord): readonly MaterialRecord[] {
  const others = history.filter((one) => one.digest !== record.digest || one.status !== record.status);
  const all = [record, ...others];
  // Stable: of two that came in one second the one that came last is first.
  all.sort((a, b) => Date.parse(b.fetchedAt) - Date.parse(a.fetchedAt));
  return all.slice(0, MAX_HISTORY);
}

/** Text of an entry of the digest index. */
export function holdersText(digest: AnnouncedDigest, holders: readonly Holder[]): string {
  return sealJson({ format: HOLDERS, algorithm: digest.algorithm, value: digest.value, holders });
}

/** Reads an entry of the digest index. @throws Error */
export function parseHolders(bytes: Uint8Array, digest: AnnouncedDigest): readonly Holder[] {
  const document = shaped(bytes, HOLDERS, ["algorithm", "holders", "value"]);
  if (document["algorithm"] !== digest.algorithm || document["value"] !== digest.value) {
    throw new Error("it has another digest");
  }
  return listed(document["holders"], MAX_HOLDERS).map((value) => {
    const { key, digest } = membersOf(value);
    if (typeof key !== "string" || !/^[0-9a-f]{64}$/.test(key) || typeof digest !== "string" || !isDigest(digest)) {
      throw new Error("no holder of a digest");
    }
    return { key, digest };
  });
}

/** The holders with one more. */
export function withHolder(holders: readonly Holder[], holder: Holder): readonly Holder[] {
  const others = holders.filter((one) => one.key !== holder.key || one.digest !== holder.digest);
  return [holder, ...others].slice(0, MAX_HOLDERS);
}

/** Text of a page of the ledger. */
export function ledgerText(purl: string, fileName: string, files: readonly SeenFile[]): string {
  return sealJson({ format: LEDGER, purl, fileName, files });
}

/** Reads a page of the ledger. @throws Error */
export function parseLedger(bytes: Uint8Array, purl?: string, fileName?: string): readonly SeenFile[] {
  const document = shaped(bytes, LEDGER, ["fileName", "files", "purl"]);
  const named = purl ?? document["purl"];
  const file = fileName ?? document["fileName"];
  if (document["purl"] !== named || document["fileName"] !== file) throw new Error("it is of another file");
  return listed(document["files"], MAX_SEEN).map((value) => {
    const { digest, size, firstSeen, upstream, ...rest } = membersOf(value);
    const sound =
      rest["purl"] === named &&
      rest["fileName"] === file &&
      typeof digest === "string" &&
      isDigest(digest) &&
      Number.isSafeInteger(size) &&
      typeof firstSeen === "string" &&
      !Number.isNaN(Date.parse(firstSeen)) &&
      typeof upstream === "string";
    if (!sound) throw new Error("no line of a ledger");
    return value as unknown as SeenFile;
  });
}

/** The page with one more line, unless these bytes stand there. Nothing is ever taken away. @throws MIRROR_LEDGER_FULL */
export function withSeen(files: readonly SeenFile[], seen: SeenFile): readonly SeenFile[] {
  if (files.some((one) => one.digest === seen.digest)) return files;
  if (files.length >= MAX_SEEN) {
    throw mirrorErrors.make(
      "MIRROR_LEDGER_FULL",
      `expected at most ${MAX_SEEN} different files named ${seen.fileName} of ${seen.purl}, found one more`,
    );
  }
  return [...files, seen];
}

/** The line that a record adds to the ledger; undefined for what is no file of a package: indexes, failures, HEAD. */
export function seenOf(record: MaterialRecord, firstSeen: string): SeenFile | undefined {
  const { kind, purl, fileName, upstream } = record.facts;
  const file = kind === "archive" || kind === "metadata" || kind === "signature" || kind === "download";
  if (!file || purl === undefined || fileName === undefined || record.status !== 200 || record.method !== "GET") {
    return undefined;
  }
  return { purl, fileName, digest: record.digest, size: record.size, firstSeen, upstream };
}

/** Every digest that a record's body is known to have. */
export function digestsOf(record: MaterialRecord): AnnouncedDigest[] {
  const own: AnnouncedDigest = { algorithm: "sha256", value: record.digest.slice("sha256:".length) };
  const found = new Map([[canonicalJson(own), own]]);
  for (const { algorithm, value } of record.expected) {
    if (isAnnouncedDigest(algorithm, value)) found.set(canonicalJson({ algorithm, value }), { algorithm, value });
  }
  return [...found.values()];
}

/**
 * Digests by which a record can be looked up: strong ones, of files that lockfiles and indexes name. An index is found
 * by its address alone.
 */
export function indexedDigestsOf(record: MaterialRecord): AnnouncedDigest[] {
  const { kind } = record.facts;
  if (kind !== "archive" && kind !== "download") return [];
  return digestsOf(record).filter(({ algorithm }) => algorithm !== "md5" && algorithm !== "sha1");
}

/** True when the record says that its body has that digest. */
export function hasDigest(record: MaterialRecord, digest: AnnouncedDigest): boolean {
  return digestsOf(record).some((one) => one.algorithm === digest.algorithm && one.value === digest.value);
}

function shaped(bytes: Uint8Array, format: string, names: readonly string[]): JsonObject {
  const document = unsealJson(bytes);
  if (document["format"] !== format) throw new Error("it has another format");
  if (Object.keys(document).sort().join() !== ["format", ...names].sort().join()) throw new Error("unknown members");
  return document;
}

function membersOf(value: Json): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no object");
  return value as JsonObject;
}

function listed(value: Json | undefined, limit: number): readonly Json[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > limit) throw new Error("no list within its bound");
  return value as readonly Json[];
}
