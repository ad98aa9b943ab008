import { bounded, compareNumerals, unreadable, type VersionScheme } from "./scheme.ts";

const stability = String.raw`[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d+)*)?)?([.-]?dev)?`;
const classical = new RegExp(String.raw`^v?(\d{1,5})(\.\d+)?(\.\d+)?(\.\d+)?${stability}$`, "i");
const dated = new RegExp(String.raw`^v?(\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){0,2})${stability}$`, "i");
const branch = /^v?(\d+)(\.(?:\d+|[xX*]))?(\.(?:\d+|[xX*]))?(\.(?:\d+|[xX*]))?$/;
const names: Readonly<Record<string, string>> = { a: "alpha", b: "beta", p: "patch", pl: "patch", rc: "rc" };

/** Parts of a version as PHP's version_compare sees them, after Composer has put it in its normal form. */
export type ComposerVersion = readonly string[];

function read(text: string): ComposerVersion {
  const version = bounded("composer", text)
    .replace(/ as .*$/, "")
    .replace(/@(?:stable|rc|beta|alpha|dev)$/i, "")
    .replace(/\+[^\s]*$/, "");
  const parts = normal(version);
  if (parts === undefined) throw unreadable("composer", text);
  return parts;
}

/** Undefined for branches without a number, which have no place among versions. */
function normal(version: string): ComposerVersion | undefined {
  const numbered = classical.exec(version);
  if (numbered !== null) {
    const [, major = "", minor = ".0", patch = ".0", build = ".0", word, number, dev] = numbered;
    return [...`${major}${minor}${patch}${build}`.split("."), ...suffixed(word, number, dev)];
  }
  const date = dated.exec(version);
  if (date !== null) {
    const [, numbers = "", word, number, dev] = date;
    return [...numbers.split(/\D+/), ...suffixed(word, number, dev)];
  }
  const development = /^(.*?)[.-]?dev$/i.exec(version);
  const named = branch.exec(development?.[1] ?? "");
  if (named === null) return undefined;
  const numbers = [1, 2, 3, 4].map((i) => (named[i] ?? ".x").replace(".", "").replace(/[xX*]/, "9999999"));
  return [...numbers, "dev"];
}

function suffixed(word: string | undefined, number: string | undefined, dev: string | undefined): readonly string[] {
  const parts: string[] = [];
  const lower = word?.toLowerCase();
  if (lower !== undefined && lower !== "stable") {
    parts.push(names[lower] ?? lower, ...(number ?? "").split(/[.-]/).filter((part) => part !== ""));
  }
  if (dev !== undefined) parts.push("dev");
  return parts;
}

/** Order of words beside numbers (`#`). */
const ranks: Readonly<Record<string, number>> = { dev: 0, alpha: 1, beta: 2, rc: 3, "#": 4, patch: 5 };
const rank = (part: string): number => ranks[isNumber(part) ? "#" : part] ?? -1;
const isNumber = (part: string): boolean => /^\d/.test(part);

function compare(a: ComposerVersion, b: ComposerVersion): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === undefined) return other === undefined ? 0 : -beyond(other);
    if (other === undefined) return beyond(one);
    const order = isNumber(one) && isNumber(other) ? compareNumerals(one, other) : rank(one) - rank(other);
    if (order !== 0) return order;
  }
  return 0;
}

/** What a part that the other version lacks makes of it: a number newer, a word before numbers older. */
function beyond(part: string): number {
  return isNumber(part) ? 1 : rank(part) - (ranks["#"] ?? 0);
}

/** Composer: its normal form, compared as PHP does. */
export const composer: VersionScheme<ComposerVersion> = { name: "composer", read, compare };
