import type { FileHandle } from "node:fs/promises";
import type { StoredAnswer } from "../door.ts";
import { type ClientAnswer, passedHeaders } from "./client-answer.ts";
import type { Download } from "./download.ts";
import { proxyErrors } from "./errors.ts";
import { rangeOf } from "./range.ts";
import type { ReadRequest } from "./request.ts";

/** Bodies up to this size are complete and settled before a client sees the first byte. */
export const SETTLED_FIRST_BYTES = 8 * 1024 * 1024;
/** Of larger ones this much stays back until the door has settled. */
export const HELD_BACK_BYTES = 64 * 1024;
const CHUNK = 64 * 1024;

/**
 * Answers one client from a download: a settled one from its file, a large one while it arrives. Answers how many body
 * bytes went out. @throws what the door threw, PROXY_ANSWER_UNREADABLE, PROXY_RANGE_UNSATISFIABLE; SPEC P6, P7
 */
export async function reply(
  request: ReadRequest,
  answer: ClientAnswer,
  download: Download,
  onBytes: (bytes: number) => void,
): Promise<{ readonly status: number; readonly bytes: number }> {
  let sent = 0;
  let streaming = false;
  for (;;) {
    const { state } = download;
    const changed = download.changed();
    if (state.kind === "failed") throw state.error;
    if (state.kind === "settled") {
      if (!streaming) return whole(state.answer);
      return { status: 200, bytes: await rest(state.answer) };
    }
    if (
      state.kind === "streaming" &&
      request.method !== "HEAD" &&
      (request.method === "POST" || request.range === undefined) &&
      state.head.status === 200
    ) {
      const { length, headers } = state.head;
      if (!streaming && Math.max(length ?? 0, state.size) > SETTLED_FIRST_BYTES) {
        streaming = true;
        answer.head(200, {
          ...passedHeaders(headers),
          ...(length === undefined ? {} : { "content-length": String(length) }),
        });
      }
      if (streaming && state.size - HELD_BACK_BYTES > sent) {
        const { handle } = await download.file(undefined);
        const copied = await copy(handle, sent, state.size - HELD_BACK_BYTES, false);
        sent += copied;
        if (copied > 0) continue;
      }
    }
    if (answer.closed) throw proxyErrors.make("PROXY_CLOSED", "expected a client that waits, found none");
    await changed;
  }

  /** From the file to the client. What is not in the file yet comes with the next piece, unless all of it must be there. */
  async function copy(handle: FileHandle, from: number, until: number, complete: boolean): Promise<number> {
    let at = from;
    while (at < until) {
      const { bytesRead, buffer } = await handle.read(
        Buffer.allocUnsafe(Math.min(CHUNK, until - at)),
        0,
        Math.min(CHUNK, until - at),
        at,
      );
      if (bytesRead === 0) {
        if (complete)
          throw proxyErrors.make("PROXY_ANSWER_UNREADABLE", `expected ${until} bytes in the file, found ${at}`);
        break;
      }
      at += bytesRead;
      onBytes(bytesRead);
      await answer.write(buffer.subarray(0, bytesRead));
    }
    return at - from;
  }

  /** The end of a body whose beginning the client has. */
  async function rest(stored: StoredAnswer): Promise<number> {
    const { handle, own } = await download.file(stored);
    try {
      // Settled into something else than what arrived: its beginning is with the client, and cannot be taken back.
      if (own || stored.status !== 200) {
        throw proxyErrors.make("PROXY_ANSWER_UNREADABLE", "expected the body that arrived to be let in, found another");
      }
      await copy(handle, sent, stored.body.size, true);
    } finally {
      if (own) await handle.close();
    }
    answer.end();
    return stored.body.size;
  }

  async function whole(stored: StoredAnswer): Promise<{ readonly status: number; readonly bytes: number }> {
    const { size } = stored.body;
    const headers = passedHeaders(stored.headers);
    if (request.method === "HEAD") {
      // The length of the body that a GET would get: upstream's word when it was asked with HEAD.
      const length = size === 0 ? stored.headers["content-length"] : String(size);
      answer.head(stored.status, { ...headers, ...(length === undefined ? {} : { "content-length": length }) });
      answer.end();
      return { status: stored.status, bytes: 0 };
    }
    if (stored.status === 204 || stored.status === 304) {
      answer.head(stored.status, headers);
      answer.end();
      return { status: stored.status, bytes: 0 };
    }
    const ranged = request.method === "GET" && stored.status === 200;
    const range = ranged ? rangeOf(request.range, request.ifRange, size, stored.headers) : undefined;
    const status = range === undefined ? stored.status : 206;
    const { from, until } = range ?? { from: 0, until: size };
    const { handle, own } = until > from ? await download.file(stored) : { handle: undefined, own: false };
    try {
      answer.head(status, {
        ...headers,
        "content-length": String(until - from),
        ...(ranged ? { "accept-ranges": "bytes" } : {}),
        ...(range === undefined ? {} : { "content-range": `bytes ${from}-${until - 1}/${size}` }),
      });
      if (handle !== undefined) await copy(handle, from, until, true);
    } finally {
      if (own) await handle?.close();
    }
    answer.end();
    return { status, bytes: until - from };
  }
}
