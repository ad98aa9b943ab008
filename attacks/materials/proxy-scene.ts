import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";

/** Clients that say exactly what a test wants, and upstreams that lie. */

/** Everything that comes back for some bytes, until the other side ends or nothing has come for a while. */
export function exchange(socket: Socket, bytes: string | Uint8Array, quietMs = 2_000): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    const timer = setTimeout(done, quietMs);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      timer.refresh();
    });
    socket.on("end", done).on("close", done).on("error", done);
    socket.write(bytes);
  });
}

/** Sends bytes to a TCP port on loopback. */
export const send = (port: number, bytes: string | Uint8Array, quietMs?: number): Promise<string> =>
  exchange(connect(port, "127.0.0.1"), bytes, quietMs);

/** The code that an answer carries; undefined without one. */
export const codeOf = (answer: string): string | undefined => /x-touchmark-code: ([A-Z0-9_]+)/i.exec(answer)?.[1];

/** Status of an answer. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);

/** A TLS connection through a tunnel of the proxy. Certificates are not checked unless asked. */
export async function tunnel(port: number, authority: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const confirmed = await new Promise<string>((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1")));
    socket.once("error", reject);
  });
  if (!confirmed.startsWith("HTTP/1.1 200")) throw new Error(confirmed);
  const [host = ""] = authority.split(":");
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      socket,
      ...(/^[0-9.]+$/.test(host) ? {} : { servername: host }),
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      ...options,
    });
    secure.once("secureConnect", () => resolve(secure));
    secure.once("error", reject);
  });
}

/** An HTTP server on a free port of loopback. */
export async function upstreamServer(
  listener: Parameters<typeof createServer>[1],
): Promise<{ readonly server: Server; readonly port: number; readonly url: string; close(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a program printed and how it ended. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without blocking the proxy, which lives in this process. */
export function run(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/proxy|ssl|cert|ca_bundle|cainfo|node_extra/i.test(name)),
    );
    const child = spawn(program, words, { env: { ...clean, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("latin1");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("latin1");
    });
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, stdout, stderr }));
    child.stdin.end(input ?? "");
  });
}
