import type { RegistryAction } from "../authority.ts";
import { scopeFor } from "./scope.ts";

/** Path of the token endpoint below the registry's address. */
export const TOKEN_PATH = "/v2/token";

/** What a challenge is made of. */
export interface ChallengeParts {
  /** Address of the registry for clients; without one Basic is asked for. */
  readonly url: string | undefined;
  readonly service: string;
  readonly wanted: { readonly action: RegistryAction; readonly repository: string };
  /** Why a token that was shown does not do (RFC 6750 section 3.1). */
  readonly error?: "invalid_token" | "insufficient_scope";
}

/**
 * Value of `WWW-Authenticate`. Nothing that a request says gets into it but a repository's name that needs no quoting:
 * the realm, where clients send their credentials, is the configured address and no other.
 */
export function challengeFor({ url, service, wanted, error }: ChallengeParts): string {
  if (url === undefined) return `Basic realm="${service}", charset="UTF-8"`;
  const scope =
    wanted.repository === "" && wanted.action !== "catalog" ? undefined : scopeFor(wanted.action, wanted.repository);
  return [
    `Bearer realm="${url}${TOKEN_PATH}"`,
    `service="${service}"`,
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
    ...(error === undefined ? [] : [`error="${error}"`]),
  ].join(",");
}
