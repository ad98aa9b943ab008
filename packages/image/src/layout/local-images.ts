import type { Descriptor, OciReader, OciWriter } from "@touchmark/formats/oci";

/** Images in a place of their own on this machine. */
export interface LocalImages extends OciReader {
  /**
   * The digest of the one image that the place holds, for a caller that named none.
   * @throws IMAGE_MANIFEST_MISSING | IMAGE_REFERENCE_AMBIGUOUS
   */
  only(): Promise<string>;
}

/** Images that can be read and written. */
export type WritableImages = LocalImages & OciWriter;

/** A place on this machine that can take a file in as a blob, without reading it again. An optional capability of a writer. */
export interface BlobAdopter {
  /**
   * Takes a file that the caller wrote and hashed, in a private directory; the file is gone afterwards. False: it lies on another file
   * system, and has to be put.
   */
  adoptBlob(descriptor: Descriptor, file: string): Promise<boolean>;
}

/** True for a writer with that capability. */
export function canAdopt(writer: OciWriter): writer is OciWriter & BlobAdopter {
  return "adoptBlob" in writer;
}
