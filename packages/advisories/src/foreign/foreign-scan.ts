/** A package as another scanner names it. */
export interface ForeignPackage {
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  /** Type as it calls it: `npm`, `deb`, `go-module`, ... */
  readonly type: string;
}

/** A finding of another scanner. */
export interface ForeignFinding {
  /** Ids, its own first, then aliases. */
  readonly ids: readonly string[];
  readonly package: ForeignPackage;
  /** As it words it. */
  readonly severity?: string;
  readonly fixed?: readonly string[];
}

/** A result of another scanner, read. Its word, not ours. */
export interface ForeignScan {
  readonly tool: string;
  readonly version?: string;
  /** Packages that it lists, found vulnerable or not; empty where its form lists none. */
  readonly packages: readonly ForeignPackage[];
  /** Undefined: its form has no findings (syft). */
  readonly findings?: readonly ForeignFinding[];
}
