import { bounded, compareNumerals, compareText, unreadable, type VersionScheme } from "./scheme.ts";

/** Segments of a gem's version, zeros at the end of the numbers and of the rest removed. */
export type GemVersion = readonly string[];

const syntax = /^\d+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const isNumber = (segment: string): boolean => /^\d/.test(segment);

function read(text: string): GemVersion {
  const trimmed = bounded("rubygems", text);
  if (!syntax.test(trimmed)) throw unreadable("rubygems", text);
  const segments = trimmed.replaceAll("-", ".pre.").match(/\d+|[a-zA-Z]+/g) ?? [];
  const found = segments.findIndex((segment) => !isNumber(segment));
  const start = found < 0 ? segments.length : found;
  return [...withoutZeros(segments.slice(0, start)), ...withoutZeros(segments.slice(start))];
}

function withoutZeros(segments: readonly string[]): readonly string[] {
  let length = segments.length;
  while (length > 0 && /^0+$/.test(segments[length - 1] ?? "")) length--;
  return segments.slice(0, length);
}

function compare(a: GemVersion, b: GemVersion): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i] ?? "0", b[i] ?? "0"];
    if (isNumber(one) !== isNumber(other)) return isNumber(one) ? 1 : -1;
    const order = isNumber(one) ? compareNumerals(one, other) : compareText(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** RubyGems, as `Gem::Version` compares. */
export const rubygems: VersionScheme<GemVersion> = { name: "rubygems", read, compare };
