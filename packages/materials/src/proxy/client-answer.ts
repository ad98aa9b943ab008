import type { ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { FactoryError, Nature } from "@touchmark/core";
import { proxyErrors } from "./errors.ts";

/** Longest time that a client may leave what is written to it unread. */
const STALL_MS = 120_000;
/** Time to take delivery of a refusal. */
const LAST_WORDS_MS = 5_000;

/** The answer to one request, in either HTTP version. */
export interface ClientAnswer {
  /** The client is gone, or the answer complete. */
  readonly closed: boolean;
  readonly started: boolean;
  onClose(listener: () => void): void;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Writes a piece; resolves when more may come. @throws PROXY_CLOSED */
  write(chunk: Uint8Array): Promise<void>;
  end(chunk?: Uint8Array): void;
  /** Ends it in a way that no client takes for a complete answer. */
  cut(): void;
  /** HTTP/1.1: nothing more is read from this connection. */
  lastOfConnection(): void;
}

/** Headers about a connection that no answer may bring in from upstream or the mirror. */
const droppedHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "content-range",
  "set-cookie",
  "alt-svc",
  "strict-transport-security",
  "date",
]);

/** Headers of a stored or arriving answer that may go to a client. */
export function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (
      !droppedHeaders.has(name) &&
      /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) &&
      /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    ) {
      passed[name] = value;
    }
  }
  return passed;
}

export function http1Answer(response: ServerResponse): ClientAnswer {
  return answerOf(response, {
    head: (status, headers) => {
      response.writeHead(status, headers);
      response.flushHeaders();
    },
    started: () => response.headersSent,
    cut: () => {
      response.destroy();
      response.socket?.destroy();
    },
    last: () => {
      if (!response.headersSent) response.setHeader("connection", "close");
    },
  });
}

export function http2Answer(stream: ServerHttp2Stream): ClientAnswer {
  return answerOf(stream, {
    head: (status, headers) => {
      // A client that reset its stream hears nothing any more; saying it all the same would throw.
      if (!stream.closed && !stream.destroyed) stream.respond({ ":status": status, ...headers });
    },
    started: () => stream.headersSent,
    cut: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    last: () => {},
  });
}

function answerOf(
  stream: ServerResponse | ServerHttp2Stream,
  own: {
    head(status: number, headers: Readonly<Record<string, string>>): void;
    started(): boolean;
    cut(): void;
    last(): void;
  },
): ClientAnswer {
  let closed = false;
  const listeners: (() => void)[] = [];
  stream.once("close", () => {
    closed = true;
    for (const each of listeners) each();
  });
  stream.on("error", () => {});
  return {
    get closed() {
      return closed || stream.destroyed;
    },
    get started() {
      return own.started();
    },
    onClose: (listener) => {
      listeners.push(listener);
    },
    head: own.head,
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (closed || stream.destroyed) return reject(gone());
        if (stream.write(chunk)) return resolve();
        const timer = setTimeout(() => own.cut(), STALL_MS);
        const drained = (): void => finish(resolve);
        const ended = (): void => finish(() => reject(gone()));
        const finish = (then: () => void): void => {
          clearTimeout(timer);
          stream.off("drain", drained);
          stream.off("close", ended);
          then();
        };
        stream.once("drain", drained);
        stream.once("close", ended);
        return undefined;
      }),
    end: (chunk) => {
      if (chunk === undefined) stream.end();
      else stream.end(chunk);
    },
    cut: own.cut,
    lastOfConnection: own.last,
  };
}

const gone = () => proxyErrors.make("PROXY_CLOSED", "expected a client that reads, found none");

const natureStatus: Readonly<Record<Nature, number>> = { invalid: 400, refused: 403, unavailable: 503, bug: 500 };

/** Status of a refusal. What upstream or its document got wrong is 502, what the client got wrong 400. */
export function statusOf(error: FactoryError, fromUpstream: boolean): number {
  if (error.code === "PROXY_RANGE_UNSATISFIABLE") return 416;
  if (error.nature === "invalid" && fromUpstream) return 502;
  return natureStatus[error.nature];
}

/** Body and headers of a refusal. */
export function refusalText(error: FactoryError): { readonly headers: Record<string, string>; readonly body: Buffer } {
  const body = Buffer.from(
    `touchmark: ${error.code}: ${error.message}\n${error.hint === undefined ? "" : `${error.hint}\n`}`,
  );
  return {
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(body.length),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-touchmark-code": error.code,
    },
    body,
  };
}

/** Refuses on a connection on which no request could be read, and ends it, read or not. */
export function refuseConnection(socket: Socket, error: FactoryError): void {
  socket.setTimeout(LAST_WORDS_MS, () => socket.destroy());
  socket.end(rawRefusal(error), () => socket.destroy());
}

/** A refusal as bytes, for connections where no request could be read. */
function rawRefusal(error: FactoryError): Buffer {
  const { headers, body } = refusalText(error);
  const lines = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = statusOf(error, false);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} ${reasons[status] ?? "Refused"}\r\n${lines.join("")}\r\n`),
    body,
  ]);
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
