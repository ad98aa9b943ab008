import type { ProxyRequest } from "../door.ts";
import { proxyErrors } from "./errors.ts";
import { type Authority, parseAbsoluteTarget, parseAuthority, parseTunnelTarget, quoted } from "./target.ts";

/** Most bytes of the headers of a request, names, values and separators. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Most headers of a request. */
export const MAX_HEADERS = 200;
/** Most bytes of the body of a POST. */
export const MAX_POST_BYTES = 8 * 1024 * 1024;

/** The head of a request as a parser of either HTTP version has it. */
export interface RequestHead {
  readonly version: "1.0" | "1.1" | "2.0";
  readonly method: string;
  readonly target: string;
  /** Names and values in turn, as they came; pseudo headers of HTTP/2 among them. */
  readonly rawHeaders: readonly string[];
  /** Where the tunnel leads that it came through. */
  readonly tunnel?: Authority;
}

/** A well-formed head, and what it says about the rest. */
export interface ReadRequest {
  readonly method: ProxyRequest["method"];
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that the body announces; undefined without a length. */
  readonly length?: number;
  readonly hasBody: boolean;
  readonly range?: string;
  readonly ifRange?: string;
  /** The step sent credentials, which went nowhere. */
  readonly droppedCredentials: boolean;
}

const methods: readonly string[] = ["GET", "HEAD", "POST"];
/** Headers about this connection (RFC 9110 section 7.6.1), framing, and what the proxy itself answers. */
const ownHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "host",
  "content-length",
  "expect",
  "range",
  "if-range",
]);
/** Secrets of the step: nothing that a build holds may open anything outside. */
const credentialHeaders = new Set(["authorization", "proxy-authorization", "cookie"]);
const single = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "range",
  "if-range",
  "if-modified-since",
  "user-agent",
  "expect",
]);

/** Reads a request's head strictly. @throws the PROXY_… code of what is wrong with it; SPEC P4 */
export function readRequest(head: RequestHead): ReadRequest {
  const headers = collect(head);
  if (head.method === "CONNECT") throw proxyErrors.make("PROXY_TUNNEL_NESTED", "expected a request, found CONNECT");
  if (!methods.includes(head.method)) {
    throw proxyErrors.make("PROXY_METHOD_REFUSED", `expected GET, HEAD or POST, found ${quoted(head.method)}`);
  }
  assertNoUpgrade(headers);
  const url = targetOf(head, headers);
  const length = framing(head, headers);
  const hasBody = length === undefined ? headers.has("transfer-encoding") : length > 0;
  if (hasBody && head.method !== "POST") {
    throw proxyErrors.make("PROXY_BODY_UNEXPECTED", `expected no body of a ${head.method}, found one`);
  }
  if (length !== undefined && length > MAX_POST_BYTES) {
    throw proxyErrors.make("PROXY_BODY_TOO_LARGE", `expected at most ${MAX_POST_BYTES} bytes, found ${length}`);
  }
  const expectation = headers.get("expect");
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") {
    throw proxyErrors.make("PROXY_EXPECTATION_UNKNOWN", `expected 100-continue, found ${quoted(expectation)}`);
  }
  const hops = new Set((headers.get("connection") ?? "").toLowerCase().split(/[\s,]+/));
  const passed: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (!ownHeaders.has(name) && !credentialHeaders.has(name) && !hops.has(name) && !name.startsWith(":")) {
      passed[name] = value;
    }
  }
  const range = headers.get("range");
  const ifRange = headers.get("if-range");
  return {
    method: head.method as ProxyRequest["method"],
    url,
    headers: passed,
    hasBody,
    ...(length === undefined ? {} : { length }),
    ...(range === undefined ? {} : { range }),
    ...(ifRange === undefined ? {} : { ifRange }),
    droppedCredentials: [...credentialHeaders].some((name) => headers.has(name)),
  };
}

function collect({ rawHeaders }: RequestHead): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let bytes = 0;
  if (rawHeaders.length / 2 > MAX_HEADERS) {
    throw proxyErrors.make(
      "PROXY_HEADERS_TOO_LARGE",
      `expected at most ${MAX_HEADERS} headers, found ${rawHeaders.length / 2}`,
    );
  }
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    bytes += name.length + value.length + 4;
    if (!/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw proxyErrors.make(
        "PROXY_HEADER_MALFORMED",
        `expected a header without control bytes, found ${quoted(name)}`,
      );
    }
    const before = headers.get(name);
    if (before !== undefined && name === "host") {
      throw proxyErrors.make("PROXY_HOST_MISMATCH", "expected one Host header, found two");
    }
    if (before !== undefined && (name === "content-length" || name === "transfer-encoding")) {
      throw proxyErrors.make("PROXY_FRAMING_AMBIGUOUS", `expected one ${name}, found two`);
    }
    if (before !== undefined && (single.has(name) || name.startsWith(":"))) {
      throw proxyErrors.make("PROXY_HEADER_MALFORMED", `expected one ${quoted(name)}, found two`);
    }
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  if (bytes > MAX_HEADER_BYTES) {
    throw proxyErrors.make("PROXY_HEADERS_TOO_LARGE", `expected at most ${MAX_HEADER_BYTES} bytes, found ${bytes}`);
  }
  return headers;
}

/** The offer to go on with HTTP/2 in the clear, which Java's client makes, is passed over; every other is refused. */
function assertNoUpgrade(headers: ReadonlyMap<string, string>): void {
  const upgrade = headers.get("upgrade") ?? headers.get(":protocol");
  if (upgrade !== undefined && upgrade.toLowerCase() !== "h2c") {
    throw proxyErrors.make("PROXY_UPGRADE_REFUSED", `expected HTTP, found an upgrade to ${quoted(upgrade)}`);
  }
}

function targetOf(head: RequestHead, headers: ReadonlyMap<string, string>): URL {
  const named = headers.get("host");
  const authority = headers.get(":authority");
  if (head.tunnel === undefined) {
    const { url, authority: target } = parseAbsoluteTarget(head.target);
    if (named === undefined ? head.version !== "1.0" : !same(parseAuthority(named, 80), target)) {
      throw proxyErrors.make("PROXY_HOST_MISMATCH", `expected Host ${url.host}, found ${quoted(named ?? "none")}`);
    }
    return url;
  }
  const url = parseTunnelTarget(head.target, head.tunnel);
  if (head.version === "2.0" && headers.get(":scheme") !== "https") {
    throw proxyErrors.make("PROXY_TARGET_SCHEME", `expected https, found ${quoted(headers.get(":scheme") ?? "none")}`);
  }
  const names = [named, authority].filter((each) => each !== undefined);
  for (const each of names) {
    if (!same(parseAuthority(each, 443), head.tunnel)) {
      throw proxyErrors.make("PROXY_HOST_MISMATCH", `expected the tunnel's host ${url.host}, found ${quoted(each)}`);
    }
  }
  if (names.length === 0) throw proxyErrors.make("PROXY_HOST_MISMATCH", `expected Host ${url.host}, found none`);
  return url;
}

const same = (a: Authority, b: Authority): boolean => a.host === b.host && a.port === b.port;

function framing(head: RequestHead, headers: ReadonlyMap<string, string>): number | undefined {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined && (length !== undefined || head.version !== "1.1" || coding.toLowerCase() !== "chunked")) {
    throw proxyErrors.make(
      "PROXY_FRAMING_AMBIGUOUS",
      `expected a length or the coding chunked, found ${quoted(coding)} in HTTP/${head.version}`,
    );
  }
  if (length === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(length)) {
    throw proxyErrors.make("PROXY_FRAMING_AMBIGUOUS", `expected a decimal Content-Length, found ${quoted(length)}`);
  }
  return Number(length);
}
