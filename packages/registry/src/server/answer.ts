import type { ServerResponse } from "node:http";
import type { Digest } from "@touchmark/core";
import { registryServerErrors } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** Header fields: names and values, one after the other, as node writes them fastest. */
export type Fields = string[];

/** What every answer says. */
export const everyAnswer: readonly string[] = [
  ...["Docker-Distribution-API-Version", "registry/2.0", "X-Content-Type-Options", "nosniff"],
];

/** Answers without a body; `length` is for what a HEAD describes. */
export function answerEmpty(exchange: Exchange, status: number, fields: Fields, length = 0): void {
  const { response } = exchange;
  // 204 and 304 have no Content-Length of their own (RFC 9110, section 8.6).
  const sized = status === 204 || status === 304 ? [] : ["Content-Length", String(length)];
  response.writeHead(status, [...everyAnswer, ...fields, ...sized]);
  response.end();
}

/** Bytes that are handed to a connection at once, whether they are read or not. */
const pieceBytes = 256 * 1024;

/** Answers with bytes that are all there; a HEAD gets their length alone. */
export async function answerBytes(
  exchange: Exchange,
  status: number,
  fields: Fields,
  bytes: Uint8Array,
): Promise<void> {
  const { response, request } = exchange;
  response.writeHead(status, [...everyAnswer, ...fields, "Content-Length", String(bytes.length)]);
  if (request.method === "HEAD") response.end();
  else if (bytes.length > pieceBytes) await sendChunks(exchange, piecesOf(bytes));
  else {
    exchange.bytes += bytes.length;
    response.end(bytes);
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

export function answerJson(exchange: Exchange, value: unknown, fields: Fields = []): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value));
  return answerBytes(exchange, 200, ["Content-Type", "application/json", ...fields], bytes);
}

/** The address of something in this registry, for `Location`. */
export function locationOf(exchange: Exchange, path: string): Fields {
  return ["Location", `${exchange.service.url}/v2/${path}`];
}

/** True when the client has it already (RFC 9110 section 13.1.2); tags of entities are digests here. */
export function isKnownToClient(exchange: Exchange, digest: Digest): boolean {
  const header = exchange.request.headers["if-none-match"];
  if (header === undefined) return false;
  return header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${digest}"`);
}

/** Fields of content that its digest names: it never changes under a digest, and may under a tag. */
export function digestFields(digest: Digest, isTagged: boolean): Fields {
  return [
    ...["Docker-Content-Digest", digest, "ETag", `"${digest}"`],
    ...["Cache-Control", isTagged ? "no-cache" : "max-age=31536000, immutable"],
  ];
}

/**
 * Sends chunks as fast as the client reads. A source that fails breaks the connection, so that nobody takes a part for
 * the whole; so does a client that stands still.
 */
export async function sendChunks(exchange: Exchange, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const { response, caller, service } = exchange;
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    exchange.bytes += chunk.length;
    if (!response.write(chunk)) await drained(response, service.limits.idleSeconds);
    const pause = caller.pace?.(chunk.length);
    if (pause !== undefined) await pause;
  }
  response.end();
}

function drained(response: ServerResponse, idleSeconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      response.off("drain", onDrain).off("close", onDrain);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onDrain = (): void => finish();
    const timer = setTimeout(() => {
      finish(registryServerErrors.make("REGISTRY_BODY_SLOW", `expected a reader within ${idleSeconds} s`));
    }, idleSeconds * 1000);
    response.on("drain", onDrain).on("close", onDrain);
    if (response.destroyed) onDrain();
  });
}
