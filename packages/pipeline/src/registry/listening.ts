import {
  isLocal,
  isWildcard,
  type ListenAddress,
  parseListen,
  type RegistryConfiguration,
  registryConfigurationErrors,
} from "@touchmark/registry";

/** What the command line may say instead of the configuration. */
export interface ListenWishes {
  readonly listen?: string;
  readonly tls?: RegistryConfiguration["tls"];
  readonly insecurePlainHttp?: boolean;
}

/** Where and how a registry listens. */
export interface Listening {
  readonly listen: ListenAddress;
  readonly tls:
    | { readonly certificate: string; readonly key: string }
    | { readonly hosts: readonly string[] }
    | undefined;
  /** Plain http beyond this host, because somebody said so. */
  readonly isInsecure: boolean;
}

/** Decides it. @throws REGISTRY_CONFIG_LISTEN_INVALID | REGISTRY_CONFIG_PLAIN_HTTP */
export function listening(configuration: RegistryConfiguration, wishes: ListenWishes): Listening {
  const listen = wishes.listen === undefined ? configuration.listen : parseListen(wishes.listen);
  const wanted = wishes.tls ?? configuration.tls;
  if (wanted === undefined) {
    const isAllowed = wishes.insecurePlainHttp ?? configuration.insecurePlainHttp;
    if (!isLocal(listen) && !isAllowed) {
      throw registryConfigurationErrors.make(
        "REGISTRY_CONFIG_PLAIN_HTTP",
        `expected TLS, or an address of this host alone, found plain http at ${addressText(listen)}`,
      );
    }
    return { listen, tls: undefined, isInsecure: !isLocal(listen) };
  }
  const own = "host" in listen && !isWildcard(listen) ? [listen.host.toLowerCase()] : [];
  const tls =
    "names" in wanted ? { hosts: [...new Set([...wanted.names.map((name) => name.toLowerCase()), ...own])] } : wanted;
  return { listen, tls, isInsecure: false };
}

/**
 * The address that clients are told as the place of the token endpoint: as configured, else the first certified name,
 * else the host that was asked for. Undefined where none is known: clients then send Basic.
 */
export function clientUrl(
  configuration: RegistryConfiguration,
  { listen, tls }: Listening,
  bound: string,
): string | undefined {
  if (configuration.url !== undefined) return configuration.url;
  if ("socket" in listen) return undefined;
  const named = tls !== undefined && "hosts" in tls ? tls.hosts[0] : undefined;
  if (named === undefined && isWildcard(listen)) return undefined;
  const port = bound.slice(bound.lastIndexOf(":") + 1);
  return `${tls === undefined ? "http" : "https"}://${bracketed(named ?? listen.host)}:${port}`;
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function addressText(listen: ListenAddress): string {
  return "socket" in listen ? listen.socket : `${bracketed(listen.host)}:${listen.port}`;
}
