import { type Clock, systemClock } from "@touchmark/core";
import type { FactoryIdentity } from "@touchmark/identity";
import {
  type Access,
  mintToken,
  openTokenKeys,
  type RegistryAction,
  readRegistryConfiguration,
} from "@touchmark/registry";
import type { Home } from "@touchmark/store";
import { registryPlace } from "./place.ts";

/** A token for the registry of a home. */
export interface RegistryTokenRequest {
  readonly home: Home;
  /** Whose identity speaks: the SPIFFE id has to be one that it may have. */
  readonly identity: FactoryIdentity;
  readonly spiffeId: string;
  /** Names of repositories, never patterns. */
  readonly repositories: readonly string[];
  readonly actions: readonly RegistryAction[];
  /** At most 3,600; default 600. */
  readonly lifetimeSeconds?: number;
  readonly clock?: Clock;
  /** Default: `registry.yaml` in the home. */
  readonly configuration?: string;
}

/** A token, and until when it counts. */
export interface RegistryToken {
  readonly token: string;
  readonly subject: string;
  readonly service: string;
  readonly access: readonly Access[];
  readonly expiresAt: Date;
}

/** Life of a token when nobody says, seconds. */
const DEFAULT_SECONDS = 600;

/**
 * A short-lived token of the factory for its registry: for a step that publishes, or for a person at this host (SPEC G).
 * @throws IDENTITY_NOT_PERMITTED | IDENTITY_FOREIGN | SPIFFE_ID_INVALID | REGISTRY_TOKEN_* | REGISTRY_CONFIG_*
 */
export async function mintRegistryToken(request: RegistryTokenRequest): Promise<RegistryToken> {
  const { home, identity, spiffeId, actions, clock = systemClock } = request;
  identity.assertMayIssue(spiffeId);
  const place = registryPlace(home);
  const { configuration } = await readRegistryConfiguration(
    request.configuration ?? place.configuration,
    request.configuration !== undefined,
  );
  const own = actions.filter((action) => action !== "catalog");
  const access: Access[] = request.repositories.map((name) => ({ type: "repository", name, actions: own }));
  if (actions.includes("catalog")) access.push({ type: "registry", name: "catalog", actions: ["*"] });
  const { token, claims } = mintToken({
    key: openTokenKeys(place.tokenKey, clock).current(),
    clock,
    subject: spiffeId,
    service: configuration.tokens.service,
    access,
    lifetimeSeconds: request.lifetimeSeconds ?? DEFAULT_SECONDS,
  });
  return { token, subject: spiffeId, service: claims.service, access, expiresAt: claims.expiresAt };
}
