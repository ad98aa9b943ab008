import { defineErrors } from "@touchmark/core";

/** Error codes of the registry's server: of requests, before a backend is asked. */
export const registryServerErrors = defineErrors({
  REGISTRY_PATH_UNKNOWN: { nature: "invalid", meaning: "A request's path is none of distribution-spec 1.1." },
  REGISTRY_METHOD_UNSUPPORTED: { nature: "invalid", meaning: "A path does not have the request's method." },
  REGISTRY_QUERY_INVALID: {
    nature: "invalid",
    meaning:
      "A parameter of a request's query is given twice, or is no number, tag, digest or media type as asked for.",
  },
  REGISTRY_DIGEST_REQUIRED: { nature: "invalid", meaning: "An upload is closed without the digest of its content." },
  REGISTRY_BLOB_UNKNOWN: { nature: "invalid", meaning: "The repository does not have this blob." },
  REGISTRY_MANIFEST_UNKNOWN: { nature: "invalid", meaning: "The repository does not have this manifest or tag." },
  REGISTRY_REPOSITORY_UNKNOWN: { nature: "invalid", meaning: "There is nothing of this repository." },
  REGISTRY_SIZE_MISMATCH: {
    nature: "invalid",
    meaning:
      "A descriptor of a manifest states another size than the content has, or a body another than it came with.",
  },
  REGISTRY_CONTENT_RANGE_INVALID: {
    nature: "invalid",
    meaning: "The Content-Range of a chunk is not FIRST-LAST, or spans another number of bytes than the chunk has.",
  },
  REGISTRY_BODY_SLOW: {
    nature: "invalid",
    meaning: "A request's body stood still for too long, or a manifest took too long altogether; a reader stood still.",
  },
  REGISTRY_BODY_BROKEN: { nature: "invalid", meaning: "A request's body ended before it was whole." },
  REGISTRY_UPLOADS_TOO_MANY: {
    nature: "unavailable",
    meaning: "A caller has more open uploads than the registry lets it have.",
    hint: "Close or cancel uploads; abandoned ones are forgotten after a while.",
  },
  REGISTRY_DENIED: { nature: "refused", meaning: "The caller is known, and may not do this in this repository." },
  REGISTRY_UNAUTHORIZED: { nature: "refused", meaning: "The request has no credential, or a wrong one." },
  REGISTRY_REQUEST_MALFORMED: {
    nature: "invalid",
    meaning: "A request is not HTTP/1.1, is ambiguous about its length, or its header is too large or too slow.",
  },
  REGISTRY_LISTEN_FAILED: {
    nature: "invalid",
    meaning: "The registry cannot listen at the address or socket, or use the certificate.",
  },
  REGISTRY_INTERNAL: { nature: "bug", meaning: "Something failed in the registry that it did not expect." },
});
