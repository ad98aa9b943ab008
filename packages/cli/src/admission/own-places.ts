import type { openFactory } from "@touchmark/pipeline";
import type { RegistryPlaces } from "@touchmark/pipeline/admission";
import { openOwnRegistry } from "@touchmark/pipeline/images";
import { openRegistryClient, type RegistryClientOptions } from "@touchmark/registry";

type Factory = Awaited<ReturnType<typeof openFactory>>;

/** A gate answers within seconds, or not at all. */
const patience = { connectMs: 3000, headMs: 5000, idleMs: 5000, attempts: 2, pauseMs: 100, longestPauseMs: 1000 };

/** Registries and the factory's own one, opened when the first reference names it. */
export function openPlaces(
  factory: Factory,
  options: RegistryClientOptions,
): RegistryPlaces & { close(): Promise<void> } {
  const client = openRegistryClient({ ...options, patience });
  let own: ReturnType<typeof openOwnRegistry> | undefined;
  return {
    client,
    own: async (repository) => {
      own ??= openOwnRegistry(factory);
      return (await own).repository(repository);
    },
    close: async () => {
      client.close();
      if (own !== undefined) await (await own).close();
    },
  };
}
