import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { registryServerErrors } from "./errors.ts";
import type { RegistryParts } from "./exchange.ts";
import { type RegistryHandler, registryHandler } from "./handler.ts";
import { markWaiting } from "./lingering.ts";
import { refusalBody, refusalOf } from "./refusal.ts";

/** Where a registry listens. A socket's path is open to its owner alone. */
export type RegistryListen = { readonly host: string; readonly port: number } | { readonly socket: string };

/** A registry that listens. */
export interface RunningRegistry {
  /** `HOST:PORT` as bound, or the socket's path. */
  readonly address: string;
  /** Address for clients: as configured, else made from what was bound; `http+unix:PATH` for a socket. */
  readonly url: string;
  /** Shows another certificate to connections from now on. @throws REGISTRY_LISTEN_FAILED */
  renew(tls: RegistryCertificate): void;
  /** Takes no more requests, lets those under way end for a while, and then ends them. */
  close(): Promise<void>;
}

/** PEM texts of a certificate, with its intermediates, and of its key. */
export interface RegistryCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Settings of a server of its own. */
export interface RegistrySettings extends RegistryParts {
  readonly listen: RegistryListen;
  readonly tls?: RegistryCertificate;
  /** Seconds that requests under way have when the registry closes. Default 10. */
  readonly closeSeconds?: number;
}

const strictly: ServerOptions = {
  // Node's strict parser refuses what two readers could read differently; nothing here may soften it.
  insecureHTTPParser: false,
  requireHostHeader: true,
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  // Bodies are bounded by how long they stand still, not by how long they are.
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  noDelay: true,
  highWaterMark: 256 * 1024,
};

const secure = { minVersion: "TLSv1.2" } as const;

const mostConnections = 4096;

/** Starts a registry of its own. @throws REGISTRY_LISTEN_FAILED */
export async function startRegistry(settings: RegistrySettings): Promise<RunningRegistry> {
  const handler = registryHandler(settings);
  const server = serverFor(settings, handler);
  const { listen } = settings;
  if ("socket" in listen) await removeStaleSocket(listen.socket);
  await listening(server, listen);
  const bound = server.address();
  const scheme = settings.tls === undefined ? "http" : "https";
  const address = bound === null || typeof bound === "string" ? (bound ?? "") : hostAndPort(bound.address, bound.port);
  const url = settings.url ?? ("socket" in listen ? `${scheme}+unix:${address}` : `${scheme}://${address}`);
  return {
    address,
    url,
    renew: (tls) => renewed(server, tls),
    close: () => closed(server, settings.closeSeconds ?? 10),
  };
}

function renewed(server: Server, tls: RegistryCertificate): void {
  try {
    // Connections that are open keep the one that they were shown.
    if (server instanceof TlsServer) server.setSecureContext({ ...secure, cert: tls.certificate, key: tls.key });
  } catch (cause) {
    throw registryServerErrors.make("REGISTRY_LISTEN_FAILED", "expected a certificate and its key in PEM", { cause });
  }
}

function serverFor(settings: RegistrySettings, handler: RegistryHandler): Server {
  let server: Server;
  try {
    const { tls } = settings;
    server =
      tls === undefined
        ? createServer(strictly, handler)
        : createTlsServer({ ...strictly, ...secure, cert: tls.certificate, key: tls.key }, handler);
  } catch (cause) {
    throw registryServerErrors.make("REGISTRY_LISTEN_FAILED", "expected a certificate and its key in PEM", { cause });
  }
  server.on("checkContinue", (request, response) => {
    markWaiting(request);
    handler(request, response);
  });
  server.on("clientError", refuseRequest);
  server.on("upgrade", (_request, socket) => socket.destroy());
  server.on("connect", (_request, socket) => socket.destroy());
  server.maxConnections = mostConnections;
  return server;
}

const parserStatus: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Answers what is no request, and ends the connection: nothing after it could be told apart. */
function refuseRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = parserStatus[error.code ?? ""] ?? "400 Bad Request";
  const refusal = refusalOf(registryServerErrors.make("REGISTRY_REQUEST_MALFORMED", "expected one HTTP/1.1 request"));
  const body = refusalBody(refusal).toString();
  const header = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${header}\r\n\r\n${body}`);
}

function listening(server: Server, listen: RegistryListen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const where = "socket" in listen ? listen.socket : hostAndPort(listen.host, listen.port);
      reject(registryServerErrors.make("REGISTRY_LISTEN_FAILED", `expected to listen at ${where}`, { cause }));
    });
    if (!("socket" in listen)) {
      server.listen(listen.port, listen.host, resolve);
      return;
    }
    server.listen(listen.socket, () => {
      chmodSync(listen.socket, 0o600);
      resolve();
    });
  });
}

/** Takes away a socket that nobody listens at any more; anything else at the path stays, and listening fails. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() !== true) return;
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
  });
  if (!isAlive) unlinkSync(path);
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function closed(server: Server, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), seconds * 1000);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
