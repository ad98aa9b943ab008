import { spawnSync } from "node:child_process";
import { constants, fchmodSync, fchownSync, mkdirSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { workerErrors } from "./errors.ts";

/**
 * Real pipes for what a step prints. Node's own are sockets, which programs cannot open again as `/dev/stdout`,
 * and which would be a line to the control plane. Made as named pipes in our directory, reused one step after the other.
 */
export interface LogPipe {
  /** End that the step gets. Close it once the step has it. */
  readonly write: number;
  readonly read: Socket;
  /** Call when both ends are closed. */
  release(): void;
}

export class LogPipes {
  readonly directory: string;
  readonly #free: string[] = [];
  #made = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Opens a pipe that `user` may open again by its descriptor. */
  open(user: number, group: number): LogPipe {
    const path = this.#free.pop() ?? this.#make();
    const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const write = openSync(path, constants.O_WRONLY);
    if (process.getuid?.() === 0) fchownSync(write, user, group);
    fchmodSync(write, 0o600);
    const read = new Socket({ fd: reading, readable: true, writable: false });
    return { write, read, release: () => this.#free.push(path) };
  }

  #make(): string {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const paths = [0, 1, 2, 3].map((index) => join(this.directory, `${this.#made + index}`));
    this.#made += paths.length;
    const made = spawnSync("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" });
    const [path, ...more] = paths;
    if (made.status !== 0 || path === undefined) {
      throw workerErrors.make("SANDBOX_UNAVAILABLE", "expected the program mkfifo to make named pipes", {
        cause: made.error,
      });
    }
    this.#free.push(...more);
    return path;
  }
}
