import { createPrivateKey, X509Certificate } from "node:crypto";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { WebhookParts } from "../webhook/webhook.ts";
import type { ServerCertificate } from "./certificate-files.ts";
import { serverErrors } from "./errors.ts";
import { admissionHandler } from "./handler.ts";
import { AdmissionMetrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";
import { refusalBytes } from "./refusal.ts";
import { type AdmissionLimits, defaultLimits } from "./service.ts";

/** How to serve admission. */
export interface AdmissionServerSettings extends WebhookParts {
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined: plain http, which only a caller on this host should have. */
  readonly tls?: ServerCertificate;
  /** PEM certificates of authorities: only callers that show a certificate of one may ask. */
  readonly callers?: string;
  readonly readiness?: () => Readiness;
  readonly limits?: Partial<AdmissionLimits>;
  readonly gauges?: () => Promise<Readonly<Record<string, number>>>;
  /** Seconds that questions under way have when the server closes. Default 30: as long as a webhook may take. */
  readonly closeSeconds?: number;
  readonly failed?: (error: unknown) => void;
}

/** A server that runs. */
export interface AdmissionServer {
  /** `HOST:PORT` as bound. */
  readonly address: string;
  readonly url: string;
  /** Shows another certificate to connections from now on. @throws ADMISSION_LISTEN_FAILED */
  renew(tls: ServerCertificate): void;
  /** Takes no more questions, lets those under way end, and then ends them. */
  close(): Promise<void>;
}

const strictly: ServerOptions = {
  insecureHTTPParser: false,
  requireHostHeader: true,
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  // A question with its body: no caller waits longer than 30 s.
  requestTimeout: 40_000,
  keepAliveTimeout: 90_000,
  connectionsCheckingInterval: 2000,
  noDelay: true,
};

const secure = { minVersion: "TLSv1.2" } as const;
const mostConnections = 2048;
/** Milliseconds without a byte after which a connection ends, whoever is slow. */
const silenceMs = 100_000;

/** Starts it. @throws ADMISSION_LISTEN_FAILED */
export async function admissionServer(settings: AdmissionServerSettings): Promise<AdmissionServer> {
  const { tls, listen, readiness = () => ({ ready: true, problems: [] }) } = settings;
  const state = { expires: tls === undefined ? undefined : expiryOf(tls) };
  let isClosing = false;
  const handler = admissionHandler({
    ...settings,
    metrics: new AdmissionMetrics(),
    readiness: () => (isClosing ? { ready: false, problems: ["the service ends"] } : readiness()),
    demandsCallers: settings.callers !== undefined,
    limits: { ...defaultLimits, ...settings.limits },
    failed: settings.failed ?? (() => undefined),
    gauges: async () => ({
      ...(await settings.gauges?.()),
      ...(state.expires === undefined ? {} : { touchmark_admission_certificate_expiry_seconds: state.expires }),
    }),
  });
  const server = tls === undefined ? createServer(strictly, handler) : secured(settings, tls, handler);
  server.on("clientError", refuseRequest);
  server.on("upgrade", (_request, socket) => socket.destroy());
  server.on("connect", (_request, socket) => socket.destroy());
  server.maxConnections = mostConnections;
  server.timeout = silenceMs;
  await listening(server, listen);
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : listen.port;
  const address = `${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${port}`;
  return {
    address,
    url: `${tls === undefined ? "http" : "https"}://${address}`,
    renew(next) {
      const expires = expiryOf(next);
      if (server instanceof TlsServer) server.setSecureContext(secureContext(settings, next));
      state.expires = expires;
    },
    close() {
      isClosing = true;
      return closed(server, settings.closeSeconds ?? 30);
    },
  };
}

function secured(
  settings: AdmissionServerSettings,
  tls: ServerCertificate,
  handler: ReturnType<typeof admissionHandler>,
) {
  const asks = settings.callers !== undefined;
  const options = { ...strictly, ...secureContext(settings, tls), handshakeTimeout: 10_000 };
  // Probes come without a certificate: who may ask is decided for each request.
  return createTlsServer({ ...options, requestCert: asks, rejectUnauthorized: false }, handler);
}

function secureContext({ callers }: AdmissionServerSettings, tls: ServerCertificate) {
  return { ...secure, cert: tls.certificate, key: tls.key, ...(callers === undefined ? {} : { ca: callers }) };
}

/** Seconds since 1970 when the certificate expires. @throws ADMISSION_LISTEN_FAILED when certificate and key are no pair */
function expiryOf(tls: ServerCertificate): number {
  try {
    const certificate = new X509Certificate(tls.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(tls.key))) throw new Error("the key is of another certificate");
    return Date.parse(certificate.validTo) / 1000;
  } catch (cause) {
    throw serverErrors.make("ADMISSION_LISTEN_FAILED", "expected a certificate and its key in PEM", { cause });
  }
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
  const body = refusalBytes(
    serverErrors.make("ADMISSION_REQUEST_MALFORMED", "expected one HTTP/1.1 request"),
  ).toString();
  const header = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${header}\r\n\r\n${body}`);
}

function listening(server: Server, { host, port }: AdmissionServerSettings["listen"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(serverErrors.make("ADMISSION_LISTEN_FAILED", `expected to listen at ${host}:${port}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
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
