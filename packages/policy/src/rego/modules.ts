import { type Digest, sha256 } from "@touchmark/core";
import { type RegoModule, regoModule } from "./rego-module.ts";

/** How many compiled modules are kept between decisions. */
const MOST_KEPT = 16;

/** Kept between decisions, by the digest of their bytes. They hold nothing of any decision. */
const kept = new Map<Digest, RegoModule>();

/** The module of a digest; undefined where it is not given, or is another one. @throws REGO_MODULE */
export function moduleOf(digest: Digest, given: ReadonlyMap<Digest, Uint8Array>): RegoModule | undefined {
  const bytes = given.get(digest);
  if (bytes === undefined || sha256(bytes) !== digest) return undefined;
  const module = kept.get(digest) ?? regoModule(bytes);
  kept.delete(digest);
  kept.set(digest, module);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return module;
}
