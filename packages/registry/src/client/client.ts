import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, systemClock } from "@touchmark/core";
import { checkRepositoryName, parseRegistryReference } from "@touchmark/formats/oci";
import { type CredentialSource, userCredentials } from "./credentials.ts";
import { clientErrors } from "./errors.ts";
import { openRepository, type RegistryRepository, type TransferProgress } from "./repository.ts";
import { RegistrySession } from "./session.ts";
import { authorityFiles, type ClientPatience, defaultPatience, proxySettings } from "./settings.ts";
import { openTransport } from "./transport.ts";

/** How registries are reached. Everything has a default that the user's environment decides. */
export interface RegistryClientOptions {
  /** Default: the process's. Names proxy, credentials' files, authorities. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: those of docker's and the container tools' clients. */
  readonly credentials?: CredentialSource;
  /** For a registry's host the mirrors `HOST[:PORT][/PREFIX]` that are asked first, for content by digest alone. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Hosts besides this one that plain http is spoken with. An insecure option: record it. */
  readonly insecurePlainHttp?: readonly string[];
  /** PEM files of authorities, beside Node's and the system's. */
  readonly authorities?: readonly string[];
  readonly clock?: Clock;
  readonly patience?: Partial<ClientPatience>;
  /** Connections to one host at once; default 16. */
  readonly connections?: number;
  /** Told of every piece of a transfer. */
  readonly onProgress?: (progress: TransferProgress) => void;
}

/** A client for any registry. */
export interface RegistryClient {
  /** A repository to read and write. @throws OCI_NAME_… | OCI_CLIENT_SETTINGS_INVALID */
  repository(place: { readonly registry: string; readonly repository: string }): RegistryRepository;
  /** Ends kept connections. */
  close(): void;
}

/**
 * Opens a client. Nothing is read or asked before a repository is used.
 * @throws OCI_CLIENT_SETTINGS_INVALID; SPEC C1-C13
 */
export function openRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const environment = options.environment ?? process.env;
  const patience = { ...defaultPatience, ...options.patience };
  const transport = openTransport({
    patience,
    proxy: proxySettings(environment),
    authorities: [...authorityFiles(environment), ...(options.authorities ?? [])],
    connections: options.connections ?? 16,
  });
  const credentials = options.credentials ?? userCredentials(environment);
  const plain = new Set((options.insecurePlainHttp ?? []).map((host) => parsedHost(host)));
  const mirrors = new Map(
    Object.entries(options.mirrors ?? {}).map(([host, list]) => [parsedHost(host), list.map(parsedMirror)]),
  );
  const sessions = new Map<string, RegistrySession>();
  const pause = (ms: number): Promise<void> => sleep(ms);
  const session = (registry: string): RegistrySession => {
    let found = sessions.get(registry);
    if (found === undefined) {
      const plainHttp = plain.has(registry);
      found = new RegistrySession(registry, {
        transport,
        credentials,
        clock: options.clock ?? systemClock,
        patience,
        plainHttp,
        pause,
      });
      sessions.set(registry, found);
    }
    return found;
  };
  return {
    repository: ({ registry, repository }) => {
      parsedHost(registry);
      return openRepository({
        origin: { session: session(registry), repository: checkRepositoryName(repository) },
        mirrors: (mirrors.get(registry) ?? []).map(({ host, prefix }) => ({
          session: session(host),
          repository: checkRepositoryName(`${prefix}${repository}`),
        })),
        patience,
        pause,
        onProgress: options.onProgress ?? (() => {}),
      });
    },
    close: () => transport.close(),
  };
}

function parsedHost(host: string): string {
  try {
    return parseRegistryReference(`${host}/a`).registry;
  } catch (cause) {
    throw clientErrors.make(
      "OCI_CLIENT_SETTINGS_INVALID",
      `expected HOST[:PORT] of a registry, found ${JSON.stringify(host.slice(0, 80))}`,
      { cause },
    );
  }
}

function parsedMirror(text: string): { readonly host: string; readonly prefix: string } {
  const slash = text.indexOf("/");
  if (slash < 0) return { host: parsedHost(text), prefix: "" };
  return { host: parsedHost(text.slice(0, slash)), prefix: `${text.slice(slash + 1).replace(/\/$/, "")}/` };
}
