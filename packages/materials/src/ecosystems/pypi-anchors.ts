import { malformed } from "./common-announced.ts";

/** One `<a>` of a page: its attributes by lower-case name, without its text. */
export type Anchor = ReadonlyMap<string, string>;

/** Anchors of a page, and where `<base>` says that its addresses begin. */
export interface AnchorPage {
  readonly base?: string;
  readonly anchors: readonly Anchor[];
}

/** Longest tag, in characters: an anchor of an index has a digest, a marker and a reason, no more. */
const longestTag = 32 * 1024;
const mostAttributes = 32;

/** Elements whose content is text, whatever it looks like. */
const rawText: ReadonlySet<string> = new Set([
  "script",
  "style",
  "title",
  "textarea",
  "template",
  "noscript",
  "iframe",
]);

/**
 * Reads the anchors of an index page (PEP 503), in one pass and within bounds. What two readers could read in two ways
 * is refused: an attribute that stands twice, a tag or comment that never ends, a quote inside a bare value.
 * @throws MATERIAL_INDEX_MALFORMED
 */
export function readAnchors(html: string, mostAnchors: number): AnchorPage {
  const anchors: Anchor[] = [];
  let base: string | undefined;
  for (let at = html.indexOf("<"); at !== -1; at = html.indexOf("<", at)) {
    if (html.startsWith("<!--", at)) {
      at = after(html, "-->", at + 4);
      continue;
    }
    const [, closing, spelled] = tagName(html, at);
    if (spelled === undefined) {
      // `<!DOCTYPE ...>`, `<?xml ...?>`, or a plain less-than sign.
      at = /^<[!?]/.test(html.slice(at, at + 2)) ? after(html, ">", at) : at + 1;
      continue;
    }
    const name = spelled.toLowerCase();
    const end = endOfTag(html, at);
    if (closing === "" && (name === "a" || name === "base")) {
      const attributes = readAttributes(html.slice(at + 1 + name.length, end));
      if (name === "a") anchors.push(attributes);
      else base ??= attributes.get("href");
      if (anchors.length > mostAnchors) malformed(`expected at most ${mostAnchors} anchors, found more`);
    }
    at = end + 1;
    if (closing === "" && rawText.has(name)) {
      const rest = new RegExp(`</${name}[\\s/>]`, "gi");
      rest.lastIndex = at;
      at = rest.exec(html)?.index ?? malformed(`expected </${name}>, found none`);
    }
  }
  return base === undefined ? { anchors } : { anchors, base };
}

const tagStart = /<(\/?)([A-Za-z][A-Za-z0-9-]{0,40})(?=[\s/>])/y;

function tagName(html: string, at: number): readonly (string | undefined)[] {
  tagStart.lastIndex = at;
  return tagStart.exec(html) ?? [];
}

function after(html: string, end: string, from: number): number {
  const at = html.indexOf(end, from);
  if (at === -1) malformed(`expected ${end}, found the end of the page`);
  return at + end.length;
}

/** Position of the `>` that ends a tag: one inside quotes does not. */
function endOfTag(html: string, start: number): number {
  let quote = "";
  const limit = Math.min(html.length, start + longestTag);
  for (let at = start + 1; at < limit; at++) {
    const c = html[at] ?? "";
    if (quote !== "") {
      if (c === quote) quote = "";
    } else if (c === '"' || c === "'") quote = c;
    else if (c === ">") return at;
  }
  return malformed(`expected a tag of at most ${longestTag} characters, found none that ends`);
}

const attribute =
  /[\s/]*([^\s"'<>/=\u0000-\u001f]{1,100})(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?(?=[\s/]|$)/y;

function readAttributes(inside: string): Anchor {
  const found = new Map<string, string>();
  let end = inside.length;
  while (end > 0 && /[\s/]/.test(inside[end - 1] ?? "")) end--;
  for (let at = 0; at < end; ) {
    attribute.lastIndex = at;
    const match = attribute.exec(inside) ?? malformed(`expected attributes, found ${inside.slice(at, at + 80)}`);
    const name = (match[1] ?? "").toLowerCase();
    if (found.has(name)) malformed(`expected one attribute ${name}, found two`);
    if (found.size >= mostAttributes) malformed(`expected at most ${mostAttributes} attributes, found more`);
    found.set(name, withoutReferences(match[2] ?? match[3] ?? match[4] ?? ""));
    at = attribute.lastIndex;
  }
  return found;
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Replaces the character references that indexes write; others stay as they are, as in the addresses of old pages. */
function withoutReferences(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(/&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));/g, (all, name, decimal, hex) => {
    if (typeof name === "string") return named[name] ?? all;
    const code = typeof decimal === "string" ? Number.parseInt(decimal, 10) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : all;
  });
}
