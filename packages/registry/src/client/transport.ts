import { lookup as resolveName } from "node:dns";
import { type AgentOptions, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { pipeline } from "node:stream/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { isFactoryError } from "@touchmark/core";
import { bareHost, isLoopbackHost, isPrivateAddress, isPrivateHost } from "./addresses.ts";
import { clientErrors } from "./errors.ts";
import { type ClientPatience, type ProxySettings, trustedAuthorities } from "./settings.ts";

const MAX_HEADER_BYTES = 64 * 1024;
const MAX_HEADERS = 128;

/** One request to a registry, a token service, or where a redirect leads. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** The host may have a private address: the user named it, or a private one did. */
  readonly allowPrivate: boolean;
}

/** The head of an answer; the body is read from `message`, or dropped with `drop`. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly message: IncomingMessage;
  /** Where it came from; undefined through a proxy. */
  readonly remote: string | undefined;
}

/** Connections to registries: verified TLS, the user's proxy and authorities, bounded in number, size and time. */
export interface Transport {
  /** @throws OCI_CLIENT_UNREACHABLE | _SLOW | _TLS | _PROTOCOL | _PRIVATE_ADDRESS, and what the body's source throws */
  ask(question: Question): Promise<Answer>;
  close(): void;
}

interface TransportOptions {
  readonly patience: ClientPatience;
  readonly proxy: ProxySettings;
  readonly authorities: readonly string[];
  /** Connections to one host at once. */
  readonly connections: number;
}

/** Opens connections when they are asked for. @throws OCI_CLIENT_SETTINGS_INVALID when the first TLS connection needs authorities */
export function openTransport({ patience, proxy, authorities, connections }: TransportOptions): Transport {
  const agents = new Map<string, HttpAgent>();
  let context: SecureContext | undefined;
  const trust = (): SecureContext => {
    context ??= createSecureContext({ ca: trustedAuthorities(authorities), minVersion: "TLSv1.2" });
    return context;
  };
  const proxied = (url: URL): boolean =>
    (url.protocol === "https:" ? proxy.https : proxy.http) !== undefined && !isLoopbackHost(url.hostname);
  // One agent for each way out: a connection that one rule allowed is never used under another.
  const agentFor = (url: URL, allowPrivate: boolean): HttpAgent => {
    const through = proxied(url);
    const name = `${url.protocol}${allowPrivate}${through}`;
    const existing = agents.get(name);
    if (existing !== undefined) return existing;
    const options: AgentOptions = {
      keepAlive: true,
      maxSockets: connections,
      ...(through ? { proxyEnv: proxyVariables(proxy) } : {}),
      ...(allowPrivate || through ? {} : { lookup: publicLookup }),
    };
    const agent = url.protocol === "https:" ? new HttpsAgent(options) : new HttpAgent(options);
    agents.set(name, agent);
    return agent;
  };
  return {
    ask: (question) => {
      const { url, allowPrivate } = question;
      if (!allowPrivate && isPrivateHost(url.hostname))
        return Promise.reject(privateAddress(url.hostname, url.hostname));
      const host = bareHost(url.hostname);
      const secure = url.protocol === "https:";
      const tls = secure ? { secureContext: trust(), servername: isIP(host) === 0 ? host : "" } : {};
      const options = {
        agent: agentFor(url, allowPrivate),
        maxHeaderSize: MAX_HEADER_BYTES,
        insecureHTTPParser: false,
      };
      const request = (secure ? httpsRequest : httpRequest)(url, {
        ...options,
        ...tls,
        method: question.method,
        headers: { "user-agent": "touchmark", "accept-encoding": "identity", ...question.headers },
      });
      return exchange(request, question, patience, proxied(url));
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

const proxyVariables = (proxy: ProxySettings): NodeJS.ProcessEnv => ({
  ...(proxy.http === undefined ? {} : { HTTP_PROXY: proxy.http }),
  ...(proxy.https === undefined ? {} : { HTTPS_PROXY: proxy.https }),
  ...(proxy.none === undefined ? {} : { NO_PROXY: proxy.none }),
});

function exchange(
  request: ReturnType<typeof httpRequest>,
  { url, body }: Question,
  patience: ClientPatience,
  proxied: boolean,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let answered = false;
    const wait = (ms: number, what: string): void => {
      clearTimeout(timer);
      if (answered) return;
      timer = setTimeout(() => {
        request.destroy(clientErrors.make("OCI_CLIENT_SLOW", `expected ${what} of ${url.host} in time, found none`));
      }, ms);
    };
    const fail = (error: unknown): void => {
      // What was being sent when the answer came is nobody's loss.
      if (answered) return;
      clearTimeout(timer);
      request.destroy();
      reject(failureOf(error, url));
    };
    // Waiting for a turn among the connections to one host is no fault of the host.
    request.once("socket", (socket) => {
      const connected = (): void => wait(patience.headMs, "an answer");
      if (!socket.connecting) return connected();
      wait(patience.connectMs, "a connection");
      socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
    });
    request.on("error", fail);
    request.once("upgrade", (_message, socket) => {
      socket.destroy();
      fail(clientErrors.make("OCI_CLIENT_PROTOCOL", `expected an answer of ${url.host}, found an upgrade`));
    });
    request.once("response", (message) => {
      clearTimeout(timer);
      message.on("error", () => {});
      const packed = message.headers["content-encoding"];
      const found = message.rawHeaders.length / 2;
      if (found > MAX_HEADERS || (packed !== undefined && packed !== "identity")) {
        const wrong = found > MAX_HEADERS ? `${found} headers` : `content-encoding ${String(packed).slice(0, 40)}`;
        return fail(clientErrors.make("OCI_CLIENT_PROTOCOL", `expected a plain answer of ${url.host}, found ${wrong}`));
      }
      answered = true;
      message.setTimeout(patience.idleMs, () => {
        message.destroy(clientErrors.make("OCI_CLIENT_SLOW", `expected more from ${url.host} in time, found nothing`));
      });
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(message.headers)) if (typeof value === "string") headers[name] = value;
      // Of a body that is still being sent nothing more is wanted.
      if (!request.writableEnded) message.once("end", () => request.destroy());
      resolve({
        status: message.statusCode ?? 0,
        headers,
        message,
        remote: proxied ? undefined : message.socket.remoteAddress,
      });
    });
    if (body === undefined || body instanceof Uint8Array) request.end(body);
    else
      pipeline(
        watched(body(), () => wait(patience.headMs, "progress")),
        request,
      ).catch(fail);
  });
}

/** Each piece that goes out starts the wait for the next anew. */
async function* watched(chunks: AsyncIterable<Uint8Array>, moved: () => void): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    moved();
    yield chunk;
  }
  moved();
}

/** Resolves names, and refuses when any of the addresses is private: the one that was judged is the one that is used. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0);
    const wrong = addresses.find((each) => isPrivateAddress(each.address));
    const [first] = addresses;
    if (wrong !== undefined || first === undefined) {
      return callback(privateAddress(hostname, wrong?.address ?? "nothing"), "", 0);
    }
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
  });
};

const privateAddress = (host: string, address: string) =>
  clientErrors.make("OCI_CLIENT_PRIVATE_ADDRESS", `expected a public address of ${host}, found ${address}`);

function failureOf(error: unknown, url: URL): Error {
  if (isFactoryError(error)) return error;
  const { code = "", message } = error as Error & { code?: string };
  const found = `found ${code}: ${message.slice(0, 200)}`;
  if (code.startsWith("HPE_"))
    return clientErrors.make("OCI_CLIENT_PROTOCOL", `expected HTTP from ${url.host}, ${found}`);
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER|CRL|EPROTO|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/.test(code)) {
    return clientErrors.make("OCI_CLIENT_TLS", `expected a trusted certificate of ${url.host}, ${found}`, {
      cause: error,
    });
  }
  return clientErrors.make("OCI_CLIENT_UNREACHABLE", `expected a connection to ${url.host}, ${found}`, {
    cause: error,
  });
}
