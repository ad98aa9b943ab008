import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { memoryRegistryBackend } from "../backends/memory.ts";
import { registryHandler } from "../server/handler.ts";
import { openAuthority } from "../server/open-authority.ts";
import { openRegistryClient, type RegistryClientOptions } from "./client.ts";
import type { RegistryRepository } from "./repository.ts";

/** Answers a request itself and says true, or leaves it to the honest registry behind it. */
export type Script = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

/** A registry of this process, honest but for its script. */
export interface ScriptedRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `METHOD /path?query`, in order of arrival. */
  readonly log: string[];
  readonly requests: IncomingMessage[];
  script: Script;
  close(): Promise<void>;
}

const opened: Server[] = [];

/** Starts one; `closeScripted` ends all. */
export async function scriptedRegistry(script: Script = () => false): Promise<ScriptedRegistry> {
  const honest = registryHandler({ backend: memoryRegistryBackend(), authority: openAuthority() });
  const log: string[] = [];
  const requests: IncomingMessage[] = [];
  const registry = { host: "", log, requests, script, close: async () => {} };
  const server = await listening((request, response) => {
    log.push(`${request.method} ${request.url}`);
    requests.push(request);
    if (!registry.script(request, response, request.url ?? "")) honest(request, response);
  });
  registry.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  registry.close = () => closed(server);
  return registry;
}

/** A server of this process on this host, with any behaviour. */
export async function listening(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(server);
  return server;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Ends every server that was started. */
export const closeScripted = async (): Promise<void> => void (await Promise.all(opened.splice(0).map(closed)));

/** A client that asks nobody else: no credentials of this machine, no proxy, little patience. */
export const quietClient = (options: RegistryClientOptions = {}) =>
  openRegistryClient({
    environment: {},
    credentials: async () => undefined,
    ...options,
    patience: { attempts: 3, pauseMs: 1, longestPauseMs: 5, ...options.patience },
  });

/** A repository as such a client sees it. */
export const repositoryAt = (
  host: string,
  options: RegistryClientOptions = {},
  repository = "a/b",
): RegistryRepository => quietClient(options).repository({ registry: host, repository });

/** Answers in JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): true {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...headers });
  response.end(bytes);
  return true;
}

/** Content as a stream of pieces. */
export async function* pieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All of a stream. */
export async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** All of a list. */
export async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
