/** What a token says of itself, unverified: only ever used to refuse or to name it. */
export interface TokenFacts {
  readonly issuedAt?: Date;
  readonly expiresAt?: Date;
  readonly scopes: readonly string[];
}

/** Reads a JSON web token's own words; undefined for every other kind of secret. */
export function tokenFacts(secret: string): TokenFacts | undefined {
  const parts = secret.split(".");
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return undefined;
  try {
    const [header, claims] = parts
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
    if (typeof header?.alg !== "string" || typeof claims !== "object" || claims === null) return undefined;
    const moment = (value: unknown) =>
      typeof value === "number" && value > 0 && value < 8.64e12 ? new Date(value * 1000) : undefined;
    const [issuedAt, expiresAt] = [moment(claims.iat), moment(claims.exp)];
    const said: unknown = claims.scope ?? claims.scp ?? claims.scopes;
    const scopes = typeof said === "string" ? said.split(/\s+/) : Array.isArray(said) ? said.map(String) : [];
    return { ...(issuedAt && { issuedAt }), ...(expiresAt && { expiresAt }), scopes };
  } catch {
    return undefined;
  }
}
