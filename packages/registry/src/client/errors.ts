import { defineErrors } from "@touchmark/core";

/** Error codes of the client, of copying, and of the search for evidence (SPEC C). */
export const clientErrors = defineErrors({
  OCI_CLIENT_SETTINGS_INVALID: {
    nature: "invalid",
    meaning: "A setting of the registry client (proxy, mirror, authorities, plain-HTTP host) cannot be read.",
  },
  OCI_CLIENT_CONFIG_MALFORMED: {
    nature: "invalid",
    meaning: "A file of registry credentials (config.json, auth.json) is not what clients write there.",
  },
  OCI_CLIENT_HELPER_NAME: {
    nature: "invalid",
    meaning: "A credential helper has a name that no program of that kind has.",
  },
  OCI_CLIENT_HELPER_FAILED: {
    nature: "unavailable",
    meaning: "A credential helper is absent, failed, took too long, or answered something else than credentials.",
  },
  OCI_CLIENT_UNREACHABLE: { nature: "unavailable", meaning: "A registry or its token service cannot be reached." },
  OCI_CLIENT_SLOW: { nature: "unavailable", meaning: "A registry did not go on within the time limit." },
  OCI_CLIENT_TLS: {
    nature: "refused",
    meaning: "A registry's certificate is not trusted, or is another host's.",
    hint: "Name the authority's PEM file in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE.",
  },
  OCI_CLIENT_PROTOCOL: {
    nature: "unavailable",
    meaning: "An answer is not HTTP, has too many headers, or is packed although nobody asked.",
  },
  OCI_CLIENT_STATUS: { nature: "unavailable", meaning: "A registry answered with a status that has no place there." },
  OCI_CLIENT_SERVER_FAILED: {
    nature: "unavailable",
    meaning: "A registry failed (5xx) or asked to wait (429), again and again.",
  },
  OCI_CLIENT_NOT_FOUND: { nature: "invalid", meaning: "A registry does not have what was asked for." },
  OCI_CLIENT_REJECTED: { nature: "refused", meaning: "A registry does not take what was sent to it." },
  OCI_CLIENT_UNAUTHORIZED: {
    nature: "refused",
    meaning: "A registry wants credentials, or other ones.",
    hint: "Log in with any client (`skopeo login`, `docker login`): its configuration is read.",
  },
  OCI_CLIENT_DENIED: { nature: "refused", meaning: "A registry knows the caller, and does not allow it (403)." },
  OCI_CLIENT_CHALLENGE_MALFORMED: {
    nature: "refused",
    meaning: "The WWW-Authenticate header of a registry cannot be read, or names no scheme that is spoken here.",
  },
  OCI_CLIENT_REALM_REFUSED: {
    nature: "refused",
    meaning: "A registry sends to a token service that is less protected than itself, or no web address.",
  },
  OCI_CLIENT_TOKEN_MALFORMED: { nature: "refused", meaning: "A token service's answer holds no token." },
  OCI_CLIENT_REDIRECT_MALFORMED: { nature: "refused", meaning: "A redirect leads to no web address." },
  OCI_CLIENT_REDIRECT_DOWNGRADE: { nature: "refused", meaning: "A redirect leads from https to http." },
  OCI_CLIENT_REDIRECT_LIMIT: { nature: "refused", meaning: "More redirects than five, or in a circle." },
  OCI_CLIENT_REDIRECT_METHOD: {
    nature: "refused",
    meaning: "A redirect answers a request that changes something; content and credentials stay with who was asked.",
  },
  OCI_CLIENT_PRIVATE_ADDRESS: {
    nature: "refused",
    meaning: "A registry of the public network sends to an address of a private one.",
  },
  OCI_CLIENT_TOO_LARGE: { nature: "refused", meaning: "A manifest, list or token is larger than the client reads." },
  OCI_CLIENT_DIGEST_MISMATCH: {
    nature: "refused",
    meaning: "A registry's content, or what it says of content that it took, does not have the digest asked for.",
  },
  OCI_CLIENT_SIZE_WRONG: { nature: "refused", meaning: "Content is longer or shorter than its descriptor says." },
  OCI_CLIENT_RANGE_WRONG: {
    nature: "refused",
    meaning: "A registry answers a range with another one, or says to hold a part of an upload that was never sent.",
  },
  OCI_CLIENT_TRUNCATED: { nature: "unavailable", meaning: "A transfer broke off too often." },
  OCI_CLIENT_LIST_MALFORMED: {
    nature: "refused",
    meaning: "A list of tags or referrers, or its Link, cannot be read.",
  },
  OCI_CLIENT_LIST_TOO_LONG: { nature: "refused", meaning: "A list has more pages or entries than the client reads." },
  OCI_CLIENT_UPLOAD_LOCATION: {
    nature: "refused",
    meaning: "A registry wants an upload at no address, or at another host's.",
  },
  OCI_CLIENT_FALLBACK_CONTENDED: {
    nature: "unavailable",
    meaning: "The tag that lists referrers was overwritten by others at every attempt.",
    hint: "Push again; what is there already is not sent twice.",
  },
});

/** Error codes of copying, promoting and publishing (SPEC C). */
export const transferErrors = defineErrors({
  OCI_TRANSFER_LIMIT: {
    nature: "refused",
    meaning: "An image, with its referrers, has more manifests or deeper ones than is copied at once.",
  },
  OCI_TRANSFER_NOTHING: { nature: "invalid", meaning: "Neither an image nor a file was named to be published." },
  OCI_TRANSFER_NO_REFERRER: {
    nature: "refused",
    meaning: "What a registry lists as a referrer refers to something else, or is no single manifest.",
  },
  OCI_TRANSFER_TARGET_DIFFERS: {
    nature: "refused",
    meaning: "What was copied reads differently at the target.",
  },
  OCI_TRANSFER_SOURCE_CHANGED: {
    nature: "unavailable",
    meaning: "The content to be sent is longer or shorter than announced.",
  },
});
