import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { proxyErrors } from "./errors.ts";

/** How the control plane reaches the outside: the user's own proxy and authorities, and patience. */
export interface UpstreamSettings {
  /** Values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY; proxy addresses may carry credentials, which go nowhere else. */
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly none?: string };
  /** PEM files and directories of PEM files, trusted beside Node's and the system's authorities. */
  readonly authorities?: { readonly files?: readonly string[]; readonly directories?: readonly string[] };
  readonly patience?: Partial<Patience>;
}

/** Time-outs in milliseconds, and how often to try. */
export interface Patience {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** From the request to the head of the answer. */
  readonly headMs: number;
  /** Between two pieces of a body. */
  readonly idleMs: number;
  /** For one answer with all attempts. */
  readonly totalMs: number;
  /** Attempts for one answer, the first included. */
  readonly attempts: number;
  /** First pause between attempts; doubles, with jitter. */
  readonly pauseMs: number;
  /** Longest pause; an upstream that asks for a longer one is given up. */
  readonly longestPauseMs: number;
}

export const defaultPatience: Patience = {
  connectMs: 20_000,
  headMs: 60_000,
  idleMs: 60_000,
  totalMs: 3_600_000,
  attempts: 5,
  pauseMs: 250,
  longestPauseMs: 30_000,
};

/** Variables that name one PEM file, and those that name directories. */
const fileVariables = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] as const;
const MAX_AUTHORITY_BYTES = 8 * 1024 * 1024;
const MAX_FILES = 2000;

/** The settings that the user's environment variables ask for. */
export function upstreamSettings(environment: Readonly<Record<string, string | undefined>>): UpstreamSettings {
  const either = (name: string): string | undefined =>
    nonEmpty(environment[name.toLowerCase()]) ?? nonEmpty(environment[name]);
  const all = either("ALL_PROXY");
  // A web server's CGI interface sets HTTP_PROXY from a request header: there only the lower-case name counts.
  const http = (environment.REQUEST_METHOD === undefined ? either("HTTP_PROXY") : environment.http_proxy) ?? all;
  const https = either("HTTPS_PROXY") ?? all;
  const none = either("NO_PROXY");
  const directories = nonEmpty(environment.SSL_CERT_DIR);
  return {
    proxy: {
      ...(http === undefined ? {} : { http }),
      ...(https === undefined ? {} : { https }),
      ...(none === undefined ? {} : { none }),
    },
    authorities: {
      files: [...new Set(fileVariables.flatMap((name) => nonEmpty(environment[name]) ?? []))],
      directories: directories === undefined ? [] : directories.split(":").filter((each) => each !== ""),
    },
  };
}

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** Where distributions keep their bundle. Reading it is a hundred times faster than asking OpenSSL for the same. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

/**
 * Certificates of the files that the settings name. One that is missing or holds none is an error.
 * @throws PROXY_SETTINGS_INVALID
 */
export function namedAuthorities(settings: UpstreamSettings): readonly string[] {
  return (settings.authorities?.files ?? []).flatMap((path) => {
    const certificates = certificatesOf(path);
    if (certificates.length === 0) {
      throw proxyErrors.make("PROXY_SETTINGS_INVALID", `expected PEM certificates in ${path}, found none`);
    }
    return certificates;
  });
}

/**
 * PEM certificates to trust: Node's, the system's, and those that the settings name. In directories everything that is
 * no certificate is passed over. @throws PROXY_SETTINGS_INVALID
 */
export function trustedAuthorities(settings: UpstreamSettings): readonly string[] {
  const system = systemBundles.map(certificatesOf).find((each) => each.length > 0);
  const found = new Map<string, string>();
  for (const certificate of [
    ...getCACertificates("default"),
    ...(system ?? getCACertificates("system")),
    ...namedAuthorities(settings),
    ...(settings.authorities?.directories ?? []).flatMap(certificatesIn),
  ]) {
    found.set(certificate.replace(/\s+/g, ""), certificate);
  }
  return [...found.values()];
}

function certificatesIn(directory: string): readonly string[] {
  try {
    // Hashed names (1a2b3c4d.0) are links to the others.
    const names = readdirSync(directory).filter((name) => /\.(pem|crt|cer)$/.test(name));
    return names.slice(0, MAX_FILES).flatMap((name) => certificatesOf(join(directory, name)));
  } catch {
    return [];
  }
}

function certificatesOf(path: string): readonly string[] {
  try {
    if (statSync(path).size > MAX_AUTHORITY_BYTES) return [];
    const pem = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
    return (readFileSync(path, "latin1").match(pem) ?? []).map((each) => `${each.replace(/\r/g, "")}\n`);
  } catch {
    return [];
  }
}
