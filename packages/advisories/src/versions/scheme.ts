import { versionErrors } from "./errors.ts";

/** The rules by which versions of an ecosystem are ordered. */
export interface VersionScheme<Version = unknown> {
  /** As findings name it: `semver`, `pep440`, `debian`, ... */
  readonly name: string;
  /** Takes a version apart. @throws VERSION_UNREADABLE */
  read(text: string): Version;
  /** Negative when `a` is older, 0 when the rules hold both for the same, positive when `a` is newer. */
  compare(a: Version, b: Version): number;
}

/** No ecosystem has longer versions, and comparing must not become work. */
export const longestVersion = 512;

/** The refusal of a text that is no version. */
export function unreadable(scheme: string, text: string) {
  return versionErrors.make(
    "VERSION_UNREADABLE",
    `expected a version by the rules of ${scheme}, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** Surrounding white space removed, within the bounds that hold for all. @throws VERSION_UNREADABLE */
export function bounded(scheme: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > longestVersion) throw unreadable(scheme, text);
  return trimmed;
}

/** Two numbers in decimal digits, of any length and with any leading zeros. */
export function compareNumerals(a: string, b: string): number {
  const [one, other] = [withoutZeros(a), withoutZeros(b)];
  if (one.length !== other.length) return one.length - other.length;
  return compareText(one, other);
}

/** Order of UTF-16 units, which is byte order for ASCII. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function withoutZeros(digits: string): string {
  if (digits.charCodeAt(0) !== 48) return digits;
  return digits.replace(/^0+(?=[0-9])/, "");
}
