import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Bench } from "./fixture.ts";
import type { StepJob } from "./job.ts";

/** A control plane's socket, for tests of the bridge only. */
export interface ServedBridge {
  readonly directory: string;
  readonly path: string;
  /** What a job needs in order to have a bridge to it. */
  readonly job: Pick<StepJob, "network"> & Partial<Pick<StepJob, "bridge">>;
  close(): Promise<void>;
}

/** Listens on a Unix socket in a directory of the bench's, for its caller. */
export async function serveBridge(bench: Bench, name: string, answer: (socket: Socket) => void): Promise<ServedBridge> {
  const directory = bench.make(`served-${name}`);
  const path = join(directory, "socket");
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen({ path, backlog: 512 }, resolve));
  chmodSync(path, 0o666);
  return {
    directory,
    path,
    job: { network: "proxy", bridge: { port: 3128, socket: path } },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Processes of the bridge to a socket, which stands in their command line. */
export function bridgeProcesses(path: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const words = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0") : [];
      return words[1] === "-e" && words.includes(path) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Perl that opens `S` as a connection to a port of 127.0.0.1, or prints the errno and ends. */
export function connectPerl(port = 3128): string {
  return `socket(S, 2, 1, 0) or print("socket ", $! + 0, "\\n"), exit; connect(S, pack "S n C4 x8", 2, ${port}, 127, 0, 0, 1) or print("connect ", $! + 0, "\\n"), exit; $| = 1;`;
}
