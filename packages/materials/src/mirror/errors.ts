import { defineErrors } from "@touchmark/core";

/** Error codes of the mirror. */
export const mirrorErrors = defineErrors({
  MIRROR_DIRECTORY_UNSAFE: {
    nature: "refused",
    meaning: "A directory of the mirror is a link, no directory, or can be written by others.",
    hint: "Find out who put it there; then delete the link, or chmod go-w the directory.",
  },
  MIRROR_RECORD_INVALID: {
    nature: "refused",
    meaning: "A record to be kept is not well formed, or does not have the key of its own request.",
  },
  MIRROR_RECORD_CORRUPT: {
    nature: "refused",
    meaning: "A document of the mirror is not what this program wrote; it was moved aside and is not served.",
    hint: "Fetch again while online; the damaged file is in the mirror's quarantine.",
  },
  MIRROR_LEDGER_CORRUPT: {
    nature: "refused",
    meaning: "The list of bytes ever seen under a package's file name is damaged: nothing is let in under that name.",
    hint: "Restore it from a backup, or run `touchmark materials verify --repair` to make it again from the records.",
  },
  MIRROR_LEDGER_FULL: {
    nature: "refused",
    meaning: "A file name of a package came with more different bytes than the ledger holds for one name.",
    hint: "A registry that answers differently every time is broken or hostile.",
  },
  MIRROR_BODY_MISSING: {
    nature: "unavailable",
    meaning: "The mirror holds the record of a response, and its body no more.",
    hint: "Fetch again while online, or import the body from an archive.",
  },
  MIRROR_BODY_CORRUPT: {
    nature: "refused",
    meaning: "A body of the mirror no longer has the bytes of its digest; it was quarantined and is not served.",
    hint: "Fetch again while online, or import the body from an archive.",
  },
  MIRROR_BODY_MISMATCH: {
    nature: "refused",
    meaning: "A body to be kept does not have the size or a digest that its record says.",
  },
  MIRROR_EXPORT_EXISTS: { nature: "invalid", meaning: "The file to export to exists already." },
  MIRROR_EXPORT_EMPTY: {
    nature: "invalid",
    meaning: "Nothing in the mirror is what was asked for.",
    hint: "touchmark materials list shows what there is",
  },
  MIRROR_ARCHIVE_MALFORMED: {
    nature: "invalid",
    meaning: "A file to import is not the plain archive that an export writes, or is cut short.",
  },
  MIRROR_ARCHIVE_PATH: {
    nature: "refused",
    meaning: "An archive to import holds a member that has no place in it: a path elsewhere, a link, an unknown name.",
  },
  MIRROR_ARCHIVE_DUPLICATE: { nature: "refused", meaning: "An archive to import holds a member or a record twice." },
  MIRROR_ARCHIVE_SIZE: {
    nature: "refused",
    meaning: "A member of an archive to import has another size than its record says, or is larger than the limit.",
  },
  MIRROR_ARCHIVE_UNNAMED: { nature: "refused", meaning: "An archive to import holds a body that no record names." },
  MIRROR_ARCHIVE_INCOMPLETE: { nature: "refused", meaning: "An archive to import lacks a body that a record names." },
  MIRROR_ARCHIVE_MISMATCH: {
    nature: "refused",
    meaning:
      "A body in an archive to import does not have a digest that its record says, or one that cannot be checked.",
  },
  MIRROR_ARCHIVE_RECORD: {
    nature: "refused",
    meaning: "A record in an archive to import contradicts itself: its package URL, its time or its key.",
  },
  MIRROR_IMPORT_CONFLICT: {
    nature: "refused",
    meaning: "An archive to import has other bytes for a file name that this mirror has seen before.",
    hint: "Both are in the mirror's quarantine. Find out which one the publisher meant before anybody uses either.",
  },
  MIRROR_LEASE_BUSY: {
    nature: "unavailable",
    meaning: "Another process downloads the same file for longer than the caller wants to wait.",
  },
});
