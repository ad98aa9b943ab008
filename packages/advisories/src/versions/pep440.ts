import { bounded, compareNumerals, compareText, unreadable, type VersionScheme } from "./scheme.ts";

/** A version of PEP 440, or one from before it. */
export type PythonVersion = StandardVersion | LegacyVersion;

interface StandardVersion {
  readonly epoch: string;
  /** Without zeros at the end. */
  readonly release: readonly string[];
  /** Letter and number: `a`, `b`, `rc`. */
  readonly pre: readonly [string, string] | undefined;
  readonly post: string | undefined;
  readonly dev: string | undefined;
  readonly local: readonly string[] | undefined;
}

interface LegacyVersion {
  readonly legacy: readonly string[];
}

// PEP 440, appendix B, as pieces.
const syntax = new RegExp(
  [
    "^v?(?:(\\d+)!)?(\\d+(?:\\.\\d+)*)",
    "(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\\d+)?)?",
    "(?:-(\\d+)|[-_.]?(post|rev|r)[-_.]?(\\d+)?)?",
    "(?:[-_.]?(dev)[-_.]?(\\d+)?)?",
    "(?:\\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$",
  ].join(""),
);
// What was a version before: anything that an index can have served as one.
const legacySyntax = /^[0-9a-z._+!~*-]+$/;
const letters: Readonly<Record<string, string>> = { alpha: "a", beta: "b", c: "rc", pre: "rc", preview: "rc" };

function read(text: string): PythonVersion {
  const lower = bounded("pep440", text).toLowerCase();
  const parts = syntax.exec(lower);
  if (parts === null) {
    if (!legacySyntax.test(lower) || !/\d/.test(lower)) throw unreadable("pep440", text);
    return { legacy: legacyParts(lower) };
  }
  const [, epoch = "0", release = "", letter, number, postNumber, post, postDigits, dev, devDigits, local] = parts;
  return {
    epoch,
    release: withoutTrailingZeros(release.split(".")),
    pre: letter === undefined ? undefined : [letters[letter] ?? letter, number ?? "0"],
    post: postNumber ?? (post === undefined ? undefined : (postDigits ?? "0")),
    dev: dev === undefined ? undefined : (devDigits ?? "0"),
    local: local?.split(/[-_.]/),
  };
}

function withoutTrailingZeros(release: readonly string[]): readonly string[] {
  let length = release.length;
  while (length > 0 && /^0+$/.test(release[length - 1] ?? "")) length--;
  return release.slice(0, length);
}

/** Parts of a version as setuptools compared them before PEP 440: text by text, after any of which `*final` stands. */
function legacyParts(lower: string): readonly string[] {
  const parts: string[] = [];
  for (const piece of [...lower.split(/(\d+|[a-z]+|\.|-)/), "final"]) {
    if (piece === "" || piece === ".") continue;
    const part = /^\d/.test(piece) ? piece.padStart(8, "0") : `*${legacyWords[piece] ?? piece}`;
    if (part.startsWith("*")) {
      if (part < "*final") while (parts.at(-1) === "*final-") parts.pop();
      while (parts.at(-1) === "00000000") parts.pop();
    }
    parts.push(part);
  }
  return parts;
}

const legacyWords: Readonly<Record<string, string>> = { pre: "c", preview: "c", "-": "final-", rc: "c", dev: "@" };

function compare(a: PythonVersion, b: PythonVersion): number {
  if ("legacy" in a || "legacy" in b) {
    if ("legacy" in a && "legacy" in b) return compareLists(a.legacy, b.legacy, compareText);
    return "legacy" in a ? -1 : 1;
  }
  return (
    compareNumerals(a.epoch, b.epoch) ||
    compareLists(a.release, b.release, compareNumerals) ||
    comparePre(a, b) ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLocal(a.local, b.local)
  );
}

/** A development release of the release itself comes before its first alpha; a final one after its last candidate. */
function comparePre(a: StandardVersion, b: StandardVersion): number {
  const [one, other] = [stage(a), stage(b)];
  return one - other || (one !== 0 ? 0 : comparePairs(a.pre ?? ["", "0"], b.pre ?? ["", "0"]));
}

function stage({ pre, post, dev }: StandardVersion): number {
  if (pre !== undefined) return 0;
  return post === undefined && dev !== undefined ? -1 : 1;
}

function comparePairs(a: readonly [string, string], b: readonly [string, string]): number {
  return compareText(a[0], b[0]) || compareNumerals(a[1], b[1]);
}

/** Numbers, of which one that is absent stands at the given end. */
function compareOptional(a: string | undefined, b: string | undefined, absent: 1 | -1): number {
  if (a === undefined || b === undefined) return (a === undefined ? absent : 0) - (b === undefined ? absent : 0);
  return compareNumerals(a, b);
}

function compareLocal(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  return compareLists(a, b, (one, other) => {
    const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? 1 : -1;
    return isNumber ? compareNumerals(one, other) : compareText(one, other);
  });
}

function compareLists(a: readonly string[], b: readonly string[], order: (a: string, b: string) => number): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const found = order(a[i] ?? "", b[i] ?? "");
    if (found !== 0) return found;
  }
  return a.length - b.length;
}

/** Python: PEP 440, with everything that it calls a spelling of the same, and older versions below all of its own. */
export const pep440: VersionScheme<PythonVersion> = { name: "pep440", read, compare };
