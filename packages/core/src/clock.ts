/** Where the time comes from; injected, so that tests and replays set it. */
export interface Clock {
  /** Now, in UTC. */
  now(): Date;
}

/** The host's clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until told otherwise. */
export function fixedClock(at: string | Date): Clock & { set(at: string | Date): void } {
  let now = new Date(at);
  return {
    now: () => new Date(now),
    set: (next) => {
      now = new Date(next);
    },
  };
}

/** RFC 3339 UTC time with seconds, as statements spell it: `2026-11-21T10:42:31Z`. */
export function rfc3339(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
