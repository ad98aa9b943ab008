import { defineErrors } from "@touchmark/core";

/** Error codes of the store of unpacked images (SPEC X8 to X10). */
export const rootfsErrors = defineErrors({
  ROOTFS_MISSING: { nature: "invalid", meaning: "The image is not unpacked here." },
  ROOTFS_CHANGED: {
    nature: "refused",
    meaning:
      "An unpacked image no longer has the files that were unpacked, or its listing was altered; it was set aside.",
    hint: "Run again: the image is unpacked anew. The damaged copy is in the quarantine of unpacked images.",
  },
  ROOTFS_NOT_DERIVED: {
    nature: "refused",
    meaning: "An unpacked image is not what the layers of its image unpack to; it was set aside.",
  },
});
