import { bounded, compareNumerals, unreadable, type VersionScheme } from "./scheme.ts";

/** A version of a Debian package: deb-version(7). */
export interface DebianVersion {
  readonly epoch: string;
  readonly upstream: string;
  /** Empty counts as `0`. */
  readonly revision: string;
}

const upstreamSyntax = /^[A-Za-z0-9.+:~-]+$/;
const revisionSyntax = /^[A-Za-z0-9.+~]+$/;

function read(text: string): DebianVersion {
  const trimmed = bounded("debian", text);
  const colon = trimmed.indexOf(":");
  const epoch = colon < 0 ? "0" : trimmed.slice(0, colon);
  const rest = trimmed.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? "" : rest.slice(dash + 1);
  if (!/^\d{1,10}$/.test(epoch) || !upstreamSyntax.test(upstream)) throw unreadable("debian", text);
  if (dash >= 0 && !revisionSyntax.test(revision)) throw unreadable("debian", text);
  return { epoch, upstream, revision };
}

/** Order of a character that is no digit: `~` before the end, the end before letters, letters before all others. */
function rank(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (Number.isNaN(code) || isDigit(code)) return 0;
  if (code === 126) return -1;
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) ? code : code + 256;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Two upstream versions or revisions: text and numbers by turns. */
export function compareDebianText(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const order = rank(a, i) - rank(b, j);
      if (order !== 0) return order;
      i++;
      j++;
    }
    const [from, since] = [i, j];
    while (isDigit(a.charCodeAt(i))) i++;
    while (isDigit(b.charCodeAt(j))) j++;
    const order = compareNumerals(a.slice(from, i) || "0", b.slice(since, j) || "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** Debian and what is built like it, as dpkg compares. */
export const debian: VersionScheme<DebianVersion> = {
  name: "debian",
  read,
  compare: (a, b) =>
    compareNumerals(a.epoch, b.epoch) ||
    compareDebianText(a.upstream, b.upstream) ||
    compareDebianText(a.revision, b.revision),
};
