import { type FactoryError, isFactoryError } from "@touchmark/core";
import { proxyErrors } from "./errors.ts";

/** A failure that may pass when asked again; holds the error to raise when it does not. */
export class Transient extends Error {
  readonly failure: FactoryError;
  /** Milliseconds that upstream asked to wait. */
  readonly afterMs: number | undefined;

  constructor(failure: FactoryError, afterMs?: number) {
    super(failure.message);
    this.failure = failure;
    this.afterMs = afterMs;
  }
}

const passing = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ECONNABORTED",
]);

/** The error of a question, in the words of this package. */
export function failureOf(error: unknown, url: URL, reused = false): Error {
  if (error instanceof Transient || isFactoryError(error)) return error;
  const { code = "", message } = error as Error & { code?: string };
  const host = url.host;
  if (code === "ABORT_ERR") return proxyErrors.make("PROXY_CLOSED", "expected the answer to be awaited, found nobody");
  if (code === "HPE_HEADER_OVERFLOW") {
    return proxyErrors.make("PROXY_UPSTREAM_HEADERS", `expected headers of at most 64 KiB from ${host}, found more`);
  }
  if (code.startsWith("HPE_")) {
    return proxyErrors.make("PROXY_UPSTREAM_PROTOCOL", `expected HTTP from ${host}, found ${code}: ${message}`);
  }
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER|CRL|EPROTO|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH/.test(code)) {
    return proxyErrors.make(
      "PROXY_UPSTREAM_TLS",
      `expected a trusted certificate of ${host}, found ${code}: ${message}`,
    );
  }
  const unreachable = proxyErrors.make(
    "PROXY_UPSTREAM_UNREACHABLE",
    `expected a connection to ${host}, found ${code || message}`,
    {
      cause: error,
    },
  );
  if (!passing.has(code)) return unreachable;
  // A kept connection that upstream closed in the meantime: it saw nothing of the question, which may be a POST.
  return reused ? new Transient(unreachable, 0) : new Transient(unreachable);
}
