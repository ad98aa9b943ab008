import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { serverErrors } from "./errors.ts";

/** Bytes of a refused body that are read away, so that its sender hears why instead of finding the connection reset. */
const toleratedBytes = 16 * 2 ** 20;
const toleratedMs = 5000;

/** Sends a whole answer. */
export function send(response: ServerResponse, status: number, type: string, body: Buffer | string): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": bytes.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(bytes);
}

/** Reads away what is left of a refused request, and ends the connection when that is too much or too slow. */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  const end = (): void => void request.socket.destroy();
  const timer = setTimeout(end, toleratedMs);
  request.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > toleratedBytes) end();
  });
  request.on("close", () => clearTimeout(timer));
  request.resume();
}

/**
 * Who asks: the first name in the client's certificate, or `anonymous` where none is demanded.
 * @throws ADMISSION_CALLER_UNKNOWN
 */
export function callerOf(request: IncomingMessage, isDemanded: boolean): string {
  const { socket } = request;
  if (socket instanceof TLSSocket && socket.authorized) {
    const { subject, subjectaltname } = socket.getPeerCertificate();
    const uri = /(?:^|, )URI:([^",]{1,2048})/.exec(subjectaltname ?? "")?.[1];
    const name: unknown = uri ?? subject?.CN;
    if (typeof name === "string" && name !== "") return name;
  }
  if (!isDemanded) return "anonymous";
  throw serverErrors.make("ADMISSION_CALLER_UNKNOWN", "expected a client certificate of a known authority, found none");
}

/** A signal that is aborted when the caller leaves before the answer was sent. */
export function leaving(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
