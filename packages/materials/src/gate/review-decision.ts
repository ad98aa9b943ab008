import type { Digest } from "@touchmark/core";

/** A signed review of a third-party component, verified by whoever hands it to the gate. */
export interface ReviewDecision {
  /** Digest of the bundle. */
  readonly digest: Digest;
  /** Package URL or pattern that it covers. */
  readonly packages: string;
  readonly decision: "accept" | "limit" | "deny";
  /** With `limit`: steps for which it holds; empty: any step. */
  readonly steps: readonly string[];
  readonly party: "first" | "second" | "third";
  readonly approver: string;
  /** RFC 3339 UTC. */
  readonly expires: string;
}
