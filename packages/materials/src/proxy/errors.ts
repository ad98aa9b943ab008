import { defineErrors } from "@touchmark/core";

/** Error codes of the proxy of one fetch step. */
export const proxyErrors = defineErrors({
  PROXY_SOCKET_UNSAFE: {
    nature: "refused",
    meaning: "The place for the proxy's socket is too long a path, or a directory that others can write or enter.",
  },
  PROXY_REQUEST_MALFORMED: { nature: "invalid", meaning: "Bytes of a client are no HTTP request." },
  PROXY_HEADERS_TOO_LARGE: {
    nature: "invalid",
    meaning: "The headers of a request are larger than 64 KiB, or more than 200.",
  },
  PROXY_HEADER_MALFORMED: {
    nature: "invalid",
    meaning: "A header of a request is folded, or has a name or value with bytes that none may have.",
  },
  PROXY_FRAMING_AMBIGUOUS: {
    nature: "refused",
    meaning:
      "Content-Length and Transfer-Encoding of a request contradict each other or themselves: two readers could see two requests.",
  },
  PROXY_TARGET_MALFORMED: {
    nature: "invalid",
    meaning: "The target of a request is no absolute address in a proxy request, or no path inside a tunnel.",
  },
  PROXY_TARGET_AMBIGUOUS: {
    nature: "refused",
    meaning: "The target of a request can be read as two addresses: dot segments, backslashes, control or other bytes.",
  },
  PROXY_TARGET_SCHEME: { nature: "refused", meaning: "The scheme of a request's target is neither http nor https." },
  PROXY_TARGET_USER: {
    nature: "refused",
    meaning: "The target of a request carries a user name or password.",
    hint: "Put the credential into the materials configuration; the step must not have it.",
  },
  PROXY_HOST_MALFORMED: {
    nature: "invalid",
    meaning: "A host is no DNS name, no dotted IPv4 address and no bracketed IPv6 address, or its port is none.",
  },
  PROXY_HOST_MISMATCH: {
    nature: "refused",
    meaning: "The Host header is missing or doubled, or names another host than the target or the tunnel.",
  },
  PROXY_METHOD_REFUSED: { nature: "refused", meaning: "The method of a request is none of GET, HEAD and POST." },
  PROXY_TUNNEL_NESTED: { nature: "refused", meaning: "A tunnel was asked for inside a tunnel." },
  PROXY_TUNNEL_NOT_TLS: {
    nature: "refused",
    meaning: "What a client sends through a tunnel is no TLS, or its handshake failed or took too long.",
    hint: "Does the client trust the step's authority? Its settings are under /run/touchmark/materials.",
  },
  PROXY_SNI_MISMATCH: {
    nature: "refused",
    meaning: "The server name in a TLS handshake is missing, or another than the tunnel's host.",
  },
  PROXY_UPGRADE_REFUSED: {
    nature: "refused",
    meaning: "A client asked to change the protocol, for example to WebSocket.",
  },
  PROXY_EXPECTATION_UNKNOWN: { nature: "invalid", meaning: "A request expects something else than 100-continue." },
  PROXY_BODY_UNEXPECTED: { nature: "invalid", meaning: "A GET or HEAD request has a body." },
  PROXY_BODY_TOO_LARGE: { nature: "refused", meaning: "The body of a POST is larger than 8 MiB." },
  PROXY_CLIENT_SLOW: { nature: "invalid", meaning: "A client took too long to send its headers or its body." },
  PROXY_PIPELINE_LIMIT: {
    nature: "refused",
    meaning: "A client sent more requests on one connection than it may without reading answers.",
  },
  PROXY_BUSY: {
    nature: "unavailable",
    meaning: "More connections or requests are open than the proxy serves at once.",
  },
  PROXY_CLOSED: { nature: "unavailable", meaning: "The proxy is ending, or the step is over." },
  PROXY_HTTP2_ABUSE: {
    nature: "refused",
    meaning: "A client broke the protocol or the limits of HTTP/2: resets, streams, settings, continuations.",
  },
  PROXY_RANGE_UNSATISFIABLE: { nature: "invalid", meaning: "A requested range lies outside the body." },
  PROXY_DOOR_FAILED: { nature: "bug", meaning: "The session's decision failed by a defect. Nothing was let in." },
  PROXY_ANSWER_UNREADABLE: {
    nature: "bug",
    meaning: "The file of an answer is missing, shorter than its size, or another than what was already sent.",
  },
  PROXY_UPSTREAM_UNREACHABLE: {
    nature: "unavailable",
    meaning: "An upstream's name does not resolve, or no connection to it comes about.",
  },
  PROXY_UPSTREAM_PRIVATE: {
    nature: "refused",
    meaning: "A host that no configuration names resolves to a private, loopback, link-local or reserved address.",
  },
  PROXY_UPSTREAM_TLS: {
    nature: "refused",
    meaning: "An upstream's certificate is expired, unknown, of another host, or its TLS is broken.",
    hint: "An authority of your own belongs into NODE_EXTRA_CA_CERTS or SSL_CERT_FILE of the control plane.",
  },
  PROXY_UPSTREAM_PROTOCOL: { nature: "invalid", meaning: "An upstream's answer is no HTTP that fits the question." },
  PROXY_UPSTREAM_HEADERS: {
    nature: "invalid",
    meaning: "The headers of an upstream's answer are larger than 64 KiB, or more than 256.",
  },
  PROXY_UPSTREAM_LENGTH: {
    nature: "invalid",
    meaning: "An upstream's body is longer than its Content-Length, or another length than a resumed answer promised.",
  },
  PROXY_UPSTREAM_TRUNCATED: {
    nature: "unavailable",
    meaning: "An upstream's body ended early, again and again.",
  },
  PROXY_UPSTREAM_CHANGED: {
    nature: "unavailable",
    meaning: "Asked again after a broken connection, an upstream began another body.",
  },
  PROXY_UPSTREAM_SLOW: {
    nature: "unavailable",
    meaning: "An upstream took longer to answer, between two pieces, or in total than the settings allow.",
  },
  PROXY_UPSTREAM_BUSY: {
    nature: "unavailable",
    meaning: "An upstream kept answering 429 or 502 to 504, or asked for a longer wait than the settings allow.",
  },
  PROXY_ENCODING_UNKNOWN: {
    nature: "invalid",
    meaning: "An upstream's content coding is none of gzip, br, zstd, deflate, more than one, or broken.",
  },
  PROXY_ANSWER_TOO_LARGE: { nature: "refused", meaning: "An upstream's body is larger than the door allows." },
  PROXY_DECOMPRESSION_BOMB: {
    nature: "refused",
    meaning: "A compressed answer unpacks to more than the door allows, or to more than a thousand times its size.",
  },
  PROXY_REDIRECT_MALFORMED: {
    nature: "invalid",
    meaning: "A redirect names no usable address, or would change a POST into something else.",
  },
  PROXY_REDIRECT_LOOP: { nature: "invalid", meaning: "Redirects lead back to an address already asked." },
  PROXY_REDIRECT_LIMIT: { nature: "invalid", meaning: "More than ten redirects follow each other." },
  PROXY_REDIRECT_REFUSED: {
    nature: "refused",
    meaning: "A small file that the control plane asked for is said to be at another host.",
  },
  PROXY_REDIRECT_DOWNGRADE: { nature: "refused", meaning: "A redirect leads from https to http." },
  PROXY_SETTINGS_INVALID: {
    nature: "invalid",
    meaning: "The user's proxy variables or authority files cannot be used.",
  },
});
