import { isIP, isIPv6 } from "node:net";
import { registryConfigurationErrors } from "./errors.ts";

/** Where a registry listens. Port 0 takes a free one. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly socket: string };

/** Where a registry listens when nobody says. */
export const defaultListen = "127.0.0.1:5000";

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** Reads HOST:PORT, [ADDRESS]:PORT or unix:PATH; a port alone stands for this host. @throws REGISTRY_CONFIG_LISTEN_INVALID */
export function parseListen(text: string): ListenAddress {
  if (text.startsWith("unix:/") && text.length < 105 && !text.includes("\0")) return { socket: text.slice(5) };
  const match = /^(?:(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})?:)?(0|[1-9][0-9]{0,4})$/.exec(text);
  const [, written = "127.0.0.1", digits = ""] = match ?? [];
  const host = written.replace(/^\[|\]$/g, "");
  const port = Number(digits);
  const isAddress = written.startsWith("[") ? isIPv6(host) : isIP(host) === 4 || isName(host);
  if (match === null || port > 65_535 || !isAddress) {
    throw registryConfigurationErrors.make(
      "REGISTRY_CONFIG_LISTEN_INVALID",
      `expected HOST:PORT, [ADDRESS]:PORT or unix:PATH, found ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
  return { host, port };
}

/** A DNS name; what looks like a number is an address or nothing. */
export function isName(host: string): boolean {
  return hostName.test(host) && !/(?:^|\.)[0-9]+$/.test(host);
}

/** True when nobody beyond this host can reach it. */
export function isLocal(listen: ListenAddress): boolean {
  if ("socket" in listen) return true;
  const host = listen.host.toLowerCase();
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** True when it stands for every address of this host, so that it is no address for clients. */
export function isWildcard(listen: ListenAddress): boolean {
  return "host" in listen && /^(?:0\.0\.0\.0|[0:]+)$/.test(listen.host);
}
