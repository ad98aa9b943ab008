import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import { type ClientAnswer, http2Answer } from "./client-answer.ts";
import { proxyErrors } from "./errors.ts";
import type { ProxyTally } from "./events.ts";
import { MAX_HEADER_BYTES, MAX_HEADERS } from "./request.ts";
import type { Incoming } from "./serve.ts";
import type { Tunnel } from "./tunnels.ts";

/** Requests that one connection may have open. */
const MAX_STREAMS = 100;
const IDLE_MS = 120_000;

/** Who serves the requests of a session. */
export interface SessionService {
  serve(incoming: Incoming): void;
  refuse(answer: ClientAnswer, tunnel: Tunnel): void;
}

/**
 * Speaks HTTP/2 on a connection inside a tunnel. Resets, rejected streams, settings, pings, header lists and memory are
 * bounded; continuation frames are bounded by nghttp2 itself.
 */
export function serveHttp2(
  socket: TLSSocket,
  tunnel: Tunnel,
  tally: ProxyTally,
  service: SessionService,
): ServerHttp2Session {
  const session = performServerHandshake(socket, {
    maxHeaderListPairs: MAX_HEADERS + 8,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxOutstandingPings: 10,
    maxSettings: 32,
    /** Megabytes. */
    maxSessionMemory: 10,
    streamResetBurst: 200,
    streamResetRate: 33,
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: MAX_HEADER_BYTES,
      enablePush: false,
      initialWindowSize: 1024 * 1024,
    },
  });
  let open = 0;
  session.once("close", () => socket.destroy());
  session.on("error", (error: Error & { code?: string }) => {
    if (error.code?.startsWith("ERR_HTTP2") === true) {
      tally.refuse(
        proxyErrors.make(
          "PROXY_HTTP2_ABUSE",
          `expected HTTP/2 within its limits, found ${error.code}: ${error.message}`,
        ),
      );
    }
    session.destroy();
    socket.destroy();
  });
  session.setTimeout(IDLE_MS, () => {
    if (open === 0) session.close();
  });
  session.on("stream", (stream, headers, _flags, rawHeaders) => {
    open++;
    stream.once("close", () => open--);
    const answer = http2Answer(stream);
    if (tunnel.fault !== undefined) {
      service.refuse(answer, tunnel);
      return;
    }
    service.serve({
      head: {
        version: "2.0",
        method: headers[":method"] ?? "",
        target: headers[":path"] ?? "",
        rawHeaders: rawHeaders,
        tunnel,
      },
      body: stream,
      answer,
      proceed: () => {
        if (headers.expect !== undefined && !stream.closed && !stream.destroyed)
          stream.additionalHeaders({ ":status": 100 });
      },
    });
  });
  return session;
}
