import type { Digest } from "@touchmark/core";
import type { PasswordHash } from "../authority/password.ts";
import type { RegistryAction } from "../authority.ts";
import { defaultListen, type ListenAddress, parseListen } from "./listen.ts";
import type { TagPattern } from "./pattern.ts";

/** Actions in repositories that fit a pattern. */
export interface Grant {
  readonly repositories: string;
  readonly actions: readonly RegistryAction[];
}

/** Somebody with a password. */
export interface RegistryUser {
  readonly name: string;
  readonly password: PasswordHash;
  readonly grants: readonly Grant[];
}

/** What one repository may hold; undefined is unlimited. */
export interface RepositoryQuota {
  readonly repositories: readonly string[];
  readonly bytes?: number;
  readonly manifests?: number;
  readonly tags?: number;
}

/** How fast somebody may be; undefined is unlimited. */
export interface Rate {
  readonly requestsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/** An object storage, without its keys. */
export interface ObjectStorageChoice {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
}

/** A registry that is mirrored. */
export interface MirrorChoice {
  readonly registry: string;
  /** Before the names of its repositories, with a slash at its end, or empty. */
  readonly prefix: string;
  readonly tagSeconds: number;
  readonly insecurePlainHttp: boolean;
}

/** How a registry runs, read from `registry.yaml`. */
export interface RegistryConfiguration {
  readonly fileName: string;
  /** Of the document; undefined when there is none. */
  readonly digest?: Digest;
  readonly listen: ListenAddress;
  /** Address for clients, without a path. */
  readonly url?: string;
  readonly tls?: { readonly certificate: string; readonly key: string } | { readonly names: readonly string[] };
  readonly insecurePlainHttp: boolean;
  /** Where content lies instead of the home. */
  readonly storage?: ObjectStorageChoice;
  readonly mirror?: MirrorChoice;
  /** What callers without a credential may do. */
  readonly anonymous: readonly Grant[];
  readonly users: ReadonlyMap<string, RegistryUser>;
  readonly tags: { readonly immutable: readonly TagPattern[]; readonly promotionOnly: readonly TagPattern[] };
  readonly quotas: { readonly totalBytes?: number; readonly repositories: readonly RepositoryQuota[] };
  readonly rates: { readonly caller: Rate; readonly remote: Rate };
  readonly uploads: { readonly blobBytes: number; readonly manifestBytes: number };
  readonly tokens: { readonly service: string; readonly lifetimeSeconds: number };
  readonly audit: { readonly file?: string; readonly fileBytes: number; readonly keep: number };
}

/** What holds where no `registry.yaml` says otherwise: nobody may do anything but with a token of the factory. */
export const defaultRegistryConfiguration: RegistryConfiguration = {
  fileName: "registry.yaml",
  listen: parseListen(defaultListen),
  insecurePlainHttp: false,
  anonymous: [],
  users: new Map(),
  tags: { immutable: [], promotionOnly: [] },
  quotas: { repositories: [] },
  rates: { caller: {}, remote: {} },
  uploads: { blobBytes: 10 * 2 ** 30, manifestBytes: 4 * 2 ** 20 },
  tokens: { service: "touchmark-registry", lifetimeSeconds: 300 },
  audit: { fileBytes: 64 * 2 ** 20, keep: 8 },
};

/** What an anonymous reader of everything may do. */
export const anonymousRead: readonly Grant[] = [{ repositories: "**", actions: ["pull", "catalog"] }];
