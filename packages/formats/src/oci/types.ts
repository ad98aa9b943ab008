import type { Digest } from "@touchmark/core";

/** Platform of an image (image-spec 1.1, image-index.md). */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** A descriptor (image-spec 1.1, descriptor.md). Validated: the digest is `sha256:` of 64 hexadecimal digits, the size a safe integer. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
  /** Foreign addresses; refused wherever content would be fetched from them. */
  readonly urls?: readonly string[];
  /** Base64 of the content itself. Never trusted without its digest. */
  readonly data?: string;
}

/** An image manifest (image-spec 1.1, manifest.md), or Docker's schema 2, which has the same members. */
export interface ImageManifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image index (image-spec 1.1, image-index.md), or Docker's manifest list. */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Manifest = ImageManifest | ImageIndex;

/** What a container is started with (image-spec 1.1, config.md). */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
}

/** An image configuration (image-spec 1.1, config.md). */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly config?: ContainerConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly {
    readonly created?: string;
    readonly created_by?: string;
    readonly author?: string;
    readonly comment?: string;
    readonly empty_layer?: boolean;
  }[];
}

/** A reference to something in a registry: `HOST[:PORT]/NAME[:TAG][@DIGEST]`. */
export interface RegistryReference {
  /** Host and port, as written. */
  readonly registry: string;
  /** Repository name, valid by distribution-spec 1.1. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}
