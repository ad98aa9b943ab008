import {
  type AgentOptions,
  type ClientRequestArgs,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { isLoopbackHost, isPrivateAddress } from "./addresses.ts";
import { proxyErrors } from "./errors.ts";
import { privateAddress, publicLookup } from "./public-lookup.ts";
import {
  defaultPatience,
  namedAuthorities,
  type Patience,
  trustedAuthorities,
  type UpstreamSettings,
} from "./settings.ts";
import { bareHost } from "./target.ts";
import { failureOf, Transient } from "./transient.ts";
import { openTunnel, proxyChoice, type UserProxy } from "./user-proxy.ts";

/** Most bytes of the headers of an answer. */
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_HEADERS = 256;
/** Connections to one host at once. */
const MAX_SOCKETS = 24;

/** One question to an upstream. */
export interface Question {
  readonly url: URL;
  readonly method: string;
  /** Complete but for host and framing. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
}

/** The head of an answer; the body is read from `message`. */
export interface UpstreamHead {
  readonly message: IncomingMessage;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What went wrong on the connection after the body's announced end. */
  late(): Error | undefined;
}

/** Connections to upstreams: verified TLS, the user's proxy and authorities, names resolved and judged here. */
export interface UpstreamTransport {
  readonly patience: Patience;
  /** Asks, and answers when the head is there. @throws Transient for what may go better, else PROXY_UPSTREAM_… */
  ask(question: Question): Promise<UpstreamHead>;
  close(): void;
}

/** @throws PROXY_SETTINGS_INVALID; SPEC P8 */
export function openTransport(settings: UpstreamSettings): UpstreamTransport {
  const patience = { ...defaultPatience, ...settings.patience };
  namedAuthorities(settings);
  // Made when it is first needed: a step that the mirror serves alone needs none.
  let context: SecureContext | undefined;
  const trust = (): SecureContext => {
    context ??= createSecureContext({ ca: [...trustedAuthorities(settings)], minVersion: "TLSv1.2" });
    return context;
  };
  const choose = proxyChoice(settings);
  const base: AgentOptions = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    maxFreeSockets: 8,
    timeout: 0,
    keepAliveMsecs: 15_000,
  };
  const agents = new Map<string, HttpAgent>();

  // One agent for each way out, so that a connection that one rule allowed is never used under another.
  const agentFor = (url: URL, allowPrivate: boolean, proxy: UserProxy | undefined): HttpAgent => {
    const name = `${url.protocol}${allowPrivate}${proxy === undefined ? "" : `${proxy.host}:${proxy.port}`}`;
    let agent = agents.get(name);
    if (agent === undefined) {
      const lookup = allowPrivate || proxy !== undefined ? undefined : publicLookup;
      const options = { ...base, ...(lookup === undefined ? {} : { lookup }) };
      if (url.protocol === "http:")
        agent = proxy?.scheme === "https" ? new HttpsAgent(options) : new HttpAgent(options);
      else agent = proxy === undefined ? new HttpsAgent(options) : new TunnelAgent(options, proxy, patience.connectMs);
      agents.set(name, agent);
    }
    return agent;
  };

  return {
    patience,
    ask: (question) => {
      const { url, allowPrivate } = question;
      const host = bareHost(url.hostname);
      if (!allowPrivate && (isLoopbackHost(host) || (isIP(host) !== 0 && isPrivateAddress(host)))) {
        return Promise.reject(privateAddress(host, host));
      }
      const proxy = choose(url);
      const forwarded = proxy !== undefined && url.protocol === "http:" ? proxy : undefined;
      const secure = forwarded === undefined ? url.protocol === "https:" : forwarded.scheme === "https";
      const name = forwarded?.host ?? host;
      const options: ClientRequestArgs & { servername?: string; secureContext?: SecureContext } = {
        agent: agentFor(url, allowPrivate, proxy),
        host: name,
        port: forwarded?.port ?? (url.port === "" ? (url.protocol === "http:" ? 80 : 443) : Number(url.port)),
        // Not path and search: an empty query would get lost.
        path: forwarded === undefined ? url.href.slice(url.origin.length) : url.href,
        method: question.method,
        headers: {
          ...sendable(question.headers),
          host: url.host,
          ...(forwarded?.credentials === undefined ? {} : { "proxy-authorization": forwarded.credentials }),
          ...(question.body === undefined ? {} : { "content-length": String(question.body.length) }),
        },
        setHost: false,
        maxHeaderSize: MAX_HEADER_BYTES,
        insecureHTTPParser: false,
        // Said here: Node would take it from the Host header, which is not the user's proxy.
        ...(secure ? { servername: isIP(name) === 0 ? name : "", secureContext: trust() } : {}),
      };
      return send(secure, options, question, patience);
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** HTTPS through the user's proxy. */
class TunnelAgent extends HttpsAgent {
  readonly #proxy: UserProxy;
  readonly #timeoutMs: number;

  constructor(options: AgentOptions, proxy: UserProxy, timeoutMs: number) {
    super(options);
    this.#proxy = proxy;
    this.#timeoutMs = timeoutMs;
  }

  override createConnection(
    options: Parameters<HttpsAgent["createConnection"]>[0] & { secureContext?: SecureContext },
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#connect(options, callback as (error: Error | null, stream?: Duplex) => void);
    return undefined;
  }

  async #connect(
    options: Parameters<HttpsAgent["createConnection"]>[0] & {
      servername?: string | undefined;
      secureContext?: SecureContext | undefined;
    },
    done: (error: Error | null, stream?: Duplex) => void,
  ): Promise<void> {
    const { host, port, servername = "", secureContext = createSecureContext() } = options;
    const name = host ?? "";
    try {
      const socket = await openTunnel(this.#proxy, name, Number(port), secureContext, this.#timeoutMs);
      done(null, connectTls({ socket, host: name, servername, secureContext }));
    } catch (error) {
      done(error as Error);
    }
  }
}

/** Framing and the connection are the transport's own. */
function sendable(headers: Readonly<Record<string, string>>): Record<string, string> {
  const own = new Set(["host", "connection", "content-length", "transfer-encoding", "upgrade", "expect", "keep-alive"]);
  const sent: Record<string, string> = { "accept-encoding": "identity" };
  for (const [name, value] of Object.entries(headers))
    if (!own.has(name.toLowerCase())) sent[name.toLowerCase()] = value;
  return sent;
}

function send(
  secure: boolean,
  options: ClientRequestArgs,
  question: Question,
  patience: Patience,
): Promise<UpstreamHead> {
  return new Promise((resolve, reject) => {
    let answered = false;
    let late: Error | undefined;
    const request = (secure ? httpsRequest : httpRequest)({ ...options, signal: question.signal });
    const slow = (what: string) => () =>
      request.destroy(
        new Transient(
          proxyErrors.make("PROXY_UPSTREAM_SLOW", `expected ${what} of ${question.url.host} in time, found none`),
        ),
      );
    let timer: NodeJS.Timeout | undefined;
    const connected = (): void => {
      clearTimeout(timer);
      timer = setTimeout(slow("an answer"), patience.headMs);
    };
    // Waiting for a turn among the connections to one host is no fault of the host.
    request.once("socket", (socket) => {
      timer = setTimeout(slow("a connection"), patience.connectMs);
      if (!socket.connecting) connected();
      else socket.once(secure ? "secureConnect" : "connect", () => !answered && connected());
    });
    request.on("error", (error) => {
      clearTimeout(timer);
      if (answered) late = error;
      else reject(failureOf(error, question.url, request.reusedSocket));
    });
    request.on("upgrade", (_message, socket) => {
      socket.destroy();
      clearTimeout(timer);
      reject(
        proxyErrors.make("PROXY_UPSTREAM_PROTOCOL", `expected an answer of ${question.url.host}, found an upgrade`),
      );
    });
    request.once("response", (message) => {
      answered = true;
      clearTimeout(timer);
      if (message.rawHeaders.length / 2 > MAX_HEADERS) {
        message.destroy();
        reject(
          proxyErrors.make(
            "PROXY_UPSTREAM_HEADERS",
            `expected at most ${MAX_HEADERS} headers of ${question.url.host}, found ${message.rawHeaders.length / 2}`,
          ),
        );
        return;
      }
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(message.headers)) if (typeof value === "string") headers[name] = value;
      // An error without a listener would end the process; readers see it through the stream.
      message.on("error", () => {});
      resolve({ message, status: message.statusCode ?? 0, headers, late: () => late });
    });
    request.end(question.body);
  });
}
