import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "@touchmark/core";
import type { Door } from "../door.ts";
import { createStepAuthority, type StepAuthority } from "./authority.ts";
import { ProxyConnections } from "./connections.ts";
import { proxyErrors } from "./errors.ts";
import { type ProxyCounts, type ProxyEvent, ProxyTally } from "./events.ts";
import { RequestService } from "./serve.ts";
import type { UpstreamSettings } from "./settings.ts";
import { openTransport } from "./transport.ts";

/** What a proxy needs. */
export interface ProxySettings {
  /** Place of the Unix socket; its directory is made when missing, and must be nobody else's. At most 100 bytes. */
  readonly socketPath: string;
  readonly door: Door;
  /** Made for this proxy unless given. */
  readonly authority?: StepAuthority;
  readonly clock: Clock;
  readonly upstream: UpstreamSettings;
  readonly onEvent?: (event: ProxyEvent) => void;
}

/** The running proxy of one fetch step. */
export interface MaterialsProxy {
  readonly authorityPem: string;
  readonly authorityDer: Uint8Array;
  readonly socketPath: string;
  counts(): ProxyCounts;
  /** Ends everything: connections, downloads (abandoned), the socket. Idempotent. */
  close(): Promise<void>;
}

const MAX_SOCKET_PATH = 100;
/** How long a door may still think when the proxy ends. */
const CLOSE_MS = 10_000;

/**
 * Starts the proxy of one fetch step.
 * @throws PROXY_SOCKET_UNSAFE | PROXY_SETTINGS_INVALID; SPEC P1
 */
export async function startProxy(settings: ProxySettings): Promise<MaterialsProxy> {
  const { socketPath } = settings;
  privateDirectory(socketPath);
  const transport = openTransport(settings.upstream);
  const authority = settings.authority ?? createStepAuthority(settings.clock);
  const tally = new ProxyTally(settings.onEvent);
  const service = new RequestService(settings.door, transport, tally);
  const connections = new ProxyConnections(authority, service, tally);
  const { server } = connections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        proxyErrors.make(
          "PROXY_SOCKET_UNSAFE",
          `expected a free place for a socket at ${socketPath}, found ${cause.message}`,
          { cause },
        ),
      ),
    );
    // In a directory that only its owner can enter, nobody gets in before the mode is set.
    server.listen(socketPath, () => {
      chmodSync(socketPath, 0o600);
      resolve();
    });
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const ended = service.close();
    connections.destroy();
    server.closeAllConnections();
    await closed;
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]);
    transport.close();
    rmSync(socketPath, { force: true });
  };
  return {
    authorityPem: authority.pem,
    authorityDer: authority.der,
    socketPath,
    counts: () => tally.counts(connections.count),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function privateDirectory(socketPath: string): void {
  const directory = dirname(socketPath);
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH) {
    throw proxyErrors.make(
      "PROXY_SOCKET_UNSAFE",
      `expected a path of at most ${MAX_SOCKET_PATH} bytes, found ${socketPath}`,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || (found.mode & 0o077) !== 0 || found.uid !== process.getuid?.()) {
    throw proxyErrors.make(
      "PROXY_SOCKET_UNSAFE",
      `expected a directory of mode 0700 that is ours, found another: ${directory}`,
      {
        hint: "chmod 0700 the directory.",
      },
    );
  }
}
