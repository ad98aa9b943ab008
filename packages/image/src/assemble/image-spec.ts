import type { Digest } from "@touchmark/core";
import type { LayerCompression, Platform } from "@touchmark/formats/oci";
import type { LayerSource } from "./layer-part.ts";
import type { ImageAllowance } from "./run-image-rules.ts";

/** What an image for one platform is made of. Everything in it is a function of this and of the base's bytes. */
export interface ImageSpec {
  readonly platform: Platform;
  /** The run base; absent: scratch. Its layers are carried over as they are. */
  readonly base?: {
    /** What it was named by, for the label; a digest in it is not needed. */
    readonly name: string;
    /** Of its manifest, or of the index that lists it. */
    readonly digest: Digest;
  };
  /** From the bottom up. */
  readonly layers: readonly ImageLayerSpec[];
  /** Seconds of the epoch: of the image, and of every file in the layers. */
  readonly epoch: number;
  /** Of new layers. Default gzip. */
  readonly compression?: LayerCompression;
  readonly level?: number;
  /** `UID[:GID]`, or a name in the image's `/etc/passwd`, which is looked up; absent: the base's. */
  readonly user?: string;
  /** Given, it takes the place of the base's entrypoint and command. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** On top of the base's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `8080` or `53/udp`; on top of the base's. */
  readonly ports?: readonly string[];
  readonly directory?: string;
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Further annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the image is, as labels and annotations name it (image-spec 1.1, annotations.md). */
  readonly about?: {
    readonly title?: string;
    readonly version?: string;
    readonly source?: string;
    readonly revision?: string;
    readonly licenses?: string;
    /** Identity of the run. Two runs with the same inputs differ in it, if it is given. */
    readonly run?: string;
  };
  /** Arguments of the build, recorded in the history. */
  readonly buildArguments?: Readonly<Record<string, string>>;
  readonly allow?: readonly ImageAllowance[];
  /** Paths whose content looks like a secret and is none. Recorded by the caller. */
  readonly secretsAt?: readonly string[];
}

/** One new layer. */
export interface ImageLayerSpec {
  readonly files: LayerSource;
  /** For the history: `step build, dist -> /app`. */
  readonly createdBy?: string;
}

/** Label for the identity of the run. */
export const RUN_LABEL = "dev.touchmark.run";
