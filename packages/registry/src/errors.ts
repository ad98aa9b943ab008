import { defineErrors } from "@touchmark/core";

/** Error codes that server and backends share. */
export const registryErrors = defineErrors({
  REGISTRY_UPLOAD_UNKNOWN: {
    nature: "invalid",
    meaning: "There is no such upload in this repository: never begun, ended, cancelled, or abandoned for too long.",
  },
  REGISTRY_UPLOAD_BUSY: { nature: "invalid", meaning: "Another request is writing to the same upload." },
  REGISTRY_RANGE_INVALID: {
    nature: "invalid",
    meaning: "A chunk of an upload does not begin where the upload stands, or a range asks for what is not there.",
  },
  REGISTRY_DIGEST_MISMATCH: {
    nature: "refused",
    meaning: "Content does not have the digest that it was announced with; nothing of it is kept.",
  },
  REGISTRY_TOO_LARGE: { nature: "invalid", meaning: "Content is larger than the registry accepts." },
  REGISTRY_TAG_IMMUTABLE: {
    nature: "refused",
    meaning: "The tag is there, with another digest, and its repository does not let tags move.",
    hint: "Push under another tag.",
  },
  REGISTRY_CONTENT_MISSING: {
    nature: "invalid",
    meaning: "A repository of this factory does not have what was asked for.",
    hint: "`touchmark registry list` shows what is there.",
  },
  REGISTRY_REFERENCE_MISSING: {
    nature: "invalid",
    meaning: "A manifest needs content that its repository does not have.",
  },
  REGISTRY_CONTENT_CORRUPT: {
    nature: "unavailable",
    meaning: "Stored content no longer has its digest; it is not given out.",
    hint: "Run `touchmark registry fsck`, and push the content again.",
  },
});
