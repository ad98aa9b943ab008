import { type Clock, systemClock } from "@touchmark/core";
import {
  type CollectingBackend,
  fileRegistryBackend,
  type RegistryBackend,
  type RegistryConfiguration,
  registryConfigurationErrors,
  type UsageBackend,
} from "@touchmark/registry";
import { type Home, openContentStore } from "@touchmark/store";

/** Whatever a registry's content lies in. */
export type ServedBackend = RegistryBackend & CollectingBackend & UsageBackend;

/** What opening needs. */
export interface StorageRequest {
  readonly home: Home;
  readonly configuration: RegistryConfiguration;
  readonly clock?: Clock;
  /** Default: the process's. Names the keys of an object storage, and how other registries are reached. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told when a mirror answers from what it knew, because the registry above is away. */
  readonly onProblem?: (message: string) => void;
}

/**
 * Opens the backend that a configuration says: the home, an object storage, a mirror of another registry (SPEC G6).
 * @throws REGISTRY_CONFIG_STORAGE_KEYS_MISSING | REGISTRY_BACKEND_*
 */
export async function openRegistryBackend(request: StorageRequest): Promise<ServedBackend> {
  const { configuration, clock = systemClock } = request;
  const local = await openStorage(request);
  if (configuration.mirror === undefined) return local;
  const { openRegistryClient, pullThroughBackend } = await import("@touchmark/registry");
  const { registry, prefix, tagSeconds, insecurePlainHttp } = configuration.mirror;
  const client = openRegistryClient({
    environment: request.environment ?? process.env,
    clock,
    ...(insecurePlainHttp ? { insecurePlainHttp: [registry] } : {}),
  });
  const backend = pullThroughBackend({
    local,
    upstream: (repository) => client.repository({ registry, repository: `${prefix}${repository}` }),
    tagSeconds,
    clock,
    onStale: ({ repository, tag }) =>
      request.onProblem?.(`${registry} does not answer; ${repository}:${tag} is what it was`),
  });
  const close = backend.close.bind(backend);
  return Object.assign(backend, {
    close: async () => {
      client.close();
      await close();
    },
  });
}

async function openStorage({
  home,
  configuration,
  clock = systemClock,
  environment,
}: StorageRequest): Promise<ServedBackend> {
  const { storage } = configuration;
  if (storage === undefined) return fileRegistryBackend({ home, content: await openContentStore(home), clock });
  const variables = environment ?? process.env;
  const accessKeyId = variables["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = variables["AWS_SECRET_ACCESS_KEY"];
  const sessionToken = variables["AWS_SESSION_TOKEN"];
  if (!accessKeyId || !secretAccessKey) {
    throw registryConfigurationErrors.make(
      "REGISTRY_CONFIG_STORAGE_KEYS_MISSING",
      `expected keys for the object storage ${storage.endpoint} in the environment, found none`,
    );
  }
  const { s3RegistryBackend } = await import("@touchmark/registry");
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  return s3RegistryBackend({ ...storage, credentials, clock });
}
