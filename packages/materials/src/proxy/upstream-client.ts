import { proxyErrors } from "./errors.ts";
import { fetchBody } from "./fetch-body.ts";
import type { UpstreamSettings } from "./settings.ts";
import { openTransport } from "./transport.ts";

/** A small file from upstream, in memory. */
export interface SmallFile {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Conditions of a small file. */
export interface SmallFileOptions {
  /** Most bytes; default 8 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** The address is configured, and may be a private one. */
  readonly allowPrivate?: boolean;
  /** Asked for each redirect; throws to refuse. Without it redirects are followed within the same origin only. */
  readonly redirect?: (to: URL) => Promise<Readonly<Record<string, string>>>;
}

/** Fetches small files that parts of the session need (signatures, proofs), with the proxy's TLS, proxy and time rules. */
export interface UpstreamClient {
  /** @throws PROXY_UPSTREAM_… | PROXY_REDIRECT_… | PROXY_ANSWER_TOO_LARGE */
  get(url: URL, headers?: Readonly<Record<string, string>>, options?: SmallFileOptions): Promise<SmallFile>;
  close(): void;
}

const DEFAULT_BYTES = 8 * 1024 * 1024;
/** Nothing small is worth a long wait: who asks can do without, and says so. */
const smallPatience = { connectMs: 10_000, headMs: 20_000, idleMs: 20_000, totalMs: 60_000, attempts: 2 } as const;

/** @throws PROXY_SETTINGS_INVALID; SPEC P14 */
export function upstreamClient(settings: UpstreamSettings): UpstreamClient {
  const transport = openTransport({ ...settings, patience: { ...smallPatience, ...settings.patience } });
  return {
    get: async (url, headers = {}, options = {}) => {
      const chunks: Uint8Array[] = [];
      const arrived = await fetchBody(
        transport,
        { method: "GET" },
        {
          kind: "upstream",
          url,
          headers,
          maxBytes: options.maxBytes ?? DEFAULT_BYTES,
          allowPrivate: options.allowPrivate ?? false,
          algorithms: [],
          redirect:
            options.redirect ??
            (async (to) => {
              if (to.origin !== url.origin) {
                throw proxyErrors.make(
                  "PROXY_REDIRECT_REFUSED",
                  `expected ${url.origin} to answer, found ${to.origin}`,
                );
              }
              return headers;
            }),
          quarantine: async () => ({
            path: "",
            // A chunk may be a view of a buffer that is used again.
            write: async (chunk) => void chunks.push(Uint8Array.from(chunk)),
            close: async () => {},
          }),
          settle: () => Promise.reject(new TypeError("nothing is settled here")),
          abandon: async () => {},
        },
        options.signal ?? new AbortController().signal,
        { onHead: () => {}, onProgress: () => {}, onBytes: () => {}, onRetry: () => {} },
      );
      return { status: arrived.status, headers: arrived.headers, bytes: Buffer.concat(chunks) };
    },
    close: () => transport.close(),
  };
}
