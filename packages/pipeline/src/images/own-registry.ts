import type { OciReader, OciWriter } from "@touchmark/formats/oci";
import { fileRegistryBackend, localRepository, type RegistryBackend } from "@touchmark/registry";
import type { Factory } from "../factory.ts";

/** The factory's own registry, as `touchmark registry serve` shows it. Opened by whoever uses it first. */
export interface OwnRegistry {
  readonly backend: RegistryBackend;
  repository(name: string): OciReader & OciWriter;
  close(): Promise<void>;
}

/** Opens the registry that lies in the factory's home. */
export async function openOwnRegistry(factory: Factory): Promise<OwnRegistry> {
  const backend = fileRegistryBackend({ home: factory.home, content: factory.content, clock: factory.clock });
  return {
    backend,
    repository: (name) => localRepository(backend, name, `factory:${name}`),
    close: () => backend.close(),
  };
}
