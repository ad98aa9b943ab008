/** Ecosystems whose dependencies the factory understands; the type of a package URL, or what stands in its place. */
export type Ecosystem = "npm" | "pypi" | "golang" | "cargo" | "maven" | "deb" | "git" | "generic";

/** Algorithms that lockfiles and indexes announce digests with. `h1` is Go's hash over the files of a module zip. */
export type DigestAlgorithm = "md5" | "sha1" | "sha256" | "sha384" | "sha512" | "h1";

/** A digest that somebody announced; the value is lower-case hex. */
export interface AnnouncedDigest {
  readonly algorithm: DigestAlgorithm;
  readonly value: string;
}

/** What kind of source a locked package comes from. */
export type LockedFrom =
  /**
   * A registry of the ecosystem, whichever the client is configured for: `url` is the archive's own address, `index`
   * that of the registry, where the lockfile names them.
   */
  | { readonly kind: "registry"; readonly url?: string; readonly index?: string }
  /** A file at an address of its own. */
  | { readonly kind: "url"; readonly url: string }
  /** A commit of a repository. */
  | { readonly kind: "git"; readonly url: string; readonly commit: string }
  /** A directory of the project itself: workspaces, editable installs, path dependencies. Nothing is fetched for it. */
  | { readonly kind: "local"; readonly path: string }
  /** Inside the archive of another package. Nothing is fetched for it. */
  | { readonly kind: "bundled"; readonly within: string };

/** One file of a package that a lockfile allows, for ecosystems where a version has several (wheels, sdists, jars). */
export interface LockedFile {
  /** Empty where the lockfile gives a digest without a name (requirements.txt): any file with it is the one. */
  readonly name: string;
  readonly digests: readonly AnnouncedDigest[];
  readonly url?: string;
}

/** One package as a lockfile has it. */
export interface LockedPackage {
  /** Key within its lockfile: unique, stable. */
  readonly key: string;
  readonly ecosystem: Ecosystem;
  /** Name as the registry knows it, also where the project knows it by an alias. */
  readonly name: string;
  /** Empty for a directory, commit or address whose version the lockfile does not say. */
  readonly version: string;
  /** Which versions fit, where no one version is locked: `>=2,<3`. The door refuses such lockfiles. */
  readonly wanted?: string;
  /** Package URL, canonical. Absent for the project's own directories. */
  readonly purl?: string;
  /** The name that the project uses, when another. */
  readonly alias?: string;
  readonly from: LockedFrom;
  /** Digests of the one archive; with several files they stand in `files`. Any one that is strong (sha256 or more) must hold, and every one that is given. */
  readonly digests: readonly AnnouncedDigest[];
  readonly files?: readonly LockedFile[];
  readonly scope: "runtime" | "development" | "optional" | "peer";
  /** Wanted only on some platforms: may be left out of a fetch without being missing. */
  readonly platform?: {
    readonly os?: readonly string[];
    readonly cpu?: readonly string[];
    /** `glibc` or `musl`. */
    readonly libc?: readonly string[];
    /** Condition in the words of the ecosystem: PEP 508, a target of Cargo. */
    readonly marker?: string;
  };
  /** Its licence as its manifest spells it, where the lockfile repeats that. */
  readonly licence?: string;
  /** The lockfile says that it has install scripts. */
  readonly installScripts?: boolean;
  /** Keys of the packages that it depends on. */
  readonly dependencies: readonly string[];
  /** Wanted by the project itself. */
  readonly direct: boolean;
}

/** The project that a lockfile belongs to. */
export interface LockedRoot {
  readonly name?: string;
  readonly version?: string;
  readonly licence?: string;
  /** Keys of what the project itself asks for, where the lockfile tells that from what its workspaces ask for. */
  readonly dependencies?: readonly string[];
}

/** A lockfile, read. */
export interface Lockfile {
  /** Format with its version: `npm-package-lock-3`, `pnpm-lock-9`, `yarn-classic-1`, `cargo-lock-4`, ... */
  readonly format: string;
  readonly ecosystem: Ecosystem;
  /** Path as given by the caller. */
  readonly path: string;
  /** Name and version of the project itself, where the lockfile says so. */
  readonly root?: LockedRoot;
  readonly packages: readonly LockedPackage[];
  /** What the lockfile cannot say, in words: `yarn 2+ keeps no digest of the archive`, ... Stated in evidence. */
  readonly limits: readonly string[];
}
