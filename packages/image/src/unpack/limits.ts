/** What a layer, and an image, may cost (SPEC X4). Bytes are counted as they unpack, holes of sparse files included. */
export interface UnpackLimits {
  /** Layers of an image. */
  readonly layers: number;
  /** Entries of all layers. */
  readonly entries: number;
  /** Bytes of all layers, unpacked. */
  readonly bytes: number;
  /** Apparent bytes of one file. */
  readonly fileBytes: number;
  /** Unpacked bytes for each packed one, once a layer is larger than `ratioFloor`. */
  readonly ratio: number;
  readonly ratioFloor: number;
  /** Bytes of one path. */
  readonly pathBytes: number;
  /** Parts of one path. */
  readonly depth: number;
  /** Bytes of one pax header or GNU long name. */
  readonly headerBytes: number;
  /** Pieces of one sparse file. */
  readonly sparsePieces: number;
}

/** Wide enough for every image that is one. */
export const unpackLimits: UnpackLimits = {
  layers: 512,
  entries: 1_000_000,
  bytes: 32 * 2 ** 30,
  fileBytes: 16 * 2 ** 30,
  ratio: 250,
  ratioFloor: 64 * 2 ** 20,
  pathBytes: 3072,
  depth: 128,
  headerBytes: 2 ** 20,
  sparsePieces: 65_536,
};
