import { defineErrors } from "@touchmark/core";

/** Error codes of reconciliation: differences that fail a run. */
export const reconcileErrors = defineErrors({
  RECONCILE_NOT_LOCKED: {
    nature: "refused",
    meaning: "A package was fetched, or asked for, that no lockfile and no pipeline names.",
    hint: "update the lockfile, or allow packages without one for its ecosystem in the user's configuration",
  },
  RECONCILE_DIGEST_DIFFERS: {
    nature: "refused",
    meaning: "A package has other bytes than its lockfile says.",
  },
  RECONCILE_DIGEST_UNCHECKED: {
    nature: "refused",
    meaning: "A lockfile gives digests of a package, and none of them was compared with the bytes that came.",
  },
  RECONCILE_BYTES_CHANGED: {
    nature: "refused",
    meaning: "One name, version and file name has had two contents.",
    hint: "ask the repository's owner which one is right; both are kept in the mirror",
  },
  RECONCILE_LOCKFILES_DISAGREE: {
    nature: "refused",
    meaning: "Two lockfiles of one step give one package two digests.",
    hint: "make them anew with the same client",
  },
  RECONCILE_REFUSED: {
    nature: "refused",
    meaning: "A difference was found that the user's rules refuse.",
  },
});
