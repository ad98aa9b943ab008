import type { Readable } from "node:stream";
import { type FactoryError, isFactoryError, sha256 } from "@touchmark/core";
import type { Door, ProxyRequest } from "../door.ts";
import { type ClientAnswer, refusalText, statusOf } from "./client-answer.ts";
import { Download, doorError } from "./download.ts";
import { proxyErrors } from "./errors.ts";
import type { ProxyTally } from "./events.ts";
import { reply } from "./reply.ts";
import { MAX_POST_BYTES, type ReadRequest, type RequestHead, readRequest } from "./request.ts";
import type { UpstreamTransport } from "./transport.ts";

/** Most requests at once. */
const MAX_REQUESTS = 1024;
/** Most bytes of POST bodies in memory at once. */
const MAX_BODY_MEMORY = 64 * 1024 * 1024;
/** A body must be here after this. */
const BODY_MS = 60_000;

/** One request as it comes from a connection. */
export interface Incoming {
  readonly head: RequestHead;
  readonly body: Readable;
  readonly answer: ClientAnswer;
  /** Tells the client to send its body. */
  proceed(): void;
}

/** Serves the requests of one step, whatever connection they come by. Never throws. */
export class RequestService {
  readonly #door: Door;
  readonly #transport: UpstreamTransport;
  readonly #tally: ProxyTally;
  readonly #downloads = new Map<string, Download>();
  readonly #running = new Set<Download>();
  #requests = 0;
  #bodyMemory = 0;
  #closed = false;

  constructor(door: Door, transport: UpstreamTransport, tally: ProxyTally) {
    this.#door = door;
    this.#transport = transport;
    this.#tally = tally;
  }

  async serve(incoming: Incoming): Promise<void> {
    const { answer } = incoming;
    this.#requests++;
    this.#tally.requests++;
    let request: ReadRequest | undefined;
    let download: Download | undefined;
    try {
      request = readRequest(incoming.head);
      if (this.#closed)
        throw proxyErrors.make("PROXY_CLOSED", "expected requests before the end of the step, found one after");
      if (this.#requests > MAX_REQUESTS) {
        throw proxyErrors.make("PROXY_BUSY", `expected at most ${MAX_REQUESTS} requests at once, found more`);
      }
      if (request.droppedCredentials) this.#tally.droppedCredentials++;
      this.#tally.tell({ kind: "request", method: request.method, url: request.url.href });
      const body = request.method === "POST" ? await this.#body(incoming, request) : undefined;
      if (request.method !== "POST") incoming.body.resume();
      download = this.#download(request, body);
      await this.#answer(request, download, answer);
    } catch (error) {
      // Writing to a client that went away fails in many ways; a door's own failures have a code by now.
      if (isFactoryError(error) || !answer.closed) this.#refuse(doorError(error), answer, request, download);
    } finally {
      this.#requests--;
    }
  }

  /** Ends every download; what asks from now on is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((each) => each.cancel()));
  }

  /** The download of a request: one that is under way for the same, or a new one. */
  #download(request: ReadRequest, body: Uint8Array | undefined): Download {
    const asked: ProxyRequest = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      ...(body === undefined ? {} : { body }),
    };
    const key = sharedKey(asked);
    const shared = key === undefined ? undefined : this.#downloads.get(key);
    if (shared?.underWay === true && !shared.idle) return shared;
    const download = new Download(this.#door, this.#transport, asked, this.#tally);
    this.#running.add(download);
    if (key !== undefined) this.#downloads.set(key, download);
    void download.done.then(() => {
      this.#running.delete(download);
      // A finished answer is asked for anew the next time: the door decides on each.
      if (key !== undefined && this.#downloads.get(key) === download) this.#downloads.delete(key);
    });
    return download;
  }

  async #answer(request: ReadRequest, download: Download, answer: ClientAnswer): Promise<void> {
    download.hold();
    let held = true;
    const release = async (): Promise<void> => {
      if (!held) return;
      held = false;
      await download.release();
    };
    answer.onClose(() => void release());
    try {
      const { status, bytes } = await reply(request, answer, download, (count) => {
        this.#tally.bytesOut += count;
      });
      this.#tally.answered++;
      this.#tally.tell({ kind: "answered", method: request.method, url: request.url.href, status, bytes });
    } finally {
      await release();
    }
  }

  /** The body of a POST, bounded in bytes and time. @throws PROXY_BODY_TOO_LARGE | PROXY_CLIENT_SLOW | PROXY_BUSY */
  async #body(incoming: Incoming, request: ReadRequest): Promise<Uint8Array> {
    incoming.proceed();
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        const { body } = incoming;
        // Refused bodies are left unread, not destroyed: the client can still be told.
        const refuse = (error: Error): void => {
          body.pause();
          reject(error);
        };
        const timer = setTimeout(
          () => refuse(proxyErrors.make("PROXY_CLIENT_SLOW", `expected a body within ${BODY_MS} ms, found a part`)),
          BODY_MS,
        );
        const settled = (then: () => void) => (): void => {
          clearTimeout(timer);
          then();
        };
        body.on("data", (chunk: Uint8Array) => {
          size += chunk.length;
          this.#bodyMemory += chunk.length;
          if (size > MAX_POST_BYTES) {
            refuse(proxyErrors.make("PROXY_BODY_TOO_LARGE", `expected at most ${MAX_POST_BYTES} bytes, found more`));
          } else if (this.#bodyMemory > MAX_BODY_MEMORY) {
            refuse(proxyErrors.make("PROXY_BUSY", `expected at most ${MAX_BODY_MEMORY} bytes of bodies, found more`));
          } else chunks.push(chunk);
        });
        const gone = proxyErrors.make("PROXY_CLOSED", "expected a whole body, found the client gone");
        body.once("end", settled(resolve));
        body.once(
          "error",
          settled(() => reject(gone)),
        );
        body.once(
          "close",
          settled(() => reject(gone)),
        );
      });
    } finally {
      this.#bodyMemory -= size;
    }
    if (request.length !== undefined && request.length !== size) {
      throw proxyErrors.make("PROXY_FRAMING_AMBIGUOUS", `expected ${request.length} bytes, found ${size}`);
    }
    return Buffer.concat(chunks);
  }

  #refuse(
    error: FactoryError,
    answer: ClientAnswer,
    request: ReadRequest | undefined,
    download: Download | undefined,
  ): void {
    // A client that went away is no refusal.
    if (error.code === "PROXY_CLOSED" && answer.closed) return;
    this.#tally.refuse(error, request?.url);
    if (answer.closed) return;
    if (answer.started) {
      answer.cut();
      return;
    }
    const { headers, body } = refusalText(error);
    // After a bad head or half a body nobody knows where the next request begins.
    if (download === undefined) answer.lastOfConnection();
    answer.head(statusOf(error, download?.contacted === true), headers);
    answer.end(request?.method === "HEAD" ? undefined : body);
  }
}

/** Requests with the same key may share one download. POSTs never do. */
function sharedKey({ method, url, headers }: ProxyRequest): string | undefined {
  if (method === "POST") return undefined;
  // What only says who asks and for what does not select another answer.
  const selecting = Object.entries(headers)
    .filter(([name]) => !/^(?:user-agent|npm-|pacote-|x-|cache-control|pragma|priority|sec-)/.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([method, url.href, selecting]));
}
