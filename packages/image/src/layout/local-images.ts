import type { OciReader, OciWriter } from "@touchmark/formats/oci";

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
