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
  MIRROR_LEASE_BUSY: {
    nature: "unavailable",
    meaning: "Another process downloads the same file for longer than the caller wants to wait.",
  },
});
