import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isLoopback } from "./configuration.ts";
import { advisoryFeedErrors } from "./errors.ts";

/** What a server is asked. */
export interface FeedRequest {
  readonly url: string;
  /** File that the bytes are written to; it must not exist. */
  readonly file: string;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly signal?: AbortSignal;
}

/** What a server answered. */
export type FeedAnswer =
  | { readonly outcome: "unchanged" }
  | { readonly outcome: "fetched"; readonly etag?: string; readonly lastModified?: string };

/** Fetches one feed. */
export type FetchFeed = (request: FeedRequest) => Promise<FeedAnswer>;

const largestFeed = 4 * 2 ** 30;
const mostRedirects = 5;
const silenceMs = 60_000;

/**
 * Fetches a feed by http(s), if it changed since `etag` or `lastModified`. Redirects never leave https for plain http;
 * nothing of a broken answer stays. @throws ADVISORY_FEED_UNREACHABLE
 */
export const fetchFeed: FetchFeed = async (request) => {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error("nothing came for a minute")), silenceMs);
  const signals = [silence.signal, ...(request.signal === undefined ? [] : [request.signal])];
  try {
    const response = await follow(request, AbortSignal.any(signals));
    if (response.status === 304) return { outcome: "unchanged" };
    if (response.status !== 200 || response.body === null) throw new Error(`it answered ${response.status}`);
    let bytes = 0;
    const bound = new Transform({
      transform(chunk: Uint8Array, _, done) {
        timer.refresh();
        bytes += chunk.length;
        done(bytes > largestFeed ? new Error(`it is larger than ${largestFeed} bytes`) : null, chunk);
      },
    });
    const output = createWriteStream(request.file, { flags: "wx", mode: 0o600 });
    await pipeline(Readable.fromWeb(response.body), bound, output, { signal: AbortSignal.any(signals) });
    const length = response.headers.get("content-length");
    const isPacked = response.headers.has("content-encoding");
    if (length !== null && !isPacked && Number(length) !== bytes)
      throw new Error(`it sent ${bytes} of ${length} bytes`);
    const etag = header(response, "etag");
    const lastModified = header(response, "last-modified");
    return {
      outcome: "fetched",
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    };
  } catch (cause) {
    await rm(request.file, { force: true });
    request.signal?.throwIfAborted();
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : "";
    throw advisoryFeedErrors.make(
      "ADVISORY_FEED_UNREACHABLE",
      `expected a feed at ${new URL(request.url).origin}, but ${why.slice(0, 200)}`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
};

async function follow({ url, etag, lastModified }: FeedRequest, signal: AbortSignal): Promise<Response> {
  let at = new URL(url);
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const headers = {
      "accept-encoding": "identity",
      "user-agent": "touchmark",
      ...(etag === undefined ? {} : { "if-none-match": etag }),
      ...(lastModified === undefined ? {} : { "if-modified-since": lastModified }),
    };
    const response = await fetch(at, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = new URL(location, at);
    const isPlain = next.protocol === "http:" && (at.protocol === "https:" || !isLoopback(next.hostname));
    if (isPlain || !/^https?:$/.test(next.protocol)) throw new Error("it redirects to an address without TLS");
    at = next;
  }
  throw new Error(`it redirects more than ${mostRedirects} times`);
}

/** A value that can be sent back; longer ones are not kept. */
function header(response: Response, name: string): string | undefined {
  const value = response.headers.get(name);
  return value !== null && /^[\x21-\x7e ]{1,500}$/.test(value) ? value : undefined;
}
