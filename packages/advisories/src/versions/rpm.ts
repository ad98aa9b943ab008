import { bounded, compareNumerals, compareText, unreadable, type VersionScheme } from "./scheme.ts";

/** Epoch, version and release of an RPM package. */
export interface RpmVersion {
  /** `0` where there is none. */
  readonly epoch: string;
  readonly version: string;
  /** Empty where there is none: before every release. */
  readonly release: string;
}

const syntax = /^[!-~]+$/;

function read(text: string): RpmVersion {
  const trimmed = bounded("rpm", text);
  const [, epoch = "0", rest = ""] = /^(?:(\d{1,10}|\(none\)):)?(.*)$/.exec(trimmed) ?? [];
  const dash = rest.lastIndexOf("-");
  const version = dash < 0 ? rest : rest.slice(0, dash);
  const release = dash < 0 ? "" : rest.slice(dash + 1);
  if (version === "" || !syntax.test(rest) || rest.includes(":") || rest.includes("/")) throw unreadable("rpm", text);
  return { epoch: epoch === "(none)" ? "0" : epoch, version, release };
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const tilde = 126;
const caret = 94;

/** Where the next part begins: separators are passed over. */
function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isDigit(code) || isLetter(code) || code === tilde || code === caret) break;
    at++;
  }
  return at;
}

function endOf(text: string, from: number, belongs: (code: number) => boolean): number {
  let at = from;
  while (at < text.length && belongs(text.charCodeAt(at))) at++;
  return at;
}

/** Two versions or releases as rpm itself compares them: `~` before the end, `^` after it and before everything else. */
export function compareRpmText(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    i = skip(a, i);
    j = skip(b, j);
    const [one, other] = [a.charCodeAt(i), b.charCodeAt(j)];
    if (one === tilde || other === tilde) {
      if (one !== other) return one === tilde ? -1 : 1;
      i++;
      j++;
      continue;
    }
    if (one === caret || other === caret) {
      if (i >= a.length) return -1;
      if (j >= b.length) return 1;
      if (one !== other) return one === caret ? -1 : 1;
      i++;
      j++;
      continue;
    }
    if (i >= a.length || j >= b.length) break;
    const isNumber = isDigit(one);
    const belongs = isNumber ? isDigit : isLetter;
    const [end, otherEnd] = [endOf(a, i, belongs), endOf(b, j, belongs)];
    // A number is newer than letters at the same place.
    if (otherEnd === j) return isNumber ? 1 : -1;
    const order = (isNumber ? compareNumerals : compareText)(a.slice(i, end), b.slice(j, otherEnd));
    if (order !== 0) return order;
    i = end;
    j = otherEnd;
  }
  if (i >= a.length && j >= b.length) return 0;
  return i < a.length ? 1 : -1;
}

/** RPM: epoch, version, release. */
export const rpm: VersionScheme<RpmVersion> = {
  name: "rpm",
  read,
  compare: (a, b) =>
    compareNumerals(a.epoch, b.epoch) || compareRpmText(a.version, b.version) || compareRpmText(a.release, b.release),
};
