import type { Digest } from "@touchmark/core";

/** What a component is; the words of CycloneDX 1.6 (`component.type`). */
export type ComponentKind =
  | "application"
  | "framework"
  | "library"
  | "container"
  | "platform"
  | "operating-system"
  | "device"
  | "device-driver"
  | "firmware"
  | "file"
  | "machine-learning-model"
  | "data"
  | "cryptographic-asset";

/** What a component is needed for. `unknown` where nothing says so; it counts as `runtime` in every gate. */
export type ComponentScope = "runtime" | "development" | "optional" | "build" | "unknown";

/** A digest of a component's archive or file, in lower-case hex. */
export interface ComponentHash {
  readonly algorithm: "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "blake2b-256" | "blake3" | "h1";
  readonly value: string;
}

/** One statement about the licence of a component. */
export interface LicenceFact {
  /** SPDX licence expression, canonical; absent when `text` names no licence of the SPDX list. */
  readonly expression?: string;
  /** As it was written, when that is not the expression. */
  readonly text?: string;
  /** File and place that say so: a manifest, a copyright file, a licence text. */
  readonly path?: string;
  /** 0 to 1: 1 for declared ones, the likeness of the text for detected ones. */
  readonly confidence: number;
}

/** Where a component was found, and by which rule. */
export interface Occurrence {
  /** Path inside the scanned tree, without leading slash; `OUTER!/INNER` inside an archive. */
  readonly path: string;
  /** Digest of the layer's diffID, for images: the layer that brought this file. */
  readonly layer?: Digest;
  /** Stable id of the rule that found it: `npm-package-lock`, `dpkg-status`, `go-build-info`, ... */
  readonly rule: string;
  readonly line?: number;
}

/** A package that others were built from: what distributions publish advisories for. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
}

/** The distribution that a system package belongs to, by its os-release(5). */
export interface Distribution {
  /** `ID`: debian, ubuntu, alpine, rhel, ... */
  readonly id: string;
  /** `VERSION_ID`: `12`, `3.20.3`; empty for rolling ones. */
  readonly version: string;
  readonly codename?: string;
  /** `ID_LIKE`, in its order. */
  readonly like?: readonly string[];
  readonly name?: string;
}

/** One thing that software consists of. */
export interface Component {
  /** Unique in its SBOM, the same for the same input: the package URL, with `#PATH` behind it where several share one. */
  readonly ref: string;
  readonly kind: ComponentKind;
  /** Name as its ecosystem spells it, with its namespace: `@scope/name`, `group:artifact`, `github.com/a/b`. */
  readonly name: string;
  /** Empty where nothing says it. */
  readonly version: string;
  /** Package URL, canonical; absent for what no ecosystem knows. */
  readonly purl?: string;
  /** Type of the package URL: `npm`, `pypi`, `golang`, `cargo`, `maven`, `gem`, `composer`, `nuget`, `deb`, `apk`, `rpm`, `generic`, ... */
  readonly type: string;
  readonly scope: ComponentScope;
  /** Wanted by the root itself. */
  readonly direct?: boolean;
  readonly sourcePackage?: SourcePackage;
  readonly distribution?: Distribution;
  readonly architecture?: string;
  readonly hashes: readonly ComponentHash[];
  /** As its manifest says. */
  readonly declaredLicences: readonly LicenceFact[];
  /** As its texts say. */
  readonly detectedLicences: readonly LicenceFact[];
  /** Who supplies it: maintainer, vendor or publisher, as written. */
  readonly supplier?: string;
  readonly description?: string;
  readonly homepage?: string;
  /** Where the archive came from, where a lockfile or manifest says. */
  readonly downloadLocation?: string;
  /** CPE 2.3 names: hints for people, never matched on alone. */
  readonly cpes: readonly string[];
  /** Sorted by path. Empty only in documents of others. */
  readonly occurrences: readonly Occurrence[];
  /** Further facts by name, `touchmark:` ones and those of documents of others. */
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

/** `from` depends on each of `to`, by refs. A component without an entry: nothing is known of what it depends on. */
export interface DependencyEdges {
  readonly from: string;
  /** Sorted. Empty: it is known to depend on nothing. */
  readonly to: readonly string[];
}
