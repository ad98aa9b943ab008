import { defineErrors } from "@touchmark/core";

/** Error codes of the observer. An incomplete trace is a result, not an error: see `losses.ts`. */
export const observerErrors = defineErrors({
  OBSERVER_UNAVAILABLE: {
    nature: "unavailable",
    meaning: "The tracer is missing on this host, too old, or not allowed to trace.",
    hint: "Install strace 6.0 or newer (apt-get install strace), and see that ptrace is allowed here.",
  },
  OBSERVER_MISUSED: {
    nature: "bug",
    meaning: "One observer was used for two steps, or asked for its observation before a step was started.",
  },
  DIGEST_CACHE_POISONED: {
    nature: "refused",
    meaning: "The cache of file digests was altered by someone else, or a cached digest is not that of the file.",
    hint: "Find out who can write to the factory's home; then remove the cache, which is rebuilt.",
  },
});
