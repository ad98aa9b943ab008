import { registryAuthorityErrors } from "./errors.ts";

/** A credential as an Authorization header carries it. */
export type Credential =
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string };

/** Longest header that is read. */
const MAX_HEADER = 8 * 1024;

/** Reads an Authorization header strictly (RFC 7617, RFC 6750). @throws REGISTRY_AUTH_HEADER_INVALID */
export function parseAuthorization(header: string): Credential {
  if (header.length > MAX_HEADER) throw invalid(`at most ${MAX_HEADER} characters, found ${header.length}`);
  const match = /^(basic|bearer) ([A-Za-z0-9+/=._~-]+)$/i.exec(header);
  const [, scheme = "", value = ""] = match ?? [];
  // Nothing of the header is repeated: whatever it is, it may be a secret.
  if (match === null) throw invalid("Basic or Bearer and one value, found something else");
  if (scheme.toLowerCase() === "bearer") return { kind: "bearer", token: value };
  const bytes = Buffer.from(value, "base64");
  const text = bytes.toString("utf8");
  const colon = text.indexOf(":");
  const isExact = bytes.toString("base64") === value && Buffer.from(text, "utf8").equals(bytes);
  if (!isExact || colon < 1 || /[\u0000-\u001f\u007f]/.test(text)) {
    throw invalid("base64 of USER:PASSWORD in UTF-8, found something else");
  }
  return { kind: "basic", user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function invalid(expected: string): Error {
  return registryAuthorityErrors.make("REGISTRY_AUTH_HEADER_INVALID", `expected ${expected}`);
}
