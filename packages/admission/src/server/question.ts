import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import type { AdmissionVerdict } from "../gate/types.ts";
import { isObject, type JsonObject } from "../review/object.ts";
import { serverErrors } from "./errors.ts";

/** What a caller of the verdict API asks. */
export interface VerdictQuestion {
  readonly references: readonly string[];
  readonly namespace: string | undefined;
  readonly environment: string | undefined;
  readonly dryRun: boolean;
}

const mostReferences = 512;
const members = ["references", "namespace", "environment", "dryRun"];

/** Reads a question strictly. @throws ADMISSION_QUESTION_MALFORMED */
export function readQuestion(bytes: Uint8Array): VerdictQuestion {
  const question = readJson(bytes);
  if (!isObject(question)) throw malformed("an object");
  const unknown = Object.keys(question).find((name) => !members.includes(name));
  if (unknown !== undefined)
    throw malformed(`one of ${members.join(", ")}, found ${JSON.stringify(unknown.slice(0, 80))}`);
  const references = question["references"];
  if (!Array.isArray(references) || references.length === 0 || references.length > mostReferences) {
    throw malformed(`1 to ${mostReferences} references`);
  }
  const dryRun = question["dryRun"] ?? false;
  if (typeof dryRun !== "boolean") throw malformed("true or false as dryRun");
  return {
    references: references.map((reference: Json) => word(reference, "each reference", 2048)),
    namespace: optional(question, "namespace"),
    environment: optional(question, "environment"),
    dryRun,
  };
}

function readJson(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { maxDepth: 8 });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw malformed(`JSON: ${cause.message}`, cause);
  }
}

function optional(question: JsonObject, name: string): string | undefined {
  const found = question[name];
  return found === undefined || found === null ? undefined : word(found, name, 256);
}

function word(value: Json, what: string, most: number): string {
  if (typeof value === "string" && value !== "" && value.length <= most) return value;
  throw malformed(`a text of 1 to ${most} characters as ${what}`);
}

function malformed(expected: string, cause?: unknown): Error {
  return serverErrors.make("ADMISSION_QUESTION_MALFORMED", `expected ${expected}`, { cause });
}

/** The bytes of the answer: a verdict for each reference, and what they come to. */
export function verdictBytes(verdicts: readonly AdmissionVerdict[]): Buffer {
  const result = verdicts.length > 0 && verdicts.every((verdict) => verdict.result === "allow") ? "allow" : "deny";
  return Buffer.from(JSON.stringify({ result, verdicts }));
}
