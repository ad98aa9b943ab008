import type { Digest } from "@touchmark/core";
import type { AnnouncedDigest, Ecosystem } from "@touchmark/formats/lockfiles";

/** What a response is to its ecosystem. */
export type MaterialKind =
  /** Lists versions or packages, and announces files: packument, simple page, Packages, sparse index entry. */
  | "index"
  /** Facts about one version that are no package: `.mod`, `.info`, `.metadata`, POM. */
  | "metadata"
  /** The package itself. */
  | "archive"
  /** Signature, checksum file, attestation, proof. */
  | "signature"
  /** Objects of a git repository. */
  | "git"
  /** A file that the pipeline names with its digest. */
  | "download"
  /** What a client asks in passing and nothing rests on: ping, audit, update check. Refused unless a rule allows it. */
  | "chatter";

/** Where a digest that a file must have was announced. */
export interface ExpectedDigest extends AnnouncedDigest {
  readonly source: "lockfile" | "pipeline" | "index" | "checksum-file" | "signed-index" | "history";
  /** File or URL that announced it; for evidence. Never holds user information. */
  readonly from: string;
}

/** A repository that the user trusts for an ecosystem. */
export interface Upstream {
  /** Name in the configuration, unique. */
  readonly name: string;
  readonly ecosystem: Ecosystem;
  /** Base address: scheme, host, port and path prefix; no user information, query or fragment; ends with `/`. */
  readonly url: string;
  /** Package names or scopes (`@org/*`, `com.example.*`) that come from here and nowhere else; empty: any. */
  readonly exclusive: readonly string[];
  /** Position in the order of preference; 0 first. */
  readonly order: number;
  /** Of a Debian archive: suites and components that steps may ask, and the keyring of the image that signs them. */
  readonly suites?: readonly string[];
  readonly components?: readonly string[];
  readonly keyring?: string;
}

/** What a request asks for, as its ecosystem reads the address. */
export interface RequestFacts {
  readonly ecosystem: Ecosystem;
  readonly kind: MaterialKind;
  readonly upstream: Upstream;
  /** As the registry spells it, normalised by the ecosystem's rules. */
  readonly name?: string;
  readonly version?: string;
  /** Canonical package URL, with version where one is known. */
  readonly purl?: string;
  /** Last part of the path for archives and their signatures. */
  readonly fileName?: string;
  /** The answer never changes once published (archives, pinned metadata): the mirror may answer without asking. */
  readonly immutable: boolean;
}

/** A file that an index or metadata response announces. */
export interface Announcement {
  /** Absolute, normalised address. */
  readonly url: string;
  readonly ecosystem: Ecosystem;
  readonly kind: "archive" | "metadata" | "signature" | "index";
  readonly name?: string;
  readonly version?: string;
  readonly purl?: string;
  readonly fileName?: string;
  /** Without any digest the file is no announced file: its host gets no admission from this. */
  readonly digests: readonly ExpectedDigest[];
  /** Bytes, where announced. */
  readonly size?: number;
  /** When this version was published, RFC 3339 UTC. */
  readonly publishedAt?: string;
  /** Withdrawn or deprecated, in the registry's words. */
  readonly withdrawn?: string;
  readonly publisher?: string;
  readonly installScripts?: boolean;
  /** Licence as the index declares it. */
  readonly licence?: string;
  /** Bytes and files of the unpacked package, as the index declares them. */
  readonly unpackedSize?: number;
  readonly fileCount?: number;
  /** Registry signatures over name, version and digest (npm: keyid and base64 signature). */
  readonly signatures?: readonly { readonly keyId: string; readonly signature: string }[];
  /** Address of provenance or other attestations of the file. */
  readonly attestations?: string;
}

/** One response that the proxy carried, as recorded. */
export interface MaterialRecord {
  /** SHA-256 over canonical JSON of method, URL and the headers that select a variant; file name of the record. */
  readonly key: string;
  readonly method: "GET" | "HEAD" | "POST";
  /** Without user information; query kept, secrets in it replaced. */
  readonly url: string;
  /** What selected this answer among those of its address, as `variantOf` of the mirror says; absent when nothing did. */
  readonly variant?: Readonly<Record<string, string>>;
  /** Further addresses that were followed, in order. */
  readonly redirects: readonly string[];
  readonly status: number;
  /** Response headers that a client needs again: content-type, etag, last-modified, link, git's own; lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Digest of the body as it came (identity encoding). */
  readonly digest: Digest;
  readonly size: number;
  readonly facts: Omit<RequestFacts, "upstream"> & { readonly upstream: string };
  /** All digests that were expected and held. */
  readonly expected: readonly ExpectedDigest[];
  /** When it came from upstream. RFC 3339 UTC. */
  readonly fetchedAt: string;
}
