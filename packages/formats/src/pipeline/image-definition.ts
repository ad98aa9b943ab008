import type { Position } from "./definition.ts";

/** What a run image may hold only when the file says so. */
export const imageAllowances = ["compilers", "caches", "root-user", "setuid", "build-base"] as const;
export type ImageAllowance = (typeof imageAllowances)[number];

/** An artifact that is a container image. */
export interface ImageDefinition {
  readonly name: string;
  readonly description?: string;
  /** Reference of the run base, or `scratch`. Never the image that a step was built in. */
  readonly base: string;
  /** From the bottom up. */
  readonly layers: readonly ImageLayerDefinition[];
  /** `os/architecture[/variant]`; more than one gives an index. Empty: the platform of the host. */
  readonly platforms: readonly string[];
  /** `UID[:GID]`, or a name that the base knows; absent: the base's. Root is refused unless allowed. */
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** As written: values may hold `${{ parameters.NAME }}`. */
  readonly environment: Readonly<Record<string, string>>;
  /** `8080/tcp`. */
  readonly ports: readonly string[];
  readonly directory?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** SPDX licence expression of what is inside. */
  readonly licences?: string;
  readonly compression: "gzip" | "zstd" | "none";
  readonly allow: readonly ImageAllowance[];
  readonly position: Position;
}

/** A layer from the output of a step. */
export interface ImageLayerDefinition {
  readonly from: string;
  /** Relative path inside that output; `.` for all of it. */
  readonly path: string;
  /** Absolute place in the image. */
  readonly to: string;
  /** Numbers of owner and group of everything in it. */
  readonly owner: { readonly user: number; readonly group: number };
  /** Only in the image of this platform. */
  readonly platform?: string;
}

/** Where an artifact goes when the run has succeeded, with its evidence. */
export interface PublishDefinition {
  /** Name of the artifact. */
  readonly artifact: string;
  /** A repository: `factory:NAME`, or `HOST[:PORT]/NAME`. */
  readonly to: string;
  /** As written: they may hold `${{ parameters.NAME }}`. Set last, all or none. */
  readonly tags: readonly string[];
  readonly position: Position;
}
