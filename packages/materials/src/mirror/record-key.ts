import { canonicalJson, digestHex, sha256 } from "@touchmark/core";

/** Request headers, and the digest of a body, that select among the answers of one address. */
export type Variant = Readonly<Record<string, string>>;

// Query members that carry access rather than say what is asked for.
const secretMember =
  /^(?:.*[-_.])?(?:token|secret|password|passwd|signature|sig|credentials?|auth|(?:api|access|private)[-_]?key)$/i;
const HIDDEN = "-";

/**
 * An address as records have it: no user information, no fragment, and the values of query members that look like
 * secrets replaced, so that two visits with fresh signatures are one request.
 */
export function recordedUrl(url: URL | string): string {
  const recorded = new URL(url);
  recorded.username = "";
  recorded.password = "";
  recorded.hash = "";
  if ([...recorded.searchParams.keys()].some((name) => secretMember.test(name))) {
    const parts = recorded.search.slice(1).split("&");
    recorded.search = parts
      .map((part) => {
        const [name = ""] = new URLSearchParams(part).keys();
        return secretMember.test(name) ? `${part.split("=", 1)[0]}=${HIDDEN}` : part;
      })
      .join("&");
  }
  return recorded.href;
}

/**
 * What selects a variant: the vendor media types of `accept` in order of preference (npm's abbreviated packuments, the
 * JSON and HTML forms of Python's index), `git-protocol`, and the digest of a POST's body. Never `range`: a part of an
 * answer is no answer.
 */
export function variantOf(headers: Readonly<Record<string, string>>, body?: Uint8Array): Variant {
  const accept = vendorTypes(headers["accept"] ?? "");
  const protocol = headers["git-protocol"];
  return {
    ...(accept === "" ? {} : { accept }),
    ...(protocol === undefined || protocol === "" ? {} : { "git-protocol": protocol }),
    ...(body === undefined ? {} : { body: sha256(body) }),
  };
}

/**
 * Key of a request: SHA-256, in hex, over canonical JSON of method, recorded address and variant. `headers` may be a
 * request's own or a record's `variant`.
 */
export function recordKey(
  method: string,
  url: URL | string,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
): string {
  const variant = { ...(headers["body"] === undefined ? {} : { body: headers["body"] }), ...variantOf(headers, body) };
  return digestHex(sha256(canonicalJson({ method, url: recordedUrl(url), variant })));
}

/** The vendor types of an Accept header (RFC 9110, 12.5.1), most preferred first. */
function vendorTypes(accept: string): string {
  return accept
    .slice(0, 1000)
    .split(",")
    .map((text) => {
      const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
      return { type, quality: Number(quality) || 0 };
    })
    .filter(({ type }) => /^application\/vnd\.[a-z0-9.+-]+$/.test(type))
    .sort((a, b) => b.quality - a.quality)
    .map(({ type }) => type)
    .join(",");
}
