import type { Duration, Timestamp } from "../runtime/values.ts";

const billion = 1_000_000_000n;

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Nanoseconds since 1970 of a time of RFC 3339; undefined where it is none. */
export function readTimestamp(text: string): bigint | undefined {
  if (text.length > 40) return undefined;
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (hour > 23 || minute > 59 || second > 59 || part(9) > 23 || part(10) > 59 || year === 0) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (part(9) * 60 + part(10)) * (match[8] === "-" ? -60 : 60);
  const fraction = BigInt((match[7] ?? "").padEnd(9, "0"));
  return (BigInt(date.getTime() / 1000) - BigInt(offset)) * billion + fraction;
}

/** A time as RFC 3339 writes it, with as many digits of its second as it needs. */
export function timestampText(timestamp: Timestamp): string {
  const fraction = ((timestamp.nanoseconds % billion) + billion) % billion;
  const seconds = (timestamp.nanoseconds - fraction) / billion;
  const date = new Date(Number(seconds) * 1000).toISOString();
  return `${date.slice(0, 19)}${fractionText(fraction)}Z`;
}

function fractionText(nanoseconds: bigint): string {
  return nanoseconds === 0n ? "" : `.${nanoseconds.toString().padStart(9, "0").replace(/0+$/, "")}`;
}

const units: ReadonlyMap<string, bigint> = new Map([
  ["h", 3600n * billion],
  ["m", 60n * billion],
  ["s", billion],
  ["ms", 1_000_000n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ns", 1n],
]);

/** Nanoseconds of a duration like `1h30m` or `-1.5s`; undefined where it is none. */
export function readDuration(text: string): bigint | undefined {
  if (text.length > 100) return undefined;
  const sign = text.startsWith("-") ? -1n : 1n;
  const rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0n;
  const parts = [...rest.matchAll(/(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|μs|ns|m|s)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== rest) return undefined;
  let total = 0n;
  for (const [, amount = "", unit = ""] of parts) {
    const [whole = "", fraction = ""] = amount.split(".");
    const size = units.get(unit) ?? 0n;
    total += BigInt(whole === "" ? "0" : whole) * size;
    if (fraction !== "") total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return sign * total;
}

/** A duration in seconds: `5400s`, `-0.5s`. */
export function durationText(duration: Duration): string {
  const sign = duration.nanoseconds < 0n ? "-" : "";
  const magnitude = duration.nanoseconds < 0n ? -duration.nanoseconds : duration.nanoseconds;
  return `${sign}${magnitude / billion}${fractionText(magnitude % billion)}s`;
}

/** A double as CEL writes it. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-Inf" : "+Inf";
  return Object.is(value, -0) ? "-0" : exponentPadded(String(value));
}

/** `1e+30` as is, `1e-7` with two digits, as Go writes them. */
function exponentPadded(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}
