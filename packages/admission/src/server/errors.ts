import { defineErrors } from "@touchmark/core";

/** Error codes of the admission server: of requests before they are read, and of the server itself. */
export const serverErrors = defineErrors({
  ADMISSION_PATH_UNKNOWN: { nature: "invalid", meaning: "The admission service has nothing at a request's path." },
  ADMISSION_METHOD_UNSUPPORTED: { nature: "invalid", meaning: "A path of the admission service has another method." },
  ADMISSION_CONTENT_TYPE: {
    nature: "invalid",
    meaning: "A request's body is not announced as application/json in UTF-8, or is compressed.",
  },
  ADMISSION_TOO_LARGE: { nature: "invalid", meaning: "A request's body is larger than the admission service reads." },
  ADMISSION_BODY_BROKEN: { nature: "invalid", meaning: "A request's body ended before it was whole." },
  ADMISSION_BODY_SLOW: { nature: "invalid", meaning: "A request's body took too long." },
  ADMISSION_REQUEST_MALFORMED: {
    nature: "invalid",
    meaning: "A request is not HTTP/1.1, is ambiguous about its length, or its header is too large or too slow.",
  },
  ADMISSION_TIMEOUT_INVALID: {
    nature: "invalid",
    meaning: "The timeout that a request states is no duration such as 10s.",
  },
  ADMISSION_QUESTION_MALFORMED: {
    nature: "invalid",
    meaning: "A question to the verdict API is no JSON, has an unknown member, or one of a wrong type.",
    hint: 'Send {"references": ["HOST/NAME@sha256:…"]}, with namespace, environment, dryRun where they matter.',
  },
  ADMISSION_BUSY: {
    nature: "unavailable",
    meaning: "As many questions are under way as the admission service takes at once.",
    hint: "Ask again; run more than one replica.",
  },
  ADMISSION_NOT_READY: {
    nature: "unavailable",
    meaning: "The admission service has not yet admitted its own and the factory's components, so it answers nobody.",
    hint: "Look at /readyz: it says which component is denied, and why.",
  },
  ADMISSION_CALLER_UNKNOWN: {
    nature: "refused",
    meaning:
      "The admission service answers only callers with a certificate of an authority that it was told, and found none.",
  },
  ADMISSION_LISTEN_FAILED: {
    nature: "unavailable",
    meaning: "The admission service cannot listen at the address, or with the certificate and key that it was given.",
  },
  ADMISSION_CERTIFICATE_UNREADABLE: {
    nature: "invalid",
    meaning: "A file with a certificate or key for TLS cannot be read, or everybody can read the key.",
    hint: "Let only the service's user read the key: chmod 600.",
  },
});
