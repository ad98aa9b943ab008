import { defineErrors } from "@touchmark/core";

/** Error codes of reading lockfiles. A lockfile comes from the revision under build: what is wrong in it is refused. */
export const lockfileErrors = defineErrors({
  LOCKFILE_UNKNOWN: {
    nature: "invalid",
    meaning: "A file's name and content are those of no lockfile that this release reads.",
  },
  LOCKFILE_MALFORMED: { nature: "refused", meaning: "A lockfile breaks the syntax or the shape of its format." },
  LOCKFILE_VERSION: {
    nature: "refused",
    meaning: "A lockfile has a version of its format that this release does not read.",
    hint: "Write the lockfile again with a current release of its client.",
  },
  LOCKFILE_TOO_LARGE: {
    nature: "refused",
    meaning:
      "A lockfile is larger than its format's limit (64 MiB; TOML 16, YAML 8), or locks more than 200,000 packages.",
  },
  LOCKFILE_TOO_DEEP: { nature: "refused", meaning: "A lockfile is nested deeper than any client writes it." },
  LOCKFILE_SYNTAX_FORBIDDEN: {
    nature: "refused",
    meaning: "A lockfile uses an anchor, alias, tag, directive, entity or document type, which no client writes.",
  },
  LOCKFILE_NAME: {
    nature: "refused",
    meaning: "A package has a name or version that no registry of its ecosystem allows.",
  },
  LOCKFILE_UNPINNED: {
    nature: "refused",
    meaning: "A requirement names no one exact version.",
    hint: "Pin it with `==`, as pip-compile, uv export and pip lock do.",
  },
  LOCKFILE_PATH: {
    nature: "refused",
    meaning: "A local package lies at an absolute path, or at one with empty, `.`, `..` or hostile segments inside.",
  },
  LOCKFILE_ADDRESS: {
    nature: "refused",
    meaning: "An address is no URL of a known scheme, holds credentials, or names no exact commit.",
  },
  LOCKFILE_DIGEST: { nature: "refused", meaning: "A digest is malformed, or of an algorithm that is not known." },
  LOCKFILE_DIGEST_MISSING: {
    nature: "refused",
    meaning: "A lockfile names a package that will be fetched, and no digest for it.",
    hint: "Lock again with a client that writes digests.",
  },
  LOCKFILE_DUPLICATE: {
    nature: "refused",
    meaning: "A lockfile has one key twice, or one file of a package with different digests.",
  },
  LOCKFILE_EDGE: {
    nature: "refused",
    meaning: "A package depends on one that its lockfile does not have, or that it names ambiguously.",
    hint: "The lockfile was edited by hand or merged badly: lock again.",
  },
  LOCKFILE_INCLUDE: {
    nature: "refused",
    meaning: "A requirements file includes one that cannot be had, that includes it again, or too many.",
  },
});

/** Codes of `lockfileErrors`. */
export type LockfileCode = keyof typeof lockfileErrors.rows;
