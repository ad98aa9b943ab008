import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { FactoryError } from "@touchmark/core";
import type { StepAuthority } from "./authority.ts";
import { type ClientAnswer, http1Answer, http2Answer, rawRefusal } from "./client-answer.ts";
import { doorError } from "./download.ts";
import { proxyErrors } from "./errors.ts";
import type { ProxyTally } from "./events.ts";
import { MAX_HEADER_BYTES, MAX_HEADERS } from "./request.ts";
import type { RequestService } from "./serve.ts";
import { type Authority, bareHost, parseAuthority, quoted } from "./target.ts";

/** Most connections at once; further ones wait at the socket or are dropped. */
export const MAX_CONNECTIONS = 512;
/** Requests that one HTTP/1.1 connection may have open; apt sends ten ahead. */
const MAX_PIPELINED = 16;
const MAX_STREAMS = 100;
const HANDSHAKE_MS = 15_000;
const HEADERS_MS = 30_000;
const BODY_MS = 90_000;
const IDLE_MS = 120_000;
const MAX_TLS_SERVERS = 256;

/** A tunnel as its connection has it. */
interface Tunnel extends Authority {
  /** Why nothing that comes through it is served. */
  readonly fault?: FactoryError;
}

/** The connections of one proxy: plain, through tunnels, HTTP/1.1 and HTTP/2. SPEC P3, P5 */
export class ProxyConnections {
  readonly server: Server;
  readonly #authority: StepAuthority;
  readonly #service: RequestService;
  readonly #tally: ProxyTally;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #tunnels = new WeakMap<object, Tunnel>();
  readonly #open = new WeakMap<object, number>();
  readonly #tlsServers = new Map<string, TlsServer>();

  constructor(authority: StepAuthority, service: RequestService, tally: ProxyTally) {
    this.#authority = authority;
    this.#service = service;
    this.#tally = tally;
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
      // Answered here, with a code.
      requireHostHeader: false,
      headersTimeout: HEADERS_MS,
      requestTimeout: BODY_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    });
    server.maxHeadersCount = 0;
    server.maxConnections = MAX_CONNECTIONS;
    server.on("connection", (socket) => this.#track(socket));
    server.on("drop", () =>
      tally.refuse(proxyErrors.make("PROXY_BUSY", `expected at most ${MAX_CONNECTIONS} connections, found more`)),
    );
    server.on("request", (request, response) => this.#request(request, response, () => {}));
    server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) =>
      this.#request(request, response, () => response.writeContinue()),
    );
    server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
      this.#request(request, response, () => {}),
    );
    server.on("connect", (request, socket, head) => this.#connect(request, socket as Socket, head));
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
    // Connections inside tunnels are reported too; the outer one is counted.
    if (this.#tunnels.has(socket)) return;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #request(request: IncomingMessage, response: ServerResponse, proceed: () => void): void {
    const { socket } = request;
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
    const tunnel = this.#tunnels.get(socket);
    const answer = http1Answer(response);
    if (tunnel?.fault !== undefined) return this.#refuse(answer, tunnel.fault);
    const version = request.httpVersion === "1.0" ? "1.0" : "1.1";
    const { method = "", url = "", rawHeaders } = request;
    const head = { version, method, target: url, rawHeaders, ...(tunnel === undefined ? {} : { tunnel }) } as const;
    void this.#service.serve({ head, body: request, answer, proceed });
    return undefined;
  }

  #refuse(answer: ClientAnswer, error: FactoryError): void {
    this.#tally.refuse(error);
    const bytes = Buffer.from(`touchmark: ${error.code}: ${error.message}\n`);
    answer.lastOfConnection();
    answer.head(400, {
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(bytes.length),
      "x-touchmark-code": error.code,
    });
    answer.end(bytes);
  }

  #connect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    let tunnel: Authority;
    try {
      tunnel = this.#readConnect(request, socket);
    } catch (error) {
      const refusal = doorError(error);
      this.#tally.refuse(refusal);
      socket.end(rawRefusal(refusal), () => socket.destroy());
      return;
    }
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) this.#tunnelBytes(tunnel, socket, head);
    else {
      const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
      socket.once("close", () => clearTimeout(timer));
      socket.once("data", (first: Buffer) => {
        clearTimeout(timer);
        this.#tunnelBytes(tunnel, socket, first);
      });
    }
  }

  #readConnect(request: IncomingMessage, socket: Socket): Authority {
    if (this.#tunnels.has(socket)) {
      throw proxyErrors.make("PROXY_TUNNEL_NESTED", "expected no CONNECT inside a tunnel, found one");
    }
    if ((this.#open.get(socket) ?? 0) > 0) {
      throw proxyErrors.make("PROXY_PIPELINE_LIMIT", "expected CONNECT after all answers were read, found it before");
    }
    const tunnel = parseAuthority(request.url ?? "", undefined);
    const hosts = request.rawHeaders.filter(
      (_, at) => at % 2 === 1 && request.rawHeaders[at - 1]?.toLowerCase() === "host",
    );
    const [host] = hosts;
    const named = host === undefined ? undefined : parseAuthority(host, tunnel.port);
    // Old clients send CONNECT as HTTP/1.0, and without a Host header.
    if (
      hosts.length > 1 ||
      (named === undefined ? request.httpVersion !== "1.0" : named.host !== tunnel.host || named.port !== tunnel.port)
    ) {
      throw proxyErrors.make(
        "PROXY_HOST_MISMATCH",
        `expected Host ${tunnel.host}:${tunnel.port}, found ${quoted(hosts.join(", ") || "none")}`,
      );
    }
    const { "content-length": length = "0", "transfer-encoding": coding } = request.headers;
    if (length !== "0" || coding !== undefined) {
      throw proxyErrors.make("PROXY_FRAMING_AMBIGUOUS", "expected CONNECT without a body, found one announced");
    }
    if (request.headers["proxy-authorization"] !== undefined) this.#tally.droppedCredentials++;
    return tunnel;
  }

  /** The first bytes in a tunnel: a TLS handshake record, or a refusal in the clear. */
  #tunnelBytes(tunnel: Authority, socket: Socket, first: Buffer): void {
    if (first[0] !== 0x16) {
      const refusal = proxyErrors.make(
        "PROXY_TUNNEL_NOT_TLS",
        "expected a TLS handshake in a tunnel, found other bytes",
      );
      this.#tally.refuse(refusal);
      socket.end(rawRefusal(refusal), () => socket.destroy());
      return;
    }
    socket.pause();
    socket.unshift(first);
    this.#tlsServer(tunnel).emit("connection", socket);
  }

  #tlsServer(tunnel: Authority): TlsServer {
    const name = `${tunnel.host}:${tunnel.port}`;
    const known = this.#tlsServers.get(name);
    this.#tlsServers.delete(name);
    const server = known ?? this.#newTlsServer(tunnel);
    this.#tlsServers.set(name, server);
    if (this.#tlsServers.size > MAX_TLS_SERVERS)
      this.#tlsServers.delete(this.#tlsServers.keys().next().value as string);
    return server;
  }

  #newTlsServer(tunnel: Authority): TlsServer {
    const server = createTlsServer({
      ...this.#authority.credentials(bareHost(tunnel.host)),
      minVersion: "TLSv1.2",
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on("tlsClientError", (error: Error & { code?: string }, socket) => {
      // Who hangs up before saying anything has broken nothing.
      if (error.code !== "ECONNRESET") {
        this.#tally.refuse(
          proxyErrors.make(
            "PROXY_TUNNEL_NOT_TLS",
            `expected a TLS handshake for ${tunnel.host}, found ${error.code ?? error.message}`,
          ),
        );
      }
      socket.destroy();
    });
    server.on("secureConnection", (socket) => {
      socket.on("error", () => socket.destroy());
      const fault = serverNameFault(socket, tunnel);
      this.#tunnels.set(socket, { ...tunnel, ...(fault === undefined ? {} : { fault }) });
      if (socket.alpnProtocol === "h2") this.#http2(socket);
      else this.server.emit("connection", socket);
    });
    return server;
  }

  #http2(socket: TLSSocket): void {
    const tunnel = this.#tunnels.get(socket) as Tunnel;
    const session = performServerHandshake(socket, {
      maxHeaderListPairs: MAX_HEADERS + 8,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      maxOutstandingPings: 10,
      maxSettings: 32,
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
    this.#sessions.add(session);
    const abuse = (what: string): void => {
      this.#tally.refuse(proxyErrors.make("PROXY_HTTP2_ABUSE", `expected HTTP/2 within its limits, found ${what}`));
      session.destroy();
      socket.destroy();
    };
    session.once("close", () => {
      this.#sessions.delete(session);
      socket.destroy();
    });
    session.on("error", (error: Error & { code?: string }) => {
      if (error.code?.startsWith("ERR_HTTP2") === true) abuse(`${error.code}: ${error.message}`);
    });
    session.on("frameError", (type, code) => abuse(`frame error ${type}/${code}`));
    session.setTimeout(IDLE_MS, () => {
      if (open === 0) session.close();
    });
    session.on("stream", (stream, headers, _flags, rawHeaders) => {
      open++;
      stream.once("close", () => open--);
      const answer = http2Answer(stream);
      if (tunnel.fault !== undefined) return this.#refuse(answer, tunnel.fault);
      const raw = (rawHeaders as unknown as string[] | undefined) ?? [];
      void this.#service.serve({
        head: {
          version: "2.0",
          method: headers[":method"] ?? "",
          target: headers[":path"] ?? "",
          rawHeaders: raw,
          tunnel,
        },
        body: stream,
        answer,
        proceed: () => {
          if (headers.expect !== undefined) stream.additionalHeaders({ ":status": 100 });
        },
      });
      return undefined;
    });
  }

  #clientError(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = parserRefusal(error);
    this.#tally.refuse(refusal);
    // With answers under way a refusal would land in the middle of one.
    if ((this.#open.get(socket) ?? 0) > 0) socket.destroy();
    else socket.end(rawRefusal(refusal), () => socket.destroy());
  }
}

/** A handshake for another name than the tunnel's host; addresses have no server name. */
function serverNameFault(socket: TLSSocket, tunnel: Authority): FactoryError | undefined {
  // Node answers false for none; its types know only text.
  const name: unknown = (socket as { servername?: unknown }).servername;
  const host = bareHost(tunnel.host);
  const isAddress = tunnel.host.startsWith("[") || /^[0-9.]+$/.test(host);
  if (typeof name === "string" && name !== "" ? name.toLowerCase() === host : isAddress) return undefined;
  return proxyErrors.make(
    "PROXY_SNI_MISMATCH",
    `expected the server name ${host}, found ${typeof name === "string" ? quoted(name) : "none"}`,
  );
}

const parserCodes: Readonly<Record<string, Parameters<typeof proxyErrors.make>[0]>> = {
  HPE_HEADER_OVERFLOW: "PROXY_HEADERS_TOO_LARGE",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "PROXY_FRAMING_AMBIGUOUS",
  HPE_UNEXPECTED_CONTENT_LENGTH: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_CONTENT_LENGTH: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_TRANSFER_ENCODING: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_CHUNK_SIZE: "PROXY_FRAMING_AMBIGUOUS",
  HPE_INVALID_EOF_STATE: "PROXY_REQUEST_MALFORMED",
  HPE_INVALID_HEADER_TOKEN: "PROXY_HEADER_MALFORMED",
  HPE_UNEXPECTED_SPACE: "PROXY_HEADER_MALFORMED",
  HPE_LF_EXPECTED: "PROXY_HEADER_MALFORMED",
  HPE_CR_EXPECTED: "PROXY_HEADER_MALFORMED",
  HPE_INVALID_URL: "PROXY_TARGET_AMBIGUOUS",
  HPE_CLOSED_CONNECTION: "PROXY_PIPELINE_LIMIT",
  ERR_HTTP_REQUEST_TIMEOUT: "PROXY_CLIENT_SLOW",
};

function parserRefusal(error: Error & { code?: string }): FactoryError {
  const code = parserCodes[error.code ?? ""] ?? "PROXY_REQUEST_MALFORMED";
  return proxyErrors.make(
    code,
    `expected an HTTP request, found ${error.code ?? "none"}: ${error.message.slice(0, 200)}`,
  );
}
