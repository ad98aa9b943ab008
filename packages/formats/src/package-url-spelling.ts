import { packageUrlErrors } from "./package-url-errors.ts";
import { packageUrlTypes } from "./package-url-types.ts";

/** Parts of a package URL (ECMA-427), decoded. */
export interface PackageUrl {
  readonly type: string;
  /** Segments joined by `/`. */
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  /** Keys are lower case. */
  readonly qualifiers?: Readonly<Record<string, string>>;
  readonly subpath?: string;
}

const longest = 4096;
const forbidden = /[\u0000-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const typeSyntax = /^[a-z][a-z0-9.-]{0,63}$/;
const keySyntax = /^[a-z][a-z0-9._-]{0,63}$/;

/**
 * The one spelling of a package URL: parts normalised by the rules of their type, percent-encoded, qualifiers sorted.
 * @throws PACKAGE_URL_PART_INVALID
 */
export function packageUrl(parts: PackageUrl): string {
  const { type, namespace, name, version, qualifiers, subpath } = normalise(parts);
  let text = `pkg:${type}/`;
  if (namespace !== undefined) text += `${namespace.split("/").map(encode).join("/")}/`;
  text += encode(name);
  if (version !== undefined) text += `@${encode(version)}`;
  const pairs = Object.entries(qualifiers ?? {}).map(([key, value]) => `${key}=${encodeValue(value)}`);
  if (pairs.length > 0) text += `?${pairs.join("&")}`;
  if (subpath !== undefined) text += `#${subpath.split("/").map(encode).join("/")}`;
  if (text.length > longest) throw invalid(`expected at most ${longest} characters, found ${text.length}`);
  return text;
}

/**
 * Reads a package URL and normalises it; `packageUrl` of what it answers is the canonical spelling.
 * @throws PACKAGE_URL_MALFORMED | PACKAGE_URL_PART_INVALID
 */
export function parsePackageUrl(text: string): PackageUrl {
  if (text.length > longest) throw malformed(`at most ${longest} characters`, text);
  if (forbidden.test(text)) throw malformed("no control characters", text);
  const scheme = /^pkg:\/*/i.exec(text);
  if (!scheme) throw malformed("the scheme `pkg:`", text);
  const [beforeSubpath, subpath] = cut(text.slice(scheme[0].length), text.slice(scheme[0].length).indexOf("#"));
  const [path, query] = cut(beforeSubpath, beforeSubpath.indexOf("?"));
  const slash = path.indexOf("/");
  if (slash < 1) throw malformed("a type and a name", text);
  const type = path.slice(0, slash).toLowerCase();
  // The `@` of a version is the last one, but for one that begins a segment: that belongs to an npm scope.
  const rest = path.slice(slash + 1);
  const at = rest.lastIndexOf("@");
  const [named, version] = cut(rest, at > 0 && rest[at - 1] !== "/" ? at : -1);
  const segments = named
    .split("/")
    .filter((segment) => segment !== "")
    .map((segment) => decode(segment, text));
  const name = segments.pop();
  if (name === undefined) throw malformed("a name", text);
  if (segments.some((segment) => segment.includes("/"))) throw malformed("no `/` within a segment", text);
  return normalise({
    type,
    ...(segments.length > 0 && { namespace: segments.join("/") }),
    name,
    ...(version !== undefined && version !== "" && { version: decode(version, text) }),
    ...(query !== undefined && { qualifiers: parseQualifiers(query, text) }),
    ...(subpath !== undefined && { subpath: parseSubpath(subpath, text) }),
  });
}

function normalise(parts: PackageUrl): PackageUrl {
  const type = parts.type.toLowerCase();
  if (!typeSyntax.test(type)) throw invalid(`expected a type, found ${quote(parts.type)}`);
  const rules = packageUrlTypes.get(type) ?? {};
  const spell = rules.namespaceAs ?? ((segment: string) => segment);
  const segments = (parts.namespace ?? "").split("/").filter((segment) => segment !== "");
  for (const segment of segments) checkPart("namespace", segment);
  if (rules.namespace === "required" && segments.length === 0) throw invalid(`expected a namespace for type ${type}`);
  if (rules.namespace === "prohibited" && segments.length > 0) throw invalid(`expected no namespace for type ${type}`);
  checkPart("name", parts.name);
  if (parts.name.includes("/")) throw invalid(`expected a name without \`/\`, found ${quote(parts.name)}`);
  if (parts.version !== undefined) checkPart("version", parts.version);
  const qualifiers = normaliseQualifiers(parts.qualifiers ?? {});
  const inside = (parts.subpath ?? "").split("/").filter((segment) => !["", ".", ".."].includes(segment));
  for (const segment of inside) checkPart("subpath", segment);
  const version = rules.version === "lower" ? parts.version?.toLowerCase() : parts.version;
  return {
    type,
    ...(segments.length > 0 && { namespace: segments.map(spell).join("/") }),
    name: rules.nameAs?.(parts.name) ?? parts.name,
    ...(version !== undefined && { version }),
    ...(Object.keys(qualifiers).length > 0 && { qualifiers }),
    ...(inside.length > 0 && { subpath: inside.join("/") }),
  };
}

function normaliseQualifiers(given: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const [written, value] of Object.entries(given)) {
    const key = written.toLowerCase();
    if (!keySyntax.test(key)) throw invalid(`expected the key of a qualifier, found ${quote(written)}`);
    if (pairs.has(key)) throw invalid(`the qualifier ${key} stands twice`);
    if (forbidden.test(value)) throw invalid(`expected the qualifier ${key} without control characters`);
    if (value !== "") pairs.set(key, value);
  }
  return Object.fromEntries([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function parseQualifiers(query: string, text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (const pair of query.split("&").filter((piece) => piece !== "")) {
    const [key, value] = cut(pair, pair.indexOf("="));
    const name = key.toLowerCase();
    if (value === undefined || !keySyntax.test(name)) throw malformed("qualifiers as key=value", text);
    if (found[name] !== undefined) throw malformed(`the qualifier ${name} once`, text);
    found[name] = decode(value, text);
  }
  return found;
}

function parseSubpath(subpath: string, text: string): string {
  const segments = subpath.split("/").map((segment) => decode(segment, text));
  if (segments.some((segment) => segment.includes("/"))) throw malformed("no `/` within a segment", text);
  return segments.join("/");
}

function checkPart(part: string, value: string): void {
  if (value === "" || value === "." || value === ".." || forbidden.test(value)) {
    throw invalid(`expected a ${part} that is not empty and holds no control characters, found ${quote(value)}`);
  }
}

/** Unreserved characters and the colon stand for themselves; everything else is its UTF-8 bytes. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}

/** In a qualifier the slash stands for itself, too: `download_url=https://host/path`. */
function encodeValue(text: string): string {
  return encode(text).replaceAll("%2F", "/");
}

function decode(text: string, whole: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed("percent-encoded UTF-8", whole);
  }
}

function cut(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}

function malformed(expected: string, text: string) {
  return packageUrlErrors.make(
    "PACKAGE_URL_MALFORMED",
    `expected a package URL with ${expected}, found ${quote(text)}`,
  );
}

function invalid(message: string) {
  return packageUrlErrors.make("PACKAGE_URL_PART_INVALID", message);
}
