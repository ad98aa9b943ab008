import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Digest, digestHex, parseJson, sha256 } from "@touchmark/core";
import { decisionPoints } from "@touchmark/formats/policy";
import type { CelInput, Decision } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { homePolicyErrors } from "./errors.ts";
import { namesIn, policyPlaces } from "./policy-place.ts";

/** A decision with what is needed to take it again: by these policies, or by others. */
export interface DecisionRecord {
  readonly touchmark: "decision-record/v1";
  readonly decision: Decision;
  /** Facts of the question; times as `{"$time": "…"}`. */
  readonly request: unknown;
  readonly parameters: unknown;
  readonly issuer: string;
  /** Bundles that were counted on, in the store by digest. */
  readonly evidence: readonly Digest[];
  /** Artifacts whose verified chains were among the facts. */
  readonly chains: readonly Digest[];
}

/** A record as it is kept. */
export interface KeptRecord {
  readonly digest: Digest;
  readonly record: DecisionRecord;
}

const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/**
 * Keeps a decision beside the others of the home. Its digest names it. Decisions about packages, of which a run asks
 * for hundreds, are lines of one file a day.
 */
export function keepRecord(factory: Factory, record: DecisionRecord): Digest {
  const text = canonicalJson(record);
  const digest = sha256(text);
  const { point, at } = record.decision;
  const { decisions } = policyPlaces(factory);
  mkdirSync(decisions, { recursive: true, mode: 0o700 });
  const when = at.replaceAll(/[-:]/g, "").replace(/\.\d+/, "");
  if (point === "dependency") {
    const path = join(decisions, `${when.slice(0, 8)}-${point}.jsonl`);
    // One write, which the kernel appends whole.
    appendFileSync(path, `${text}\n`, { mode: 0o600 });
  } else {
    writeFileSync(join(decisions, `${when}-${point}-${digestHex(digest).slice(0, 16)}.json`), text, { mode: 0o600 });
  }
  return digest;
}

/** Recorded decisions, oldest first. @throws POLICY_RECORD_UNREADABLE */
export function keptRecords(factory: Factory): readonly KeptRecord[] {
  const { decisions } = policyPlaces(factory);
  const single = namesIn(decisions, ".json").map((name) => readRecord(readFileSync(join(decisions, name)), name));
  const lines = namesIn(decisions, ".jsonl").flatMap((name) =>
    linesOf(readFileSync(join(decisions, name))).map((line, index) => readRecord(line, `${name}, line ${index + 1}`)),
  );
  return [...single, ...lines].sort((a, b) => compare(a.record.decision, b.record.decision));
}

/** Forgets decisions that were taken before a time; what was signed about them stays in the log. Answers how many files went. */
export function pruneRecords(factory: Factory, before: Date, options: { readonly dryRun: boolean }): number {
  const { decisions } = policyPlaces(factory);
  const day = before.toISOString().replaceAll(/[-:]/g, "").replace(/\.\d+/, "");
  const old = [...namesIn(decisions, ".json"), ...namesIn(decisions, ".jsonl")].filter((name) => {
    const when = /^\d{8}(T\d{6}Z)?/.exec(name)?.[0];
    // A day's file goes when the whole day is over.
    return when !== undefined && (when.length === 8 ? when < day.slice(0, 8) : when < day);
  });
  if (!options.dryRun) for (const name of old) rmSync(join(decisions, name), { force: true });
  return old.length;
}

/** By time; a run that ended within a second passed its points in their order. */
function compare(a: Decision, b: Decision): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return decisionPoints.indexOf(a.point) - decisionPoints.indexOf(b.point);
}

/** Whole lines; one that a power cut left half is no record. */
function linesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0, to = bytes.indexOf(10); to >= 0; from = to + 1, to = bytes.indexOf(10, from)) {
    lines.push(bytes.subarray(from, to));
  }
  return lines;
}

/** Reads one record. @throws POLICY_RECORD_UNREADABLE */
export function readRecord(bytes: Uint8Array, name: string): KeptRecord {
  try {
    const record = parseJson(bytes, { maxBytes: MAX_RECORD_BYTES }) as unknown as DecisionRecord;
    if (record.touchmark !== "decision-record/v1" || record.decision.touchmark !== "decision/v1") {
      throw new TypeError("another kind of document");
    }
    return { digest: sha256(canonicalJson(record)), record };
  } catch (cause) {
    throw homePolicyErrors.make("POLICY_RECORD_UNREADABLE", `expected a recorded decision in ${name}`, { cause });
  }
}

/** Facts as JSON: times are marked, what is absent is left out. */
export function plainFacts(value: CelInput | undefined): unknown {
  if (value instanceof Date) return { $time: value.toISOString() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (typeof value === "bigint") return { $int: String(value) };
  if (Array.isArray(value)) return value.map(plainFacts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      // A name that begins with a dollar gets another one, so that no fact passes for a mark.
      .map(([name, each]) => [name.startsWith("$") ? `$${name}` : name, plainFacts(each as CelInput)]),
  );
}

/** The facts again. */
export function factsOf(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(factsOf);
  if (typeof value !== "object" || value === null) return value as CelInput;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && typeof first[1] === "string") {
    if (first[0] === "$time") return new Date(first[1]);
    if (first[0] === "$bytes") return new Uint8Array(Buffer.from(first[1], "base64"));
    if (first[0] === "$int") return BigInt(first[1]);
  }
  return Object.fromEntries(
    entries.map(([name, each]) => [name.startsWith("$$") ? name.slice(1) : name, factsOf(each)]),
  );
}
