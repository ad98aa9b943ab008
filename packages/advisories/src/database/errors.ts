import { defineErrors } from "@touchmark/core";

/** Error codes of the compiled advisory database. */
export const advisoryDatabaseErrors = defineErrors({
  ADVISORY_DATABASE_MISSING: {
    nature: "invalid",
    meaning: "There is no compiled advisory database, or none of the digest that was asked for.",
    hint: "touchmark advisories update, or import, makes one.",
  },
  ADVISORY_DATABASE_MALFORMED: {
    nature: "invalid",
    meaning: "A file is no whole compiled advisory database of this version.",
    hint: "Compile it again: touchmark advisories update --again.",
  },
  ADVISORY_DATABASE_DIGEST: {
    nature: "refused",
    meaning: "A compiled advisory database has other bytes than its digest says.",
    hint: "Somebody, or the disk, changed it. Compile it again: touchmark advisories update --again.",
  },
  ADVISORY_DATABASE_ROLLBACK: {
    nature: "refused",
    meaning: "A compiled advisory database is older than the one in use.",
    hint: "If going back is wanted: --allow-rollback.",
  },
  ADVISORY_FEED_ROLLBACK: {
    nature: "refused",
    meaning: "A source of advisories is older than what was last read of it.",
    hint: "Somebody may be replaying an old feed. If going back is wanted: --allow-rollback.",
  },
  ADVISORY_FEED_SHRUNK: {
    nature: "refused",
    meaning: "A source of advisories lost more than half of its records since it was last read.",
    hint: "It may be truncated. If that is right: --allow-rollback.",
  },
  ADVISORY_DATA_STALE: {
    nature: "refused",
    meaning: "A source of advisories is older than its configuration allows.",
    hint: "touchmark advisories update brings it up to date; maximum-age in advisories.yaml is the limit.",
  },
});
