import type { IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { FactoryError } from "@touchmark/core";
import type { StepAuthority } from "./authority.ts";
import { refuseConnection } from "./client-answer.ts";
import { proxyErrors } from "./errors.ts";
import type { ProxyTally } from "./events.ts";
import { type Authority, bareHost, parseAuthority, quoted } from "./target.ts";

const HANDSHAKE_MS = 15_000;
/** Hosts whose TLS material is kept. */
const MAX_SERVERS = 256;
/** First byte of a TLS handshake record. */
const HANDSHAKE = 0x16;

/** A tunnel as the connections inside it know it. */
export interface Tunnel extends Authority {
  /** Why nothing that comes through it is served. */
  readonly fault?: FactoryError;
}

/** Reads a CONNECT request. @throws PROXY_HOST_… | PROXY_FRAMING_AMBIGUOUS | PROXY_TARGET_USER */
export function readConnect(request: IncomingMessage): Authority {
  const tunnel = parseAuthority(request.url ?? "", undefined);
  const { rawHeaders } = request;
  const hosts = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "host");
  const [host] = hosts;
  const named = host === undefined ? undefined : parseAuthority(host, tunnel.port);
  // Old clients send CONNECT as HTTP/1.0, and without a Host header.
  const agrees =
    named === undefined ? request.httpVersion === "1.0" : named.host === tunnel.host && named.port === tunnel.port;
  if (hosts.length > 1 || !agrees) {
    throw proxyErrors.make(
      "PROXY_HOST_MISMATCH",
      `expected Host ${tunnel.host}:${tunnel.port}, found ${quoted(hosts.join(", ") || "none")}`,
    );
  }
  const { "content-length": length = "0", "transfer-encoding": coding } = request.headers;
  if (length !== "0" || coding !== undefined) {
    throw proxyErrors.make("PROXY_FRAMING_AMBIGUOUS", "expected CONNECT without a body, found one announced");
  }
  return tunnel;
}

/** Ends TLS for tunnels, with a leaf of the step's authority for each host. SPEC P5 */
export class Tunnels {
  readonly #authority: StepAuthority;
  readonly #tally: ProxyTally;
  readonly #onSecure: (socket: TLSSocket, tunnel: Tunnel) => void;
  readonly #servers = new Map<string, Server>();

  constructor(authority: StepAuthority, tally: ProxyTally, onSecure: (socket: TLSSocket, tunnel: Tunnel) => void) {
    this.#authority = authority;
    this.#tally = tally;
    this.#onSecure = onSecure;
  }

  /** Confirms a tunnel and waits for its handshake; `head` came with the CONNECT request. */
  open(tunnel: Authority, socket: Socket, head: Buffer): void {
    // A client that says no more wants no more: half a tunnel is kept for nobody.
    socket.allowHalfOpen = false;
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) {
      this.#begin(tunnel, socket, head);
      return;
    }
    const timer = setTimeout(() => {
      this.#tally.refuse(proxyErrors.make("PROXY_TUNNEL_NOT_TLS", "expected a TLS handshake in time, found none"));
      socket.destroy();
    }, HANDSHAKE_MS);
    socket.once("close", () => clearTimeout(timer)).once("end", () => socket.destroy());
    socket.once("data", (first: Buffer) => {
      clearTimeout(timer);
      this.#begin(tunnel, socket, first);
    });
  }

  #begin(tunnel: Authority, socket: Socket, first: Buffer): void {
    if (first[0] !== HANDSHAKE) {
      const refusal = proxyErrors.make(
        "PROXY_TUNNEL_NOT_TLS",
        "expected a TLS handshake in a tunnel, found other bytes",
      );
      this.#tally.refuse(refusal);
      refuseConnection(socket, refusal);
      return;
    }
    socket.pause();
    socket.unshift(first);
    this.#server(tunnel).emit("connection", socket);
  }

  #server(tunnel: Authority): Server {
    const name = `${tunnel.host}:${tunnel.port}`;
    const server = this.#servers.get(name) ?? this.#newServer(tunnel);
    // Least recently used first.
    this.#servers.delete(name);
    this.#servers.set(name, server);
    if (this.#servers.size > MAX_SERVERS) this.#servers.delete(this.#servers.keys().next().value as string);
    return server;
  }

  #newServer(tunnel: Authority): Server {
    const host = bareHost(tunnel.host);
    const server = createServer({
      ...this.#authority.credentials(host),
      minVersion: "TLSv1.2",
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on("tlsClientError", (error: Error & { code?: string }, socket) => {
      // Who hangs up before saying anything has broken nothing.
      if (error.code !== "ECONNRESET") {
        const found = error.code ?? error.message;
        this.#tally.refuse(
          proxyErrors.make("PROXY_TUNNEL_NOT_TLS", `expected a TLS handshake for ${host}, found ${found}`),
        );
      }
      socket.destroy();
    });
    server.on("secureConnection", (socket) => {
      socket.on("error", () => socket.destroy());
      const fault = serverNameFault(socket, host);
      this.#onSecure(socket, { ...tunnel, ...(fault === undefined ? {} : { fault }) });
    });
    return server;
  }
}

/** A handshake for another name than the tunnel's host. Addresses have no server name. */
function serverNameFault(socket: TLSSocket, host: string): FactoryError | undefined {
  // Node answers false for none; its types know only text.
  const { servername } = socket as { servername?: unknown };
  const name = typeof servername === "string" ? servername : "";
  if (name === "" ? isIP(host) !== 0 : name.toLowerCase() === host) return undefined;
  return proxyErrors.make("PROXY_SNI_MISMATCH", `expected the server name ${host}, found ${quoted(name || "none")}`);
}
