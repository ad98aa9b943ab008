import { bounded, compareNumerals, compareText, type VersionScheme } from "./scheme.ts";

/** A version of Maven as a tree: numbers, qualifiers, and lists of them behind hyphens and transitions. */
export type MavenVersion = readonly Item[];

type Item = string | Qualifier | readonly Item[];

/** A word of a version; numbers are plain digits. */
interface Qualifier {
  readonly word: string;
}

/** Known qualifiers from the oldest to the newest; the release itself is the empty one. */
const known = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const aliases: Readonly<Record<string, string>> = { ga: "", final: "", release: "", cr: "rc" };
const short: Readonly<Record<string, string>> = { a: "alpha", b: "beta", m: "milestone" };

function read(text: string): MavenVersion {
  const version = bounded("maven", text).toLowerCase();
  const root: Item[] = [];
  const stack: Item[][] = [root];
  let list = root;
  const deeper = (): void => {
    const next: Item[] = [];
    list.push(next);
    list = next;
    stack.push(next);
  };
  let start = 0;
  let isNumber = false;
  for (let i = 0; i < version.length; i++) {
    const c = version[i] ?? "";
    if (c === "." || c === "-") {
      list.push(i === start ? "0" : itemOf(isNumber, version.slice(start, i), false));
      start = i + 1;
      if (c === "-") deeper();
      continue;
    }
    const isDigit = c >= "0" && c <= "9";
    if (isDigit !== isNumber && i > start) {
      // A word before a number begins a list of its own: 1.0.X1 is 1.0-X1.
      if (isDigit && list.length > 0) deeper();
      list.push(itemOf(isNumber, version.slice(start, i), isDigit));
      start = i;
      deeper();
    }
    isNumber = isDigit;
  }
  if (version.length > start) {
    if (!isNumber && list.length > 0) deeper();
    list.push(itemOf(isNumber, version.slice(start), false));
  }
  while (stack.length > 0) normalise(stack.pop() ?? []);
  return root;
}

function itemOf(isNumber: boolean, text: string, isBeforeNumber: boolean): Item {
  if (isNumber) return text;
  const word = isBeforeNumber ? (short[text] ?? text) : text;
  return { word: Object.hasOwn(aliases, word) ? (aliases[word] ?? "") : word };
}

/** Removes what says nothing from the end, and from before the lists there. */
function normalise(list: Item[]): void {
  for (let i = list.length - 1; i >= 0; i--) {
    const item = list[i];
    if (item === undefined) continue;
    if (isNull(item)) list.splice(i, 1);
    else if (!isList(item)) break;
  }
}

function isList(item: Item): item is readonly Item[] {
  return Array.isArray(item);
}

function isWord(item: Item | undefined): item is Qualifier {
  return typeof item === "object" && "word" in item;
}

function isNull(item: Item): boolean {
  if (isList(item)) return item.length === 0;
  return typeof item === "string" ? /^0+$/.test(item) : item.word === "";
}

/** Words that are not known come after all that are, in their own order. */
function rank({ word }: Qualifier): string {
  const at = known.indexOf(word);
  return at < 0 ? `${known.length}-${word}` : `${at}`;
}

const releaseRank = `${known.indexOf("")}`;

function compareItems(a: Item, b: Item | undefined): number {
  if (typeof a === "string") {
    if (b === undefined) return isNull(a) ? 0 : 1;
    return typeof b === "string" ? compareNumerals(a, b) : 1;
  }
  if (isList(a)) {
    if (b === undefined) return a.map((item) => compareItems(item, undefined)).find((order) => order !== 0) ?? 0;
    if (typeof b === "string") return -1;
    return isList(b) ? compareLists(a, b) : 1;
  }
  if (b === undefined) return compareText(rank(a), releaseRank);
  return isWord(b) ? compareText(rank(a), rank(b)) : -1;
}

function compareLists(a: readonly Item[], b: readonly Item[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    const order = one === undefined ? (other === undefined ? 0 : -compareItems(other, one)) : compareItems(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** Maven, as its `ComparableVersion` compares (POM reference, "Version Order Specification"). */
export const maven: VersionScheme<MavenVersion> = { name: "maven", read, compare: compareLists };
