import { sign, verify } from "node:crypto";
import { type Clock, isFactoryError, type Json, parseJson } from "@touchmark/core";
import { isRepositoryName } from "@touchmark/formats/oci";
import { type RegistryAuthorityCode, registryAuthorityErrors } from "./errors.ts";
import { type Access, MAX_SCOPES } from "./scope.ts";
import { newTokenId, type TokenKey } from "./token-key.ts";

/**
 * Bearer tokens of a registry: compact JWS (RFC 7515) with ES256 alone (RFC 7518 section 3.4), claims as in the
 * distribution token protocol. The reader knows one form and takes no other: no algorithm but its own, no key but the
 * one in use, no member that it does not know.
 */

/** Who a token speaks for and what for. */
export interface TokenClaims {
  /** A user's name, `anonymous`, or a SPIFFE id. */
  readonly subject: string;
  /** Name of the service that takes it. */
  readonly service: string;
  readonly access: readonly Access[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** Longest life of any token, seconds. */
export const MAX_TOKEN_SECONDS = 3600;
const MAX_TOKEN_BYTES = 8 * 1024;
const ISSUER = "touchmark-registry";
/** A token is valid from this much before its issue, because clocks are set back. */
const BACKDATE_SECONDS = 10;
const subjectShape = /^(?:[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?|spiffe:\/\/[a-z0-9.-]{1,64}(?:\/[A-Za-z0-9._-]+)+)$/;

/** What a token is made of. */
export interface TokenRequest {
  readonly key: TokenKey;
  readonly clock: Clock;
  readonly subject: string;
  readonly service: string;
  readonly access: readonly Access[];
  readonly lifetimeSeconds: number;
}

/** Signs a token. @throws REGISTRY_TOKEN_LIFETIME_INVALID | REGISTRY_TOKEN_SCOPE_INVALID | REGISTRY_TOKEN_REQUEST_INVALID */
export function mintToken(request: TokenRequest): { readonly token: string; readonly claims: TokenClaims } {
  const { key, clock, subject, service, access, lifetimeSeconds } = request;
  if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > MAX_TOKEN_SECONDS) {
    throw registryAuthorityErrors.make(
      "REGISTRY_TOKEN_LIFETIME_INVALID",
      `expected a life of 1 to ${MAX_TOKEN_SECONDS} seconds, found ${lifetimeSeconds}`,
    );
  }
  const wrong = access.find((each) => each.type === "repository" && !isRepositoryName(each.name));
  if (wrong !== undefined || access.length > MAX_SCOPES) {
    throw registryAuthorityErrors.make(
      "REGISTRY_TOKEN_SCOPE_INVALID",
      `expected at most ${MAX_SCOPES} names of repositories, found ${JSON.stringify(wrong?.name ?? access.length)}`,
    );
  }
  if (!subjectShape.test(subject)) {
    throw registryAuthorityErrors.make(
      "REGISTRY_TOKEN_REQUEST_INVALID",
      `expected a user's name or a SPIFFE id, found ${JSON.stringify(subject.slice(0, 120))}`,
    );
  }
  const now = Math.floor(clock.now().getTime() / 1000);
  const claims = {
    ...{ iss: ISSUER, sub: subject, aud: service, exp: now + lifetimeSeconds, nbf: now - BACKDATE_SECONDS, iat: now },
    jti: newTokenId(),
    access,
  };
  const text = `${encode({ typ: "JWT", alg: "ES256", kid: key.id })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return { token: `${text}.${signature.toString("base64url")}`, claims: claimsOf(claims) };
}

/**
 * Verifies a token: form, algorithm, key, signature, then issuer, audience and life.
 * @throws REGISTRY_TOKEN_* as attack by attack
 */
export function verifyToken(token: string, key: TokenKey, service: string, now: Date): TokenClaims {
  const parts = token.split(".");
  if (token.length > MAX_TOKEN_BYTES || parts.length !== 3)
    throw refuse("REGISTRY_TOKEN_MALFORMED", "three parts of bounded length");
  const [head = "", body = "", mark = ""] = parts;
  const header = members(head);
  if (header["alg"] !== "ES256")
    throw refuse("REGISTRY_TOKEN_ALGORITHM_REFUSED", `ES256, found ${said(header["alg"])}`);
  // A key in the token, or a place to fetch one from, is an attack on readers who look there.
  const strange = Object.keys(header).find((name) => !["typ", "alg", "kid"].includes(name));
  if (strange !== undefined || header["typ"] !== "JWT")
    throw refuse("REGISTRY_TOKEN_MALFORMED", "a header of typ, alg and kid alone");
  if (header["kid"] !== key.id) throw refuse("REGISTRY_TOKEN_KEY_UNKNOWN", "the key in use, found another key's name");
  const signature = bytesOf(mark);
  const isSigned =
    signature.length === 64 &&
    verify("sha256", Buffer.from(`${head}.${body}`), { key: key.publicKey, dsaEncoding: "ieee-p1363" }, signature);
  if (!isSigned) throw refuse("REGISTRY_TOKEN_SIGNATURE_WRONG", "a signature of the key in use");
  const claims = members(body);
  if (claims["iss"] !== ISSUER) throw refuse("REGISTRY_TOKEN_ISSUER_WRONG", `${ISSUER}, found ${said(claims["iss"])}`);
  if (claims["aud"] !== service)
    throw refuse("REGISTRY_TOKEN_AUDIENCE_WRONG", `${service}, found ${said(claims["aud"])}`);
  const checked = checkedClaims(claims);
  if (now.getTime() >= checked.exp * 1000) throw refuse("REGISTRY_TOKEN_EXPIRED", `a later end than ${checked.exp}`);
  if (now.getTime() < checked.nbf * 1000)
    throw refuse("REGISTRY_TOKEN_NOT_YET_VALID", `an earlier beginning than ${checked.nbf}`);
  return claimsOf(checked);
}

interface WireClaims {
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly access: readonly Access[];
}

function checkedClaims(claims: Readonly<Record<string, Json>>): WireClaims {
  const { sub, aud, exp, nbf, iat, access } = claims as unknown as WireClaims;
  const times = [exp, nbf, iat];
  const isSound =
    typeof sub === "string" &&
    subjectShape.test(sub) &&
    times.every((each) => Number.isSafeInteger(each) && each > 0) &&
    exp - iat <= MAX_TOKEN_SECONDS &&
    Array.isArray(access) &&
    access.length <= MAX_SCOPES &&
    access.every(isAccess);
  if (!isSound) throw refuse("REGISTRY_TOKEN_MALFORMED", "the claims of this registry");
  return { sub, aud, exp, nbf, iat, access };
}

function isAccess(each: Access): boolean {
  const isKnown = each?.type === "repository" ? isRepositoryName(each.name) : each?.type === "registry";
  return isKnown && typeof each.name === "string" && Array.isArray(each.actions);
}

const claimsOf = ({ sub, aud, access, iat, exp }: WireClaims): TokenClaims => ({
  ...{ subject: sub, service: aud, access },
  issuedAt: new Date(iat * 1000),
  expiresAt: new Date(exp * 1000),
});

function members(part: string): Readonly<Record<string, Json>> {
  try {
    const value = parseJson(bytesOf(part), { maxBytes: MAX_TOKEN_BYTES, maxDepth: 8 });
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, Json>;
  } catch (cause) {
    if (!isFactoryError(cause) || cause.code === "REGISTRY_TOKEN_MALFORMED") throw cause;
  }
  throw refuse("REGISTRY_TOKEN_MALFORMED", "a JSON object");
}

/** base64url, canonical: one text for one value, so that a token has one spelling. */
function bytesOf(part: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw refuse("REGISTRY_TOKEN_MALFORMED", "canonical base64url");
  return bytes;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const said = (value: Json | undefined): string => (JSON.stringify(value) ?? "nothing").slice(0, 80);

function refuse(code: RegistryAuthorityCode, expected: string): Error {
  return registryAuthorityErrors.make(code, `expected ${expected}`);
}
