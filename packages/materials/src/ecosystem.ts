import type { AnnouncedDigest, Ecosystem } from "@touchmark/formats/lockfiles";
import type { Announcement, RequestFacts, Upstream } from "./material.ts";

/** A request as its ecosystem sees it: header names in lower case. */
export interface EcosystemRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Body of a POST (git), bounded by the proxy. */
  readonly body?: Uint8Array;
}

/** What the clients of one ecosystem must be told so that they use the proxy and trust its authority. */
export interface ClientContext {
  /** `http://127.0.0.1:PORT` inside the sandbox. */
  readonly proxy: string;
  readonly proxyPort: number;
  /** Paths inside the sandbox: the step's authority alone as PEM, and as a Java key store (JKS, password `changeit`). */
  readonly authorityPem: string;
  readonly authorityKeystore: string;
  /** Directory inside the sandbox where `files` lie, read-only. */
  readonly directory: string;
  readonly home: string;
  /** Upstreams of this ecosystem, in order. */
  readonly upstreams: readonly Upstream[];
}

/** Environment and files for the sandbox; never files of the project. */
export interface ClientSettings {
  readonly environment: Readonly<Record<string, string>>;
  /** By name below `ClientContext.directory`. */
  readonly files: Readonly<Record<string, string>>;
  /** By absolute path inside the sandbox, outside of the project: for clients that look nowhere else (Cargo). */
  readonly placed?: Readonly<Record<string, string>>;
}

/** Says which versions of a package anybody will ask for: an adapter may leave the others out. */
export type WantedVersion = (name: string, version: string) => boolean;

/**
 * Body of an earlier answer of the same session, from upstream or from the mirror; undefined when there is none. An
 * index entry of Cargo says where its crates lie only together with the index's `config.json`.
 */
export type EarlierAnswer = (url: URL) => Uint8Array | undefined;

/** How the factory understands one ecosystem. Pure but for `digestsOf`; everything that it reads is untrusted. */
export interface EcosystemAdapter {
  readonly ecosystem: Ecosystem;
  /**
   * What a request below an upstream's address asks for; undefined for what the ecosystem does not know, which is
   * refused. Ambiguous spellings (encoded slashes, dot segments, doubled slashes) are refused, not repaired.
   */
  classify(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined;
  /**
   * Further base addresses that belong to an upstream and lie beside its own: an index at `/simple/` has its JSON
   * interface at `/pypi/`. They are the upstream's as much as its own; `classify` reads both.
   */
  beside?(upstream: Upstream): readonly string[];
  /**
   * Files that an index or metadata response announces. Bounded in time and memory; a body that is not what its kind
   * says is an error.
   * @throws MATERIAL_INDEX_MALFORMED | MATERIAL_INDEX_TOO_LARGE
   */
  announced(
    facts: RequestFacts,
    body: Uint8Array,
    url: URL,
    earlier?: EarlierAnswer,
    wanted?: WantedVersion,
  ): readonly Announcement[];
  /** Where an upstream has the index that announces the archives of a package, for clients that do not ask for it. */
  indexOf?(
    name: string,
    upstream: Upstream,
  ): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } | undefined;
  /** Digests of an archive that are no plain hash of its bytes (Go's h1). */
  digestsOf?(facts: RequestFacts, path: string): Promise<readonly AnnouncedDigest[]>;
  /** Environment and files for its clients. */
  clientSettings(context: ClientContext): ClientSettings;
  /**
   * Asks the installed client of this host for its upstreams (`npm config get registry`, ...). Runs the client without
   * a shell, bounded, in `directory`. An absent client answers nothing.
   */
  askClient?(ask: AskClient): Promise<readonly AskedUpstream[]>;
}

/** Runs a program of the host and answers its standard output; undefined when it is missing or fails. */
export type AskClient = (
  program: string,
  words: readonly string[],
  options?: AskOptions,
) => Promise<string | undefined>;

export interface AskOptions {
  /** Added to the environment of the program. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Answer standard output and standard error together, whatever the exit code: some clients say things only there. */
  readonly failing?: boolean;
}

/** An upstream as the installed client has it. */
export interface AskedUpstream {
  /** As `Upstream.url`. Credentials are stripped, and named in `credential`. */
  readonly url: string;
  readonly exclusive: readonly string[];
  /** Who said so: `npm config`, `GOPROXY`, ... */
  readonly from: string;
  /** As `Upstream` has them for Debian archives. */
  readonly suites?: readonly string[];
  readonly components?: readonly string[];
  readonly keyring?: string;
  /** Where the client has a credential for it (`user information of index-url`), never the credential. */
  readonly credential?: string;
}
