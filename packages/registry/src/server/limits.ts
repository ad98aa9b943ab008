import { maxManifestBytes } from "@touchmark/formats/oci";

/** What the server bounds. */
export interface RegistryLimits {
  /** Largest blob, in bytes. Default 10 GiB. */
  readonly blobBytes: number;
  /** Largest manifest, in bytes; at most 4 MiB, the default. */
  readonly manifestBytes: number;
  /** Open uploads of one caller. Default 256. */
  readonly uploadsPerCaller: number;
  /** After so many seconds an upload no longer counts as open. Default one hour. */
  readonly uploadSeconds: number;
  /** Seconds that a body may stand still, in either direction. Default 60. */
  readonly idleSeconds: number;
  /** Seconds within which a manifest must have come. Default 60. */
  readonly manifestSeconds: number;
  /** Bytes of verified manifests kept in memory. Default 32 MiB; zero keeps none. */
  readonly cacheBytes: number;
  /** Seconds for which a kept manifest is given out without asking the backend whether it is still there. Default 1. */
  readonly cacheSeconds: number;
}

export const defaultLimits: RegistryLimits = {
  blobBytes: 10 * 2 ** 30,
  manifestBytes: maxManifestBytes,
  uploadsPerCaller: 256,
  uploadSeconds: 3600,
  idleSeconds: 60,
  manifestSeconds: 60,
  cacheBytes: 32 * 2 ** 20,
  cacheSeconds: 1,
};

/** Most names in one answer of a list, and the number when none is asked for. */
export const listLimit = 10_000;
/** Most referrers in one answer. */
export const referrersLimit = 1000;
/** Bytes after which a list of referrers is cut: clients read indexes of at most 4 MiB. */
export const referrersBytes = 3 * 2 ** 20;
