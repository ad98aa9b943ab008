import type { IncomingMessage } from "node:http";
import { registryErrors } from "../errors.ts";
import { registryServerErrors } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** Bytes that may wait for a backend before the network is told to stop. */
const waitingBytes = 1024 * 1024;

/** Length that a request announces; undefined when it comes in chunks. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const { headers } = request;
  if (headers["transfer-encoding"] !== undefined) return undefined;
  // The parser lets nothing but digits pass; no header and no transfer coding mean no body (RFC 9112, section 6.3).
  return headers["content-length"] === undefined ? 0 : Number(headers["content-length"]);
}

/** Refuses a body before any of it is read. @throws REGISTRY_TOO_LARGE */
export function refuseAnnounced(request: IncomingMessage, maxBytes: number): void {
  const length = announcedLength(request);
  if (length !== undefined && length > maxBytes) {
    throw registryErrors.make("REGISTRY_TOO_LARGE", `expected at most ${maxBytes} bytes, found ${length} announced`);
  }
}

/**
 * The body of a request, in the chunks of the network. When it ends early or stands still, iteration throws; what came
 * before was given out. The connection is left open, so that the refusal can still be said.
 * @throws REGISTRY_BODY_BROKEN | REGISTRY_BODY_SLOW
 */
export async function* bodyOf(exchange: Exchange): AsyncGenerator<Uint8Array, void, undefined> {
  const { request, response, caller, service } = exchange;
  if (announcedLength(request) === 0) return;
  if (exchange.waits) response.writeContinue();
  const arrivals = new Arrivals(request, service.limits.idleSeconds);
  try {
    for (;;) {
      const chunks = await arrivals.next();
      if (chunks === undefined) return;
      for (const chunk of chunks) {
        exchange.bytes += chunk.length;
        yield chunk;
        const pause = caller.pace?.(chunk.length);
        if (pause !== undefined) await pause;
      }
    }
  } finally {
    arrivals.stop();
  }
}

/** The whole body, bounded in bytes and time. @throws REGISTRY_TOO_LARGE | REGISTRY_BODY_BROKEN | REGISTRY_BODY_SLOW */
export async function wholeBody(exchange: Exchange, maxBytes: number): Promise<Uint8Array> {
  refuseAnnounced(exchange.request, maxBytes);
  const seconds = exchange.service.limits.manifestSeconds;
  const until = performance.now() + seconds * 1000;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyOf(exchange)) {
    size += chunk.length;
    if (size > maxBytes) {
      throw registryErrors.make("REGISTRY_TOO_LARGE", `expected at most ${maxBytes} bytes, found more`);
    }
    if (performance.now() > until) throw slow(seconds);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function slow(seconds: number): Error {
  return registryServerErrors.make("REGISTRY_BODY_SLOW", `expected more of the body within ${seconds} s`);
}

/** What comes from the network, held back while nobody takes it. */
class Arrivals {
  readonly #request: IncomingMessage;
  readonly #timer: NodeJS.Timeout;
  #queue: Uint8Array[] = [];
  #bytes = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage, idleSeconds: number) {
    this.#request = request;
    this.#timer = setTimeout(() => {
      // Whoever takes the chunks may be the slow one; only a body that is waited for stands still.
      if (this.#wake === undefined) this.#timer.refresh();
      else this.#fail(slow(idleSeconds));
    }, idleSeconds * 1000);
    request.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onClose).on("close", this.#onClose);
  }

  /** What came since, undefined at the end. */
  async next(): Promise<readonly Uint8Array[] | undefined> {
    while (this.#queue.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#request.readableEnded) return undefined;
      if (this.#request.destroyed) this.#onClose();
      else {
        if (this.#request.isPaused()) this.#request.resume();
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    const chunks = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    return chunks;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#request.off("data", this.#onData).off("end", this.#onEnd).off("error", this.#onClose);
    this.#request.off("close", this.#onClose);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#queue.push(chunk);
    this.#bytes += chunk.length;
    this.#timer.refresh();
    if (this.#bytes >= waitingBytes) this.#request.pause();
    this.#wakeUp();
  };

  readonly #onEnd = (): void => this.#wakeUp();

  readonly #onClose = (): void => {
    if (!this.#request.complete) {
      this.#fail(registryServerErrors.make("REGISTRY_BODY_BROKEN", "expected the whole body, the connection broke"));
    } else this.#wakeUp();
  };

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
