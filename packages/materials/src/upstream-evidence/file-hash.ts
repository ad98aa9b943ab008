import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { EvidenceQuestion } from "./evidence.ts";

/** A hash of the file in question, taken now where it is not known. */
export async function hashOf(question: EvidenceQuestion, algorithm: "sha256" | "sha384" | "sha512"): Promise<string> {
  const known = question.hashes[algorithm];
  if (known !== undefined) return known;
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(question.path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
