import { type Clock, isFactoryError } from "@touchmark/core";
import type { RegistryAuthority } from "../authority.ts";
import type { RegistryConfiguration } from "../configuration/configuration.ts";
import { type Buckets, memoryBuckets } from "./buckets.ts";
import { ANONYMOUS, allows, anonymousCaller, asRegistryCaller, checkCredential, type KnownCaller } from "./caller.ts";
import { challengeFor } from "./challenge.ts";
import { registryAuthorityErrors } from "./errors.ts";
import { failureLedger, remotePlace } from "./failures.ts";
import { parseAuthorization } from "./header.ts";
import { type Passwords, passwords } from "./passwords.ts";
import { isGranted } from "./scope.ts";
import { type TokenAudit, tokenEndpoint } from "./token-endpoint.ts";
import type { TokenKeys } from "./token-key.ts";

/** What an authority is made of. */
export interface AuthorityOptions {
  /** Asked at each request: it may change while the registry runs. */
  readonly configuration: () => RegistryConfiguration;
  readonly keys: TokenKeys;
  readonly clock: Clock;
  /** Address of the registry for clients, once it is known. */
  readonly url: () => string | undefined;
  readonly audit?: TokenAudit;
  readonly buckets?: Buckets;
  readonly passwords?: Passwords;
}

/**
 * The authority of a registry with users, grants and tokens (SPEC A): Basic and Bearer, challenges, rates, and the token
 * endpoint. Whoever shows nothing is anonymous where that is enough, and challenged where it is not.
 */
export function configuredAuthority(options: AuthorityOptions): RegistryAuthority {
  const { configuration, clock, url } = options;
  const buckets = options.buckets ?? memoryBuckets(clock);
  const parts = { ...options, passwords: options.passwords ?? passwords(clock, failureLedger(clock)) };
  return {
    async identify(header, wanted, remote) {
      const now = configuration();
      const { service } = now.tokens;
      buckets.request(`remote ${remotePlace(remote)}`, now.rates.remote);
      const refuse = (code: string, message: string, error?: "invalid_token" | "insufficient_scope") => ({
        challenge: challengeFor({ url: url(), service, wanted, ...(error === undefined ? {} : { error }) }),
        reason: `${code}: ${message}`,
      });
      let caller: KnownCaller;
      if (header === undefined) {
        caller = anonymousCaller(now);
        // The version check is how clients learn that, and where, to log in: without a credential it always says so.
        if (
          (wanted.repository === "" && wanted.action === "pull") ||
          !allows(caller, wanted.action, wanted.repository)
        ) {
          return refuse("REGISTRY_AUTH_REQUIRED", "expected a credential, found none");
        }
      } else {
        try {
          caller = await checkCredential(parts, parseAuthorization(header), remote);
        } catch (error) {
          if (!isFactoryError(error)) throw error;
          if (error.nature === "unavailable") throw error;
          const isOfToken = error.code.startsWith("REGISTRY_TOKEN_");
          // A key that cannot be read is for the log of the host; a caller learns the code alone.
          const message = error.nature === "refused" ? error.message : "the registry cannot check tokens";
          return refuse(error.code, message, isOfToken ? "invalid_token" : undefined);
        }
      }
      if (caller.name !== ANONYMOUS) buckets.request(`caller ${caller.name}`, now.rates.caller);
      if (needsAnotherToken(caller, now, wanted)) {
        const { code, message } = registryAuthorityErrors.make(
          "REGISTRY_AUTH_REQUIRED",
          "expected a token for this, found one for something else",
        );
        return refuse(code, message, "insufficient_scope");
      }
      return asRegistryCaller(caller, now, buckets, remote);
    },
    answer: tokenEndpoint({ ...parts, buckets }),
  };
}

/** A token that does not hold what its subject may have, or that an anonymous caller got: the client should ask again. */
function needsAnotherToken(
  caller: KnownCaller,
  configuration: RegistryConfiguration,
  { action, repository }: Parameters<RegistryAuthority["identify"]>[1],
): boolean {
  if (caller.claims === undefined || caller.grants === undefined || (repository === "" && action === "pull"))
    return false;
  if (allows(caller, action, repository)) return false;
  return caller.name === ANONYMOUS || isGranted(configuration.users.get(caller.name)?.grants ?? [], action, repository);
}
