import { setTimeout as pause } from "node:timers/promises";
import { isFactoryError } from "@touchmark/core";
import type { ArrivedAnswer, ProxyRequest, UpstreamPassage } from "../door.ts";
import { codingOf, decoded } from "./coding.ts";
import { proxyErrors } from "./errors.ts";
import { BodyIntake } from "./intake.ts";
import { type Followed, follow } from "./redirects.ts";
import { failureOf, Transient } from "./transient.ts";
import type { UpstreamTransport } from "./transport.ts";

/** The head of an answer, once it will not change any more. */
export interface KnownHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body where they are known beforehand. */
  readonly length: number | undefined;
  readonly path: string;
}

/** Who is told how a body comes along. */
export interface FetchListener {
  onHead(head: KnownHead): void;
  /** Bytes in quarantine so far. */
  onProgress(size: number): void;
  /** Bytes that came over the network. */
  onBytes(bytes: number): void;
  onRetry(attempt: number, reason: string): void;
}

interface Attempt {
  readonly followed: Followed;
  readonly coding: string | undefined;
}

const busy = new Set([429, 502, 503, 504]);

/**
 * Brings the answer to a passage into quarantine: follows redirects, waits and asks again when that may help, goes on
 * where a broken connection left off. Answers the complete body, which the door has not settled yet. SPEC P10-P13
 */
export async function fetchBody(
  transport: UpstreamTransport,
  request: Pick<ProxyRequest, "method" | "body">,
  passage: UpstreamPassage,
  signal: AbortSignal,
  listener: FetchListener,
): Promise<ArrivedAnswer> {
  const { patience } = transport;
  const total = AbortSignal.timeout(patience.totalMs);
  const both = AbortSignal.any([signal, total]);
  const intake = new BodyIntake(await passage.quarantine(), passage.algorithms, passage.maxBytes);
  let first: Attempt | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const made = await bring(attempt);
        const hashes = await intake.finish();
        const { head, url, redirects } = made.followed;
        return {
          status: head.status === 206 ? 200 : head.status,
          headers: headersOf(first ?? made, request.method === "HEAD"),
          url,
          redirects,
          path: intake.path,
          size: intake.size,
          hashes,
          attempts: attempt,
          ...(made.coding === undefined ? {} : { coding: made.coding }),
        };
      } catch (error) {
        if (total.aborted)
          throw proxyErrors.make("PROXY_UPSTREAM_SLOW", `expected an answer within ${patience.totalMs} ms, found none`);
        if (!(error instanceof Transient)) throw error;
        const wait =
          error.afterMs ??
          Math.min(patience.longestPauseMs, patience.pauseMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
        const repeatable = request.method !== "POST" || error.afterMs !== undefined;
        if (attempt >= patience.attempts || wait > patience.longestPauseMs || !repeatable) throw error.failure;
        listener.onRetry(attempt, error.failure.code);
        await pause(wait, undefined, { signal: both }).catch(() => {
          throw error.failure;
        });
      }
    }
  } catch (error) {
    await intake.drop().catch(() => {});
    throw error;
  }

  async function bring(number: number): Promise<Attempt> {
    const resuming = number > 1 && first !== undefined && intake.size > 0 ? resumption(first, intake.size) : undefined;
    const followed = await follow(
      transport,
      {
        url: passage.url,
        method: request.method,
        headers: passage.headers,
        allowPrivate: passage.allowPrivate,
        signal: both,
        ...(request.body === undefined ? {} : { body: request.body }),
      },
      passage,
      resuming ?? {},
    );
    const { head, url } = followed;
    if (busy.has(head.status)) {
      head.message.destroy();
      throw new Transient(
        proxyErrors.make("PROXY_UPSTREAM_BUSY", `expected an answer of ${url.host}, found status ${head.status}`),
        retryAfter(head.headers["retry-after"]),
      );
    }
    const attempt: Attempt = { followed, coding: codingOf(head.headers) };
    try {
      if (head.status === 206) {
        if (resuming === undefined) {
          throw proxyErrors.make("PROXY_UPSTREAM_PROTOCOL", `expected a whole answer of ${url.host}, found a part`);
        }
        assertContinues(head.headers["content-range"], intake.size, first as Attempt);
        intake.resume();
      } else {
        if (first !== undefined && first.followed.head.status !== head.status) {
          throw proxyErrors.make(
            "PROXY_UPSTREAM_CHANGED",
            `expected status ${first.followed.head.status} again, found ${head.status}`,
          );
        }
        intake.restart();
      }
      if (first === undefined) {
        first = attempt;
        listener.onHead({
          status: head.status,
          headers: headersOf(attempt, false),
          length: lengthOf(attempt),
          path: intake.path,
        });
      }
      if (request.method !== "HEAD") await readBody(attempt);
    } catch (error) {
      head.message.destroy();
      throw error;
    }
    return attempt;
  }

  async function readBody({ followed: { head, url }, coding }: Attempt): Promise<void> {
    const { message } = head;
    const expected = coding === undefined ? lengthOf(first as Attempt) : undefined;
    if (expected !== undefined && expected > passage.maxBytes) {
      throw proxyErrors.make(
        "PROXY_ANSWER_TOO_LARGE",
        `expected at most ${passage.maxBytes} bytes, found ${expected} announced`,
      );
    }
    let idle: Transient | undefined;
    const timer = setTimeout(() => {
      idle = new Transient(
        proxyErrors.make(
          "PROXY_UPSTREAM_SLOW",
          `expected more of ${url.host} within ${patience.idleMs} ms, found nothing`,
        ),
      );
      message.destroy(idle);
    }, patience.idleMs);
    try {
      const chunks: AsyncIterable<Uint8Array> =
        coding === undefined ? message : decoded(message, coding, passage.maxBytes, listener.onBytes);
      for await (const chunk of chunks) {
        if (coding === undefined) listener.onBytes(chunk.length);
        await intake.write(chunk);
        listener.onProgress(intake.size);
        timer.refresh();
      }
    } catch (error) {
      if (idle !== undefined) throw idle;
      if (isFactoryError(error)) throw error;
      if (both.aborted) throw failureOf({ name: "AbortError", message: "", code: "ABORT_ERR" }, url);
      if (isSinkFailure(error)) throw error;
      throw truncated(url, intake.size);
    } finally {
      clearTimeout(timer);
    }
    if (!message.complete && coding === undefined) throw truncated(url, intake.size);
    const late = head.late();
    if (late !== undefined && (late as { code?: string }).code?.startsWith("HPE_") === true) {
      throw proxyErrors.make(
        "PROXY_UPSTREAM_LENGTH",
        `expected ${url.host} to end its body at the announced length, found more`,
      );
    }
    if (expected !== undefined && intake.size !== expected) {
      throw proxyErrors.make("PROXY_UPSTREAM_LENGTH", `expected ${expected} bytes, found ${intake.size}`);
    }
  }
}

const truncated = (url: URL, size: number): Transient =>
  new Transient(
    proxyErrors.make(
      "PROXY_UPSTREAM_TRUNCATED",
      `expected a whole body of ${url.host}, found its end after ${size} bytes`,
    ),
  );

/** Errors of the disk are no errors of the network: asking again does not help. */
const isSinkFailure = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EMFILE", "ENFILE"].includes((error as { code?: string }).code ?? "");

/** Headers of an answer as the door sees them: those of a coding that was undone are gone. */
function headersOf({ followed, coding }: Attempt, head: boolean): Readonly<Record<string, string>> {
  const { headers } = followed.head;
  if (coding === undefined || head) return headers;
  const { "content-encoding": _coding, "content-length": _length, ...rest } = headers;
  return rest;
}

/** Whole length of a body, where announced. */
function lengthOf({ followed: { head }, coding }: Attempt): number | undefined {
  const length = head.headers["content-length"];
  return coding === undefined && length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined;
}

/** Headers that ask for the rest of a body, where upstream said enough to trust a rest. */
function resumption(
  { followed: { head }, coding }: Attempt,
  size: number,
): Readonly<Record<string, string>> | undefined {
  const { etag, "accept-ranges": ranges } = head.headers;
  const strong = etag?.startsWith('"') === true;
  if (coding !== undefined || head.status !== 200 || !strong || ranges?.toLowerCase() === "none") return undefined;
  return { range: `bytes=${size}-`, "if-range": etag };
}

function assertContinues(range: string | undefined, size: number, first: Attempt): void {
  const [, from, total] = /^bytes ([0-9]{1,15})-[0-9]{1,15}\/([0-9]{1,15}|\*)$/.exec(range ?? "") ?? [];
  const whole = lengthOf(first);
  if (Number(from) !== size || (whole !== undefined && total !== "*" && Number(total) !== whole)) {
    throw proxyErrors.make(
      "PROXY_UPSTREAM_LENGTH",
      `expected the rest from byte ${size} of ${whole ?? "?"}, found ${range ?? "no range"}`,
    );
  }
}

/** Milliseconds that a Retry-After header asks for. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
