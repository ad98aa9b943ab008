import { readFileSync, statSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { clientErrors } from "./errors.ts";

/** Time-outs in milliseconds, and how often to try. */
export interface ClientPatience {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** From the request to the head of the answer. */
  readonly headMs: number;
  /** Between two pieces of a body, either way. */
  readonly idleMs: number;
  /** Attempts for one request or transfer, the first included. */
  readonly attempts: number;
  /** First pause between attempts; doubles, with jitter. */
  readonly pauseMs: number;
  /** Longest pause; a registry that asks for a longer one is given up. */
  readonly longestPauseMs: number;
}

export const defaultPatience: ClientPatience = {
  connectMs: 20_000,
  headMs: 60_000,
  idleMs: 60_000,
  attempts: 5,
  pauseMs: 200,
  longestPauseMs: 30_000,
};

/** The user's own proxy, as its variables say. */
export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  readonly none?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Proxy variables in both spellings. @throws OCI_CLIENT_SETTINGS_INVALID */
export function proxySettings(environment: Environment): ProxySettings {
  const either = (name: string): string | undefined =>
    environment[name.toLowerCase()] || environment[name] || undefined;
  const all = either("ALL_PROXY");
  const http = either("HTTP_PROXY") ?? all;
  const https = either("HTTPS_PROXY") ?? all;
  const none = either("NO_PROXY");
  for (const text of [http, https]) {
    if (text === undefined) continue;
    const url = URL.parse(text.includes("://") ? text : `http://${text}`);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      // Not shown: it may carry a password.
      throw clientErrors.make(
        "OCI_CLIENT_SETTINGS_INVALID",
        "expected an http or https address as proxy, found another",
      );
    }
  }
  return {
    ...(http === undefined ? {} : { http: http.includes("://") ? http : `http://${http}` }),
    ...(https === undefined ? {} : { https: https.includes("://") ? https : `http://${https}` }),
    ...(none === undefined ? {} : { none }),
  };
}

/** Where distributions keep their bundle. Reading it is a hundred times faster than asking OpenSSL for the same. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;
const MAX_AUTHORITY_BYTES = 8 * 1024 * 1024;

/** PEM certificates to trust: Node's with NODE_EXTRA_CA_CERTS, the system's, and those of the named files. @throws OCI_CLIENT_SETTINGS_INVALID */
export function trustedAuthorities(files: readonly string[]): string[] {
  const system = systemBundles.map(certificatesOf).find((each) => each.length > 0) ?? getCACertificates("system");
  const named = files.flatMap((path) => {
    const found = certificatesOf(path);
    if (found.length > 0) return found;
    throw clientErrors.make("OCI_CLIENT_SETTINGS_INVALID", `expected PEM certificates in ${path}, found none`);
  });
  return [...new Set([...getCACertificates("default"), ...system, ...named].map((each) => each.trim()))];
}

/** The file that SSL_CERT_FILE names, beside what Node reads itself. */
export const authorityFiles = (environment: Environment): string[] =>
  environment.SSL_CERT_FILE ? [environment.SSL_CERT_FILE] : [];

function certificatesOf(path: string): readonly string[] {
  try {
    if (statSync(path).size > MAX_AUTHORITY_BYTES) return [];
    const pem = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
    return readFileSync(path, "latin1").match(pem) ?? [];
  } catch {
    return [];
  }
}
