import type { IncomingMessage } from "node:http";

const waitingRequests = new WeakSet<IncomingMessage>();

/** Notes that a client waits for `100 Continue` before it sends its body (RFC 9110 section 10.1.1). */
export function markWaiting(request: IncomingMessage): void {
  waitingRequests.add(request);
}

export function isWaiting(request: IncomingMessage): boolean {
  return waitingRequests.has(request);
}

/** Bytes of a refused body that are read, so that the client hears why instead of finding the connection reset. */
const toleratedBytes = 64 * 2 ** 20;
const toleratedMs = 10_000;

/** Reads away what is left of a refused request, and ends the connection when that is too much. */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  const end = (): void => void request.socket.destroy();
  const timer = setTimeout(end, toleratedMs);
  request.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > toleratedBytes) end();
  });
  const stop = (): void => clearTimeout(timer);
  request.on("end", stop).on("close", stop);
  request.resume();
}
