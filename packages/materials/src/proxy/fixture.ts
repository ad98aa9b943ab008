import { createHash } from "node:crypto";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import type { ArrivedAnswer, Door, ProxyRequest, UpstreamPassage } from "../door.ts";
import type { ProxyEvent } from "./events.ts";
import { type MaterialsProxy, startProxy } from "./proxy.ts";
import { type UpstreamSettings, upstreamSettings } from "./settings.ts";

/** For tests only: a door that lets everything in and remembers it, and a proxy behind a TCP port. */

/** What a recording door let in. */
export interface Recorded {
  readonly request: ProxyRequest;
  readonly arrived: ArrivedAnswer;
  readonly body: Uint8Array;
}

export interface RecordingDoor extends Door {
  readonly requests: ProxyRequest[];
  readonly recorded: Recorded[];
  /** Passages that were abandoned. */
  abandoned(): number;
  remove(): void;
}

/** Lets everything through, private addresses too, and keeps every body of at most `keepBytes`. */
export function recordingDoor(
  change: (passage: UpstreamPassage, request: ProxyRequest) => UpstreamPassage | Promise<UpstreamPassage> = (passage) =>
    passage,
  keepBytes = 64 * 1024 * 1024,
): RecordingDoor {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-door-"));
  const requests: ProxyRequest[] = [];
  const recorded: Recorded[] = [];
  let files = 0;
  let abandoned = 0;
  return {
    requests,
    recorded,
    abandoned: () => abandoned,
    remove: () => rmSync(directory, { recursive: true, force: true }),
    open: async (request) => {
      requests.push(request);
      const { "accept-encoding": _coding, ...headers } = request.headers;
      return change(
        {
          kind: "upstream",
          url: request.url,
          headers: { ...headers, "accept-encoding": "identity" },
          maxBytes: 4 * 1024 ** 3,
          allowPrivate: true,
          allowPrivateRedirect: () => true,
          algorithms: ["sha512"],
          redirect: async () => headers,
          quarantine: async () => {
            const path = join(directory, String(files++));
            const file = createWriteStream(path);
            await new Promise((resolve, reject) => file.once("open", resolve).once("error", reject));
            return {
              path,
              write: (chunk) =>
                new Promise((resolve, reject) => file.write(chunk, (error) => (error ? reject(error) : resolve()))),
              close: () => new Promise((resolve) => (file.closed ? resolve() : file.close(() => resolve()))),
            };
          },
          settle: async (arrived) => {
            const body = arrived.size <= keepBytes ? readFileSync(arrived.path) : Buffer.alloc(0);
            if (
              arrived.size <= keepBytes &&
              createHash("sha256").update(body).digest("hex") !== arrived.hashes.sha256
            ) {
              throw new Error("a body is not what was hashed");
            }
            recorded.push({ request, arrived, body });
            return {
              kind: "stored",
              status: arrived.status,
              headers: arrived.headers,
              body: { path: arrived.path, size: arrived.size, digest: `sha256:${arrived.hashes.sha256 as string}` },
            };
          },
          abandon: async () => {
            abandoned++;
          },
        },
        request,
      );
    },
  };
}

export interface ProxyFixture {
  readonly proxy: MaterialsProxy;
  /** Port on 127.0.0.1 in front of the Unix socket. */
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  /** The authority as a PEM file. */
  readonly authorityFile: string;
  readonly events: ProxyEvent[];
  close(): Promise<void>;
}

/** A proxy with a door, and a TCP listener before it. */
export async function proxyFixture(
  door: Door,
  upstream: UpstreamSettings = upstreamSettings(process.env),
): Promise<ProxyFixture> {
  const directory = mkdtempSync(join(tmpdir(), "tm-proxy-"));
  const events: ProxyEvent[] = [];
  const proxy = await startProxy({
    socketPath: join(directory, "s"),
    door,
    clock: systemClock,
    upstream,
    onEvent: (event) => events.push(event),
  });
  const relay = await tcpRelay(proxy.socketPath);
  const authorityFile = join(directory, "authority.pem");
  writeFileSync(authorityFile, proxy.authorityPem);
  const { port } = relay.address() as AddressInfo;
  return {
    proxy,
    port,
    address: `http://127.0.0.1:${port}`,
    authorityFile,
    events,
    close: async () => {
      await proxy.close();
      await new Promise<void>((resolve) => relay.close(() => resolve()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Joins each TCP connection on 127.0.0.1 to a Unix socket. */
export async function tcpRelay(socketPath: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ path: socketPath, allowHalfOpen: true });
    outer.pipe(inner);
    inner.pipe(outer);
    const end = (): void => {
      outer.destroy();
      inner.destroy();
    };
    outer.on("error", end).on("close", end);
    inner.on("error", end).on("close", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
