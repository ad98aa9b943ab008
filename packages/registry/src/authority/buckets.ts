import { setTimeout as sleepFor } from "node:timers/promises";
import type { Clock } from "@touchmark/core";
import type { Rate } from "../configuration/configuration.ts";
import { registryAuthorityErrors } from "./errors.ts";
import { retryLater } from "./retry-later.ts";

/** Limits how often, and how fast, somebody may use a registry (token buckets; a second's worth at once). */
export interface Buckets {
  /** Takes one request. @throws REGISTRY_RATE_LIMITED */
  request(name: string, rate: Rate): void;
  /** Takes bytes that went by; a promise when more must wait, so that over time the rate holds. */
  bytes(name: string, rate: Rate, count: number): Promise<void> | undefined;
}

interface Bucket {
  /** What is left; below zero is owed. */
  left: number;
  /** Milliseconds of the clock. */
  at: number;
}

/** Names that are remembered; the one longest unused is forgotten first, when its bucket is full again anyhow. */
const MOST_NAMES = 10_000;
/** Longest wait of one piece of a body, milliseconds. */
const LONGEST_WAIT = 10_000;

/** Buckets in memory. `sleep` is for tests. */
export function memoryBuckets(clock: Clock, sleep: (ms: number) => Promise<void> = sleepFor): Buckets {
  const requests = new Map<string, Bucket>();
  const bytes = new Map<string, Bucket>();
  const filled = (table: Map<string, Bucket>, name: string, perSecond: number): Bucket => {
    const now = clock.now().getTime();
    const bucket = table.get(name) ?? { left: perSecond, at: now };
    // A clock that goes back fills nothing, and takes nothing away.
    bucket.left = Math.min(perSecond, bucket.left + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    table.delete(name);
    table.set(name, bucket);
    if (table.size > MOST_NAMES) table.delete(table.keys().next().value as string);
    return bucket;
  };
  return {
    request(name, { requestsPerSecond: perSecond }) {
      if (perSecond === undefined) return;
      const bucket = filled(requests, name, perSecond);
      if (bucket.left < 1) {
        const seconds = Math.max(1, Math.ceil((1 - bucket.left) / perSecond));
        throw retryLater(
          registryAuthorityErrors.make(
            "REGISTRY_RATE_LIMITED",
            `expected at most ${perSecond} requests a second, found more`,
          ),
          seconds,
        );
      }
      bucket.left -= 1;
    },
    bytes(name, { bytesPerSecond: perSecond }, count) {
      if (perSecond === undefined) return undefined;
      const bucket = filled(bytes, name, perSecond);
      bucket.left -= count;
      if (bucket.left >= 0) return undefined;
      return sleep(Math.min(LONGEST_WAIT, Math.ceil((-bucket.left / perSecond) * 1000)));
    },
  };
}
