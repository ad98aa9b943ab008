import { verify } from "node:crypto";
import { upstreamErrors } from "./errors.ts";
import type { Asking, EvidenceQuestion, Found } from "./evidence.ts";
import { hashOf } from "./file-hash.ts";
import { type RegistryKey, readRegistryKeys } from "./registry-keys.ts";
import type { KindTrust } from "./trust.ts";

/**
 * Verifies a registry's signatures over `NAME@VERSION:INTEGRITY` (npm, "ECDSA registry signatures"). The integrity is
 * taken from the bytes that are here, so that a signature over other bytes cannot hold.
 * @throws UPSTREAM_KEY_UNKNOWN | UPSTREAM_KEY_EXPIRED | UPSTREAM_SIGNATURE_INVALID | UPSTREAM_ANSWER_MALFORMED
 */
export async function checkNpmSignature(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  now: Date,
): Promise<Found | string> {
  const { name, version } = question.facts;
  const announcement = question.announced.find((each) => each.name === name && each.version === version);
  const signatures = announcement?.signatures ?? [];
  if (name === undefined || version === undefined || signatures.length === 0) {
    return "the registry announces no signature of this version";
  }
  const keys = await trustedKeys(question, asking, trust);
  const integrity = `sha512-${Buffer.from(await hashOf(question, "sha512"), "hex").toString("base64")}`;
  const message = Buffer.from(`${name}@${version}:${integrity}`);
  const published = announcement?.publishedAt === undefined ? now : new Date(announcement.publishedAt);
  const held: string[] = [];
  for (const { keyId, signature } of signatures) {
    const key = keys.find((each) => each.keyId === keyId);
    if (key === undefined) continue;
    if (!verify("sha256", message, key.key, Buffer.from(signature, "base64"))) {
      throw upstreamErrors.make(
        "UPSTREAM_SIGNATURE_INVALID",
        `the signature by ${keyId} does not verify over ${message.toString()}`,
      );
    }
    checkAge(key, published);
    held.push(keyId);
  }
  const [signer] = held;
  if (signer !== undefined) return { signer, message: `signed by the registry's key ${signer}` };
  const found = signatures.map(({ keyId }) => keyId.slice(0, 80)).join(", ");
  throw upstreamErrors.make("UPSTREAM_KEY_UNKNOWN", `expected a signature by a trusted registry key, found ${found}`);
}

/** Keys of the user's file; those of the registry itself count only where the user says so. */
async function trustedKeys(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
): Promise<readonly RegistryKey[]> {
  if (!trust.rules.registryKeys) return trust.registryKeys;
  const bytes = await asking.file(new URL("-/npm/v1/keys", question.facts.upstream.url));
  return [...trust.registryKeys, ...(bytes === undefined ? [] : readRegistryKeys(bytes))];
}

/** When a version was published is the registry's word; a key that expired before that cannot have signed it. */
function checkAge(key: RegistryKey, published: Date): void {
  if (key.expires === undefined || published.getTime() < key.expires.getTime()) return;
  throw upstreamErrors.make(
    "UPSTREAM_KEY_EXPIRED",
    `the key ${key.keyId} expired at ${key.expires.toISOString()}, before ${published.toISOString()}`,
  );
}
