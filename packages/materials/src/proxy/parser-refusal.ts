import type { FactoryError } from "@touchmark/core";
import { proxyErrors } from "./errors.ts";

type ProxyCode = Parameters<typeof proxyErrors.make>[0];

/** What Node's parser refuses, in the codes of this package; every other parser error is PROXY_REQUEST_MALFORMED. */
const codes: Readonly<Record<string, ProxyCode>> = {
  HPE_HEADER_OVERFLOW: "PROXY_HEADERS_TOO_LARGE",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "PROXY_FRAMING_AMBIGUOUS",
  HPE_UNEXPECTED_CONTENT_LENGTH: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_CONTENT_LENGTH: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_TRANSFER_ENCODING: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_CHUNK_SIZE: "PROXY_FRAMING_AMBIGUOUS",
  HPE_STRICT: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_HEADER_TOKEN: "PROXY_HEADER_MALFORMED",
  HPE_UNEXPECTED_SPACE: "PROXY_HEADER_MALFORMED",
  HPE_LF_EXPECTED: "PROXY_HEADER_MALFORMED",
  HPE_CR_EXPECTED: "PROXY_HEADER_MALFORMED",
  HPE_INVALID_URL: "PROXY_TARGET_AMBIGUOUS",
  HPE_CLOSED_CONNECTION: "PROXY_PIPELINE_LIMIT",
  ERR_HTTP_REQUEST_TIMEOUT: "PROXY_CLIENT_SLOW",
};

/** The refusal of bytes that Node's parser found to be no request. */
export function parserRefusal(error: Error & { readonly code?: string }): FactoryError {
  return proxyErrors.make(
    codes[error.code ?? ""] ?? "PROXY_REQUEST_MALFORMED",
    `expected an HTTP request, found ${error.code ?? "none"}: ${error.message.slice(0, 200)}`,
  );
}
