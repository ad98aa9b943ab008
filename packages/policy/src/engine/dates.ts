/** True once a time has come. A time that cannot be read has always come: what it ends is over. */
export function isReached(time: string, now: Date): boolean {
  return !(now.getTime() < Date.parse(time));
}

/** Whole days until a time; negative when it is past. */
export function daysUntil(time: string, now: Date): number {
  const days = Math.floor((Date.parse(time) - now.getTime()) / 86_400_000);
  return Number.isSafeInteger(days) ? days : 0;
}

/** How far the clocks of those who vouch for times may be ahead. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** True for the time of a signature that lies after the decision: it cannot be known yet. */
export function isAhead(time: Date | undefined, now: Date): boolean {
  return time !== undefined && time.getTime() > now.getTime() + CLOCK_SKEW_MS;
}
