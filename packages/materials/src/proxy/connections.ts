import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { FactoryError } from "@touchmark/core";
import type { StepAuthority } from "./authority.ts";
import { type ClientAnswer, http1Answer, refusalText, refuseConnection, statusOf } from "./client-answer.ts";
import { doorError } from "./download.ts";
import { proxyErrors } from "./errors.ts";
import type { ProxyTally } from "./events.ts";
import { serveHttp2 } from "./http2-session.ts";
import { parserRefusal } from "./parser-refusal.ts";
import { MAX_HEADER_BYTES } from "./request.ts";
import type { RequestService } from "./serve.ts";
import { readConnect, type Tunnel, Tunnels } from "./tunnels.ts";

/** Most connections at once; further ones are dropped. */
export const MAX_CONNECTIONS = 512;
/** Requests that one HTTP/1.1 connection may have open; apt sends ten ahead. */
export const MAX_PIPELINED = 16;
const HEADERS_MS = 30_000;
const BODY_MS = 90_000;
const IDLE_MS = 120_000;

/** Time-outs of connections, milliseconds. */
export interface ConnectionTimes {
  readonly headersMs?: number;
  readonly checkMs?: number;
}

/** The connections of one proxy: plain and through tunnels, HTTP/1.1 and HTTP/2. SPEC P3 */
export class ProxyConnections {
  readonly server: Server;
  readonly #service: RequestService;
  readonly #tally: ProxyTally;
  readonly #tunnels: Tunnels;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** The tunnel that a TLS connection came through. */
  readonly #tunnelOf = new WeakMap<object, Tunnel>();
  /** Requests that a connection has open. */
  readonly #open = new WeakMap<object, number>();

  constructor(authority: StepAuthority, service: RequestService, tally: ProxyTally, times: ConnectionTimes = {}) {
    this.#service = service;
    this.#tally = tally;
    this.#tunnels = new Tunnels(authority, tally, (socket, tunnel) => this.#secure(socket, tunnel));
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
      // Answered here, with a code.
      requireHostHeader: false,
      headersTimeout: times.headersMs ?? HEADERS_MS,
      requestTimeout: BODY_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: times.checkMs ?? 5_000,
      noDelay: true,
    });
    server.maxHeadersCount = 0;
    server.maxConnections = MAX_CONNECTIONS;
    server.on("connection", (socket) => this.#track(socket));
    server.on("drop", () =>
      tally.refuse(proxyErrors.make("PROXY_BUSY", `expected at most ${MAX_CONNECTIONS} connections, found more`)),
    );
    const request = (incoming: IncomingMessage, response: ServerResponse): void =>
      this.#request(incoming, response, () => {});
    server.on("request", request);
    server.on("checkExpectation", request);
    server.on("checkContinue", (incoming: IncomingMessage, response: ServerResponse) =>
      this.#request(incoming, response, () => response.writeContinue()),
    );
    server.on("connect", (incoming, socket, head) => this.#connect(incoming, socket as Socket, head));
    server.on("clientError", (error: Error & { code?: string }, socket) => this.#clientError(error, socket as Socket));
    this.server = server;
  }

  get count(): number {
    return this.#sockets.size;
  }

  /** Ends every connection at once. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    // Connections inside tunnels come by here too; the outer one is counted.
    if (this.#tunnelOf.has(socket)) return;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #request(incoming: IncomingMessage, response: ServerResponse, proceed: () => void): void {
    const { socket } = incoming;
    const open = (this.#open.get(socket) ?? 0) + 1;
    this.#open.set(socket, open);
    response.once("close", () => this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1));
    if (open > MAX_PIPELINED) {
      this.#tally.refuse(
        proxyErrors.make("PROXY_PIPELINE_LIMIT", `expected at most ${MAX_PIPELINED} requests ahead, found more`),
      );
      socket.destroy();
      return;
    }
    const tunnel = this.#tunnelOf.get(socket);
    const answer = http1Answer(response);
    if (tunnel?.fault !== undefined) {
      this.#refuse(answer, tunnel.fault);
      return;
    }
    const { method = "", url: target = "", rawHeaders, httpVersion: version } = incoming;
    if (version !== "1.0" && version !== "1.1") {
      this.#refuse(answer, proxyErrors.make("PROXY_REQUEST_MALFORMED", `expected HTTP/1.0 or 1.1, found ${version}`));
      return;
    }
    const head = { version, method, target, rawHeaders, ...(tunnel === undefined ? {} : { tunnel }) } as const;
    void this.#service.serve({ head, body: incoming, answer, proceed });
  }

  #refuse(answer: ClientAnswer, error: FactoryError): void {
    this.#tally.refuse(error);
    const { headers, body } = refusalText(error);
    answer.lastOfConnection();
    answer.head(statusOf(error, false), headers);
    answer.end(body);
  }

  #connect(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    try {
      if (this.#tunnelOf.has(socket)) {
        throw proxyErrors.make("PROXY_TUNNEL_NESTED", "expected no CONNECT inside a tunnel, found one");
      }
      // Its confirmation would land in the middle of the answers that are due before it.
      if ((this.#open.get(socket) ?? 0) > 0) {
        throw proxyErrors.make("PROXY_PIPELINE_LIMIT", "expected CONNECT after all answers were read, found it before");
      }
      const tunnel = readConnect(incoming);
      if (incoming.headers["proxy-authorization"] !== undefined) this.#tally.droppedCredentials++;
      this.#tunnels.open(tunnel, socket, head);
    } catch (error) {
      this.#refuseRaw(doorError(error), socket);
    }
  }

  #secure(socket: TLSSocket, tunnel: Tunnel): void {
    this.#tunnelOf.set(socket, tunnel);
    if (socket.alpnProtocol !== "h2") {
      this.server.emit("connection", socket);
      return;
    }
    const session = serveHttp2(socket, tunnel, this.#tally, {
      serve: (incoming) => void this.#service.serve(incoming),
      refuse: (answer, { fault }) => this.#refuse(answer, fault as FactoryError),
    });
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
  }

  #clientError(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else this.#refuseRaw(parserRefusal(error), socket);
  }

  /** Refuses on a connection on which no request could be read. */
  #refuseRaw(refusal: FactoryError, socket: Socket): void {
    this.#tally.refuse(refusal);
    // With answers under way a refusal would land in the middle of one.
    if ((this.#open.get(socket) ?? 0) > 0) socket.destroy();
    else refuseConnection(socket, refusal);
  }
}
