import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import type { Factory } from "../factory.ts";
import { namesIn, policyPlaces } from "../policy/policy-place.ts";
import type { TrustedParty } from "./evidence-source.ts";

/**
 * Bytes of a bundle that was verified, or of a trust root, by digest: to verify it again in another thread. Exceptions
 * may have come with a file alone.
 * @throws STORE_BLOB_MISSING
 */
export async function proofBytes(
  factory: Factory,
  digest: Digest,
  parties: readonly TrustedParty[] = [],
): Promise<Uint8Array> {
  const root = [await factory.trustRoot(), ...parties.map((each) => each.trustRoot)].find(
    (each) => sha256(each) === digest,
  );
  if (root !== undefined) return root;
  if (await factory.content.has(digest)) return factory.content.get(digest);
  const { exceptions } = policyPlaces(factory);
  for (const name of namesIn(exceptions, ".sigstore.json")) {
    const bytes = readFileSync(join(exceptions, name));
    if (sha256(bytes) === digest) return bytes;
  }
  return factory.content.get(digest);
}
