import { canonicalJson, type Digest, encodeBase64, sha256 } from "@touchmark/core";
import type { CelInput } from "../cel/value.ts";
import { engineErrors } from "./errors.ts";

const MAX_DEPTH = 200;

/** Digest of what a gate handed in. For JSON without `$` it is that of the canonical JSON. @throws ENGINE_INPUT_TOO_DEEP */
export function inputDigest(input: CelInput): Digest {
  return sha256(canonicalJson(plain(input, 0)));
}

/** What JSON cannot say gets a member that names its kind. */
function plain(input: CelInput | undefined, depth: number): unknown {
  if (typeof input === "bigint") return { $int: String(input) };
  if (typeof input === "number" && !Number.isFinite(input)) return { $double: String(input) };
  if (typeof input !== "object" || input === null) return input;
  if (depth > MAX_DEPTH) {
    throw engineErrors.make("ENGINE_INPUT_TOO_DEEP", `expected at most ${MAX_DEPTH} levels of facts`);
  }
  if (input instanceof Date) return { $time: input.getTime() };
  if (input instanceof Uint8Array) return { $bytes: encodeBase64(input) };
  if (Array.isArray(input)) return (input as readonly CelInput[]).map((each) => plain(each, depth + 1));
  const members = Object.fromEntries(Object.entries(input).map(([name, each]) => [name, plain(each, depth + 1)]));
  // A document must not pass itself off as a time.
  return Object.keys(members).some((name) => name.startsWith("$")) ? { $map: members } : members;
}
