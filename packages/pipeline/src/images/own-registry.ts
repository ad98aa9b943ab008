import { existsSync } from "node:fs";
import type { OciReader, OciWriter } from "@touchmark/formats/oci";
import {
  configuredTagRules,
  fileRegistryBackend,
  localRepository,
  type RegistryBackend,
  readRegistryConfiguration,
  type TagRules,
} from "@touchmark/registry";
import type { Factory } from "../factory.ts";
import { registryPlace } from "../registry/place.ts";

/** The factory's own registry, as `touchmark registry serve` shows it. Opened by whoever uses it first. */
export interface OwnRegistry {
  readonly backend: RegistryBackend;
  /** Its tags have the rules of `registry.yaml`, whoever sets them. */
  repository(name: string): OciReader & OciWriter;
  close(): Promise<void>;
}

/** Opens the registry that lies in the factory's home, or where its `registry.yaml` says. @throws REGISTRY_CONFIG_* */
export async function openOwnRegistry(factory: Factory): Promise<OwnRegistry> {
  const { home, content, clock } = factory;
  const { configuration: path } = registryPlace(home);
  if (!existsSync(path)) return registryOf(fileRegistryBackend({ home, content, clock }), undefined);
  const { promotionProof } = await import("../promotion/proof.ts");
  const { openRegistryBackend } = await import("../registry/storage.ts");
  const { configuration } = await readRegistryConfiguration(path, true);
  const backend = await openRegistryBackend({ home, configuration, clock, onProblem: () => undefined });
  return registryOf(
    backend,
    configuredTagRules(() => configuration, promotionProof(factory, backend)),
  );
}

function registryOf(backend: RegistryBackend, rules: TagRules | undefined): OwnRegistry {
  return {
    backend,
    repository: (name) => localRepository(backend, name, `factory:${name}`, rules),
    close: () => backend.close(),
  };
}
