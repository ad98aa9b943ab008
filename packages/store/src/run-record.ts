import { type Digest, isDigest, type Json, parseJson } from "@touchmark/core";
import { storeErrors } from "./errors.ts";

/** State of a run. `interrupted`: its process died before it could say how it ended. */
export type RunState = "running" | "succeeded" | "failed" | "refused" | "cancelled" | "interrupted";

/** State of a step. */
export type StepStatus = "pending" | "running" | "succeeded" | "failed" | "refused" | "skipped" | "cancelled";

/** One step of a run. */
export interface RunStep {
  readonly name: string;
  readonly status: StepStatus;
  readonly cached: boolean;
  readonly durationMs: number | null;
  /** Tree of the step's output. */
  readonly output: Digest | null;
  /** Anything else the pipeline keeps: exit code, error code, key of the cache … */
  readonly details?: Json;
}

/** One artifact of a run. */
export interface RunArtifact {
  readonly name: string;
  readonly kind: string;
  readonly digest: Digest;
  readonly size: number;
  /** Bundles about it. */
  readonly bundles: readonly Digest[];
  readonly details?: Json;
}

/** One signed bundle of a run. */
export interface RunBundle {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly step: string | null;
  /** Index of its log entry. */
  readonly logIndex: number | null;
}

/** What is known of a run: `runs/<id>/run.json`. It points to evidence and is none. */
export interface RunRecord {
  readonly format: "touchmark run v1";
  readonly id: string;
  readonly state: RunState;
  readonly project: string;
  readonly pipeline: string;
  /** RFC 3339, UTC, with milliseconds. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly steps: readonly RunStep[];
  readonly artifacts: readonly RunArtifact[];
  readonly bundles: readonly RunBundle[];
  /** Anything else: source, parameters, caller. Digests anywhere in the record keep their content from a prune. */
  readonly details: Json;
}

const states = new Set(["running", "succeeded", "failed", "refused", "cancelled", "interrupted"]);

/** Reads a record, strictly in what the store and the index rely upon. @throws STORE_RUN_CORRUPT */
export function parseRunRecord(bytes: Uint8Array, id: string): RunRecord {
  let value: Json;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    throw storeErrors.make("STORE_RUN_CORRUPT", `expected JSON in the record of run ${id}`, { cause });
  }
  const record = value as unknown as RunRecord;
  const sound =
    isObject(value) &&
    record.format === "touchmark run v1" &&
    record.id === id &&
    states.has(record.state) &&
    typeof record.project === "string" &&
    typeof record.pipeline === "string" &&
    !Number.isNaN(Date.parse(record.startedAt)) &&
    (record.finishedAt === null || !Number.isNaN(Date.parse(record.finishedAt))) &&
    every(record.steps, (step) => typeof step.name === "string" && (step.output === null || isDigest(step.output))) &&
    every(record.artifacts, (artifact) => typeof artifact.name === "string" && isDigest(artifact.digest)) &&
    every(record.bundles, (bundle) => typeof bundle.predicateType === "string" && isDigest(bundle.digest));
  if (!sound) {
    throw storeErrors.make("STORE_RUN_CORRUPT", `expected a record of run ${id} in format "touchmark run v1"`);
  }
  return record;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function every<T>(values: readonly T[], test: (value: T) => boolean): boolean {
  return Array.isArray(values) && values.every((value) => isObject(value) && test(value));
}

const anyDigest = /sha256:[0-9a-f]{64}(?![0-9a-f])/g;

/** Every digest that a text mentions in OCI spelling. */
export function digestsIn(text: string): Set<Digest> {
  return new Set(text.match(anyDigest) as Digest[] | null);
}
