import { isIPv4 } from "node:net";
import { proxyErrors } from "./errors.ts";

/** Host and port of a tunnel or a target, in the one spelling that is compared. */
export interface Authority {
  /** Lower-case DNS name, dotted IPv4 address, or IPv6 address in brackets as the URL parser spells it. */
  readonly host: string;
  readonly port: number;
}

const MAX_TARGET = 16 * 1024;
const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Reads `host[:port]`. Hosts have one spelling each: other spellings of IPv4 addresses (octal, hexadecimal, short,
 * decimal), percent-encoded names, a final dot and zone identifiers are refused, not repaired.
 * @throws PROXY_HOST_MALFORMED | PROXY_TARGET_USER
 */
export function parseAuthority(text: string, defaultPort: number | undefined): Authority {
  if (text.includes("@")) {
    throw proxyErrors.make("PROXY_TARGET_USER", "expected host and port, found a user name before them");
  }
  const found = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([1-9][0-9]{0,4}))?$/.exec(text);
  const host = found?.[1] === undefined ? undefined : canonicalHost(found[1].toLowerCase());
  const port = found?.[2] === undefined ? defaultPort : Number(found[2]);
  if (host === undefined || port === undefined || port > 65535) {
    throw proxyErrors.make("PROXY_HOST_MALFORMED", `expected host[:port] of one spelling, found ${quoted(text)}`);
  }
  return { host, port };
}

function canonicalHost(host: string): string | undefined {
  if (host.startsWith("[")) {
    try {
      return new URL(`http://${host}/`).hostname;
    } catch {
      return undefined;
    }
  }
  if (isIPv4(host)) return host;
  const labels = host.split(".");
  // A last label of digits is, to a URL parser, an IPv4 address in another spelling.
  if (!labels.every((each) => label.test(each)) || /^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) as string)) {
    return undefined;
  }
  return host;
}

/** The host without brackets: for sockets and certificates. */
export const bareHost = (host: string): string => (host.startsWith("[") ? host.slice(1, -1) : host);

/** Reads the target of a request to a plain proxy: `http://host[:port]/path?query`. @throws PROXY_TARGET_… | PROXY_HOST_MALFORMED */
export function parseAbsoluteTarget(target: string): { readonly url: URL; readonly authority: Authority } {
  assertPlain(target);
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)(.*)$/.exec(target);
  if (found === null) {
    throw proxyErrors.make(
      "PROXY_TARGET_MALFORMED",
      `expected an absolute address in a request to a proxy, found ${quoted(target)}`,
    );
  }
  const [, scheme = "", authorityText = "", path = ""] = found;
  if (scheme.toLowerCase() !== "http") {
    // https without a tunnel would carry the answer in the clear inside the step: harmless, but no client does it.
    throw proxyErrors.make(
      "PROXY_TARGET_SCHEME",
      `expected http (https goes through CONNECT), found ${quoted(scheme)}`,
    );
  }
  const authority = parseAuthority(authorityText, 80);
  return { url: urlOf("http", authority, path === "" ? "/" : path), authority };
}

/** Reads the target of a request inside a tunnel: `/path?query`. @throws PROXY_TARGET_MALFORMED | PROXY_TARGET_AMBIGUOUS */
export function parseTunnelTarget(target: string, tunnel: Authority): URL {
  assertPlain(target);
  return urlOf("https", tunnel, target);
}

/**
 * Joins the parts, and sees to it that the URL parser changed no meaning: it may percent-encode characters that no
 * address may hold unencoded, and nothing else. Dot segments, which it would resolve, and backslashes are refused;
 * encoded slashes and dots inside a segment stay as the client wrote them.
 */
function urlOf(scheme: "http" | "https", { host, port }: Authority, path: string): URL {
  if (!path.startsWith("/")) {
    throw proxyErrors.make("PROXY_TARGET_MALFORMED", `expected a path that begins with /, found ${quoted(path)}`);
  }
  const origin = `${scheme}://${host}${port === (scheme === "http" ? 80 : 443) ? "" : `:${port}`}`;
  let url: URL | undefined;
  try {
    url = new URL(origin + path);
  } catch {}
  const found = url === undefined ? "" : url.href.slice(origin.length);
  if (url === undefined || !url.href.startsWith(origin) || encoded(found) !== encoded(path) || url.username !== "") {
    throw proxyErrors.make("PROXY_TARGET_AMBIGUOUS", `expected a path without dot segments, found ${quoted(path)}`);
  }
  return url;
}

const encoded = (text: string): string =>
  text.replace(/["'<>^`{|}]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

function assertPlain(target: string): void {
  if (target.length > MAX_TARGET) {
    throw proxyErrors.make("PROXY_TARGET_MALFORMED", `expected at most ${MAX_TARGET} bytes, found ${target.length}`);
  }
  if (!/^[\x21-\x7e]+$/.test(target)) {
    throw proxyErrors.make("PROXY_TARGET_AMBIGUOUS", `expected printable ASCII, found ${quoted(target)}`);
  }
  if (/[\\#]/.test(target)) {
    throw proxyErrors.make("PROXY_TARGET_AMBIGUOUS", `expected no backslash and no fragment, found ${quoted(target)}`);
  }
  if (/%(?:00|0[ad]|(?![0-9A-Fa-f]{2}))/i.test(target)) {
    throw proxyErrors.make(
      "PROXY_TARGET_AMBIGUOUS",
      `expected percent signs before two digits, and none that hide NUL or a line end, found ${quoted(target)}`,
    );
  }
}

/** Text of a client for a message: short, printable, without what follows a question mark or stands before an at sign. */
export function quoted(text: string): string {
  const shown = text.replace(/\?.*$/s, "?…").replace(/\/\/[^/@]*@/, "//…@");
  return JSON.stringify(shown.length > 120 ? `${shown.slice(0, 120)}…` : shown).replace(
    /[^\x20-\x7e…]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
