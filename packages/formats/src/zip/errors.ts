import { defineErrors } from "@touchmark/core";

/** Error codes of reading zip archives. */
export const zipErrors = defineErrors({
  ZIP_MALFORMED: {
    nature: "invalid",
    meaning: "A zip archive has a record that is none, or one that leads elsewhere.",
  },
  ZIP_TRUNCATED: { nature: "invalid", meaning: "A zip archive ends before its end record, or inside another record." },
  ZIP_TOO_LARGE: {
    nature: "invalid",
    meaning: "A zip archive has more entries than its reader allows, or an entry unpacks to more bytes.",
  },
  ZIP_OVERLAP: { nature: "invalid", meaning: "Two entries of a zip archive share bytes, or reach into its directory." },
  ZIP_UNSUPPORTED: {
    nature: "invalid",
    meaning: "An entry is encrypted, or packed by another method than stored and deflate, or the archive has parts.",
  },
  ZIP_CONFLICT: {
    nature: "invalid",
    meaning: "The header in front of an entry names another file or method than the directory does.",
  },
  ZIP_CONTENT: { nature: "invalid", meaning: "An entry does not unpack to the size and checksum that stand for it." },
  ZIP_NAME: {
    nature: "invalid",
    meaning: "An entry has no name, an absolute one, or one with `..` or controls in it.",
  },
});

/** Codes of `zipErrors`. */
export type ZipCode = keyof typeof zipErrors.rows;
