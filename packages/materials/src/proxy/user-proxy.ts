import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { isLoopbackHost } from "./addresses.ts";
import { proxyErrors } from "./errors.ts";
import type { UpstreamSettings } from "./settings.ts";
import { bareHost } from "./target.ts";

/** The user's own proxy, as its variable names it. */
export interface UserProxy {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Value of Proxy-Authorization. */
  readonly credentials?: string;
}

/** Which proxy of the user an address goes through; undefined for none. */
export type ProxyChoice = (url: URL) => UserProxy | undefined;

/** Reads the user's proxy settings. @throws PROXY_SETTINGS_INVALID */
export function proxyChoice(settings: UpstreamSettings): ProxyChoice {
  const http = readProxy("HTTP_PROXY", settings.proxy?.http);
  const https = readProxy("HTTPS_PROXY", settings.proxy?.https);
  const exempt = exemption(settings.proxy?.none ?? "");
  return (url) => {
    const host = bareHost(url.hostname);
    if (isLoopbackHost(host) || exempt(host, url.port === "" ? (url.protocol === "http:" ? "80" : "443") : url.port)) {
      return undefined;
    }
    return url.protocol === "http:" ? http : https;
  };
}

function readProxy(name: string, text: string | undefined): UserProxy | undefined {
  if (text === undefined || text === "") return undefined;
  let url: URL | undefined;
  try {
    url = new URL(text.includes("://") ? text : `http://${text}`);
  } catch {}
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") {
    throw proxyErrors.make("PROXY_SETTINGS_INVALID", `expected an http or https address in ${name}, found another`);
  }
  const scheme = url.protocol === "http:" ? "http" : "https";
  const secret = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    scheme,
    host: bareHost(url.hostname),
    port: url.port === "" ? (scheme === "http" ? 80 : 443) : Number(url.port),
    ...(secret === ":" ? {} : { credentials: `Basic ${Buffer.from(secret).toString("base64")}` }),
  };
}

/** NO_PROXY: names (with all below them), addresses, networks, `*`; each with an optional port. */
function exemption(text: string): (host: string, port: string) => boolean {
  const entries = text.split(/[\s,]+/).filter((each) => each !== "");
  const networks = new BlockList();
  const names: { readonly name: string; readonly port: string | undefined }[] = [];
  for (const entry of entries) {
    const [, net = "", bits] = /^([0-9A-Fa-f.:]+)\/([0-9]{1,3})$/.exec(entry) ?? [];
    const family = isIP(net);
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) {
      networks.addSubnet(net, Number(bits), family === 4 ? "ipv4" : "ipv6");
      continue;
    }
    const [, name = entry, port] = isIP(entry) === 0 ? (/^(.*?):([0-9]+)$/.exec(entry) ?? []) : [];
    names.push({ name: bareHost(name.toLowerCase()).replace(/^\*?\./, ""), port });
  }
  return (host, port) => {
    const family = isIP(host);
    if (family !== 0 && networks.check(host, family === 4 ? "ipv4" : "ipv6")) return true;
    return names.some(
      (each) =>
        (each.port === undefined || each.port === port) &&
        (each.name === "*" || host === each.name || (family === 0 && host.endsWith(`.${each.name}`))),
    );
  };
}

/** A tunnel through the user's proxy to a host. Errors name the proxy's host, never its credentials. */
export function openTunnel(
  proxy: UserProxy,
  host: string,
  port: number,
  secureContext: SecureContext,
  timeoutMs: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const failed = (reason: string, cause?: unknown): void =>
      reject(
        proxyErrors.make(
          "PROXY_UPSTREAM_UNREACHABLE",
          `expected a tunnel through the proxy ${proxy.host}, found ${reason}`,
          {
            cause,
          },
        ),
      );
    const request = (proxy.scheme === "http" ? httpRequest : httpsRequest)({
      host: proxy.host,
      port: proxy.port,
      method: "CONNECT",
      path: target,
      headers: {
        host: target,
        ...(proxy.credentials === undefined ? {} : { "proxy-authorization": proxy.credentials }),
      },
      agent: false,
      timeout: timeoutMs,
      // Its own name: Node would take that of the Host header.
      ...(proxy.scheme === "https" ? { secureContext, servername: isIP(proxy.host) === 0 ? proxy.host : "" } : {}),
    });
    request.once("connect", (response, socket, head) => {
      socket.setTimeout(0);
      if (response.statusCode !== 200 || head.length > 0) {
        socket.destroy();
        failed(`status ${response.statusCode}`);
      } else resolve(socket);
    });
    request.once("response", (response) => {
      response.destroy();
      failed(`status ${response.statusCode}`);
    });
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", (error) => failed(error.message, error));
    request.end();
  });
}
