import { isIPv6 } from "node:net";
import type { Clock } from "@touchmark/core";
import { registryAuthorityErrors } from "./errors.ts";
import { retryLater } from "./retry-later.ts";

/** Counts wrong credentials, and shuts out for a while those who send many. */
export interface FailureLedger {
  /** @throws REGISTRY_AUTH_LOCKED while this remote, or this remote for this user, has to wait */
  check(remote: string, user: string): void;
  /** Notes a wrong credential. */
  failed(remote: string, user: string): void;
  /** A right one clears what this remote did wrong for this user; other users' failures stay. */
  succeeded(remote: string, user: string): void;
}

interface Count {
  failures: number;
  /** Milliseconds of the clock. */
  last: number;
  until: number;
}

/** Failures that are free, for one user from one remote, and for all users from one remote. */
const free = { pair: 4, remote: 49 } as const;
/** Seconds after which a failure no longer counts, and longest wait. */
const FORGET_SECONDS = 900;
const LONGEST_SECONDS = 300;
const MOST_NAMES = 10_000;

/**
 * A ledger in memory. It counts by remote address, so that nobody can shut out somebody else from elsewhere: beyond the
 * free ones each failure doubles the wait, from one second to five minutes.
 */
export function failureLedger(clock: Clock): FailureLedger {
  const counts = new Map<string, Count>();
  const keys = (remote: string, user: string): readonly (readonly [string, number])[] => [
    [`${remotePlace(remote)} ${user}`, free.pair],
    [remotePlace(remote), free.remote],
  ];
  return {
    check(remote, user) {
      const now = clock.now().getTime();
      const until = Math.max(0, ...keys(remote, user).map(([key]) => counts.get(key)?.until ?? 0));
      if (until <= now) return;
      const seconds = Math.min(LONGEST_SECONDS, Math.ceil((until - now) / 1000));
      throw retryLater(
        registryAuthorityErrors.make(
          "REGISTRY_AUTH_LOCKED",
          `expected a pause after wrong credentials, found a request ${seconds} seconds before its end`,
        ),
        seconds,
      );
    },
    failed(remote, user) {
      const now = clock.now().getTime();
      for (const [key, most] of keys(remote, user)) {
        const known = counts.get(key);
        const count =
          known !== undefined && now - known.last < FORGET_SECONDS * 1000 ? known : { failures: 0, last: 0, until: 0 };
        count.failures++;
        count.last = now;
        const over = count.failures - most;
        if (over > 0) count.until = now + Math.min(LONGEST_SECONDS, 2 ** Math.min(20, over - 1)) * 1000;
        counts.delete(key);
        counts.set(key, count);
      }
      while (counts.size > MOST_NAMES) counts.delete(counts.keys().next().value as string);
    },
    succeeded: (remote, user) => void counts.delete(`${remotePlace(remote)} ${user}`),
  };
}

/** What counts as one remote: an address; of IPv6 the /64 that one host has to itself. */
export function remotePlace(remote: string): string {
  const address = remote.startsWith("::ffff:") && remote.includes(".") ? remote.slice(7) : (remote.split("%")[0] ?? "");
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
