import type { Statement } from "@touchmark/formats/evidence";
import { upstreamErrors } from "./errors.ts";
import { type EvidenceQuestion } from "./evidence.ts";
import { hashOf } from "./file-hash.ts";

const strong = ["sha256", "sha384", "sha512"] as const;

/**
 * Checks that a statement is about this file alone, by name and by every digest that it gives.
 * @throws UPSTREAM_SUBJECT_MISMATCH
 */
export async function checkSubject(
  statement: Statement,
  question: EvidenceQuestion,
  isNamed: (name: string | undefined) => boolean,
): Promise<void> {
  const [subject, ...more] = statement.subject;
  if (subject === undefined || more.length > 0) {
    throw mismatch(`one subject, found ${statement.subject.length}`);
  }
  if (!isNamed(subject.name)) throw mismatch(`this package, found ${JSON.stringify(subject.name?.slice(0, 200))}`);
  const given = strong.filter((algorithm) => Object.hasOwn(subject.digest, algorithm));
  if (given.length === 0)
    throw mismatch(`a SHA-2 digest, found ${Object.keys(subject.digest).join(", ").slice(0, 100)}`);
  for (const algorithm of given) {
    const found = await hashOf(question, algorithm);
    if (subject.digest[algorithm] !== found)
      throw mismatch(`${algorithm} ${found}, found ${subject.digest[algorithm]}`);
  }
}

function mismatch(message: string): Error {
  return upstreamErrors.make("UPSTREAM_SUBJECT_MISMATCH", `expected an attestation about ${message}`);
}
