import type { Clock } from "@touchmark/core";
import type { RegistryAction, RegistryCaller } from "../authority.ts";
import type { Grant, RegistryConfiguration, RegistryUser } from "../configuration/configuration.ts";
import type { Buckets } from "./buckets.ts";
import { registryAuthorityErrors } from "./errors.ts";
import { remotePlace } from "./failures.ts";
import type { Credential } from "./header.ts";
import type { Passwords } from "./passwords.ts";
import { isGranted, isInAccess } from "./scope.ts";
import { type TokenClaims, verifyToken } from "./token.ts";
import type { TokenKeys } from "./token-key.ts";

/** Name of callers who showed nothing. */
export const ANONYMOUS = "anonymous";
/** User name of those who send a token of the registry as a password, as clients do that know Basic alone. */
export const TOKEN_USER = "token";

/** Somebody whose credential was checked, with what it allows. */
export interface KnownCaller {
  readonly name: string;
  /** What the subject is granted now; undefined when the credential itself says all, as the factory's own tokens do. */
  readonly grants: readonly Grant[] | undefined;
  /** Of a token: what it holds. */
  readonly claims?: TokenClaims;
}

/** What checking needs. */
export interface CheckParts {
  readonly configuration: () => RegistryConfiguration;
  readonly keys: TokenKeys;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

/** Checks a credential. @throws REGISTRY_AUTH_CREDENTIALS_WRONG | REGISTRY_AUTH_LOCKED | REGISTRY_AUTH_BUSY | REGISTRY_TOKEN_* */
export async function checkCredential(parts: CheckParts, credential: Credential, remote: string): Promise<KnownCaller> {
  if (credential.kind === "bearer") return callerOfToken(parts, credential.token);
  if (credential.user === TOKEN_USER) return callerOfToken(parts, credential.password);
  const { users } = parts.configuration();
  const user = await parts.passwords.check(users, credential.user, credential.password, remote);
  return { name: user.name, grants: user.grants };
}

/** Who showed nothing. */
export function anonymousCaller(configuration: RegistryConfiguration): KnownCaller {
  return { name: ANONYMOUS, grants: configuration.anonymous };
}

/** Most tokens whose signature is remembered; a right one is checked at each request for its life and key all the same. */
const MOST_REMEMBERED = 1000;
const remembered = new WeakMap<object, Map<string, TokenClaims>>();

/** Checks a token, and what its subject may do now: what was taken from a user is gone from its tokens at once. */
export function callerOfToken(parts: CheckParts, token: string): KnownCaller {
  const configuration = parts.configuration();
  const { service } = configuration.tokens;
  const key = parts.keys.current();
  const now = parts.clock.now();
  // The map hangs on the key and goes with it: no token outlives a rotation here.
  const known = remembered.get(key) ?? new Map<string, TokenClaims>();
  remembered.set(key, known);
  let claims = known.get(token);
  const isFresh =
    claims !== undefined && claims.service === service && now < claims.expiresAt && now >= claims.issuedAt;
  if (claims === undefined || !isFresh) {
    known.delete(token);
    claims = verifyToken(token, key, service, now);
    known.set(token, claims);
    if (known.size > MOST_REMEMBERED) known.delete(known.keys().next().value as string);
  }
  const { subject } = claims;
  if (subject === ANONYMOUS) return { name: subject, grants: configuration.anonymous, claims };
  if (subject.includes("://")) return { name: subject, grants: undefined, claims };
  const user: RegistryUser | undefined = configuration.users.get(subject);
  if (user === undefined) {
    throw registryAuthorityErrors.make(
      "REGISTRY_TOKEN_SUBJECT_UNKNOWN",
      "expected a token of a user of this registry, found one of somebody else",
    );
  }
  return { name: user.name, grants: user.grants, claims };
}

/** Whether somebody may do something now: granted, and in the token when one was shown. */
export function allows(caller: KnownCaller, action: RegistryAction, repository: string): boolean {
  if (caller.claims !== undefined && !isInAccess(caller.claims.access, action, repository)) return false;
  return caller.grants === undefined || isGranted(caller.grants, action, repository);
}

/** The caller as the server knows one, slowed to the configured rates. */
export function asRegistryCaller(
  caller: KnownCaller,
  configuration: RegistryConfiguration,
  buckets: Buckets,
  remote: string,
): RegistryCaller {
  const { rates } = configuration;
  const place = remotePlace(remote);
  const may: RegistryCaller["may"] = (action, repository) =>
    // The version check tells nothing; whoever got here may ask it.
    (repository === "" && action === "pull") || allows(caller, action, repository);
  // A token for the list alone names no repository; its subject sees what it could ask a token for.
  const sees = (repository: string): boolean =>
    caller.grants === undefined || isGranted(caller.grants, "pull", repository);
  if (rates.caller.bytesPerSecond === undefined && rates.remote.bytesPerSecond === undefined) {
    return { name: caller.name, may, sees };
  }
  return {
    name: caller.name,
    may,
    sees,
    pace(count) {
      const waits = [
        // Anonymous callers share a name and nothing else.
        caller.name === ANONYMOUS ? undefined : buckets.bytes(`caller ${caller.name}`, rates.caller, count),
        buckets.bytes(`remote ${place}`, rates.remote, count),
      ].filter((wait) => wait !== undefined);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
  };
}
