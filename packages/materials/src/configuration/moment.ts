import { parseDuration } from "@touchmark/formats/pipeline";

/** A date or time as written, as RFC 3339 UTC: a date alone is its first moment. */
export function parseMoment(written: string): string {
  return written.includes("T") ? written : `${written}T00:00:00Z`;
}

/** Seconds of an age such as `7d`, `12h` or `0s`. */
export function parseAge(written: string): number {
  if (written.endsWith("d")) return Number(written.slice(0, -1)) * 86_400;
  return written === "0s" ? 0 : (parseDuration(written) ?? 0);
}
