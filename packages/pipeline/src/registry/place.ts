import { join } from "node:path";
import type { Home } from "@touchmark/store";

/** Where the registry of a home has what is its own; its content lies in the home's store. */
export interface RegistryPlace {
  /** `registry.yaml`, which people write. */
  readonly configuration: string;
  /** The key that signs tokens. */
  readonly tokenKey: string;
  /** The audit trail, unless the configuration says another place. */
  readonly audit: string;
  /** The factory's root certificate, for clients to trust; skopeo takes its directory as --dest-cert-dir. */
  readonly authority: string;
}

/** The registry's files in a home. */
export function registryPlace(home: Home): RegistryPlace {
  const { registry } = home.paths;
  return {
    configuration: join(home.path, "registry.yaml"),
    tokenKey: join(registry, "token-key.json"),
    audit: join(registry, "audit.jsonl"),
    authority: join(registry, "certificates", "ca.crt"),
  };
}
