import { bounded, compareNumerals, compareText, unreadable, type VersionScheme } from "./scheme.ts";

/** Kinds of parts in the order in which they can follow; of two versions that differ there, the later kind is older. */
const kinds = [
  "first",
  "number",
  "letter",
  "letter-number",
  "suffix",
  "suffix-number",
  "commit",
  "revision",
  "end",
] as const;

interface Part {
  readonly kind: (typeof kinds)[number];
  readonly text: string;
}

/** A version of a package of Alpine: apk-package(5). */
export type AlpineVersion = readonly Part[];

/** Suffixes from the oldest to the newest; those before `none` are pre-releases. */
const suffixes = ["alpha", "beta", "pre", "rc", "none", "cvs", "svn", "git", "hg", "p"];
const isPrerelease = (part: Part): boolean =>
  part.kind === "suffix" && suffixes.indexOf(part.text) < suffixes.indexOf("none");

// A number behind the letter (`1.8.28p1`) is none of apk's, and stands in older packages and their advisories.
const syntax = /^(\d+(?:\.\d+)*)(?:([a-z])(\d*))?((?:_[a-z]+\d*)*)(?:~([0-9a-f]+))?(?:-r(\d+))?$/;

function read(text: string): AlpineVersion {
  const parts = syntax.exec(bounded("alpine", text));
  if (parts === null) throw unreadable("alpine", text);
  const [, numbers = "", letter = "", letterNumber = "", suffixed = "", commit, revision] = parts;
  const found: Part[] = numbers.split(".").map((each, i) => ({ kind: i === 0 ? "first" : "number", text: each }));
  if (letter !== "") found.push({ kind: "letter", text: letter });
  if (letterNumber !== "") found.push({ kind: "letter-number", text: letterNumber });
  for (const suffix of suffixed.split("_").slice(1)) {
    const [, word = "", number = ""] = /^([a-z]+)(\d*)$/.exec(suffix) ?? [];
    if (word === "none" || !suffixes.includes(word)) throw unreadable("alpine", text);
    found.push({ kind: "suffix", text: word });
    if (number !== "") found.push({ kind: "suffix-number", text: number });
  }
  if (commit !== undefined) found.push({ kind: "commit", text: commit });
  if (revision !== undefined) found.push({ kind: "revision", text: revision });
  found.push({ kind: "end", text: "" });
  return found;
}

function compareParts(a: Part, b: Part): number {
  switch (a.kind) {
    case "number":
      // With a leading zero it is a fraction, and compares as text.
      if (a.text.startsWith("0") || b.text.startsWith("0")) return compareText(a.text, b.text);
      return compareNumerals(a.text, b.text);
    case "suffix":
      return suffixes.indexOf(a.text) - suffixes.indexOf(b.text);
    case "letter":
    case "commit":
      return compareText(a.text, b.text);
    default:
      return compareNumerals(a.text || "0", b.text || "0");
  }
}

function compare(a: AlpineVersion, b: AlpineVersion): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === undefined || other === undefined) break;
    if (one.kind !== other.kind) {
      if (isPrerelease(one)) return -1;
      if (isPrerelease(other)) return 1;
      return kinds.indexOf(other.kind) - kinds.indexOf(one.kind);
    }
    const order = compareParts(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** Alpine and what is built with its tools, as apk compares. */
export const alpine: VersionScheme<AlpineVersion> = { name: "alpine", read, compare };
