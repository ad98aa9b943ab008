import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Hash } from "node:crypto";
import { sourceErrors } from "./errors.ts";
import { spawnFailure, startGit } from "./git.ts";
import { type ObjectFormat, type ObjectType, objectHash } from "./object.ts";

/** Where objects are read: a repository of ours, and, for a local source, the objects directory of that source. */
export interface ObjectPlace {
  readonly gitDirectory: string;
  readonly objectDirectory?: string;
  readonly format: ObjectFormat;
}

/** Takes the bytes of one object as they come. Errors that it throws end the whole reading. */
export interface ObjectSink {
  begin(type: ObjectType, size: number): void;
  chunk(bytes: Buffer): void;
  end(): void;
}

interface Request {
  readonly id: string;
  readonly sink: ObjectSink;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads objects through one `git cat-file --batch`, and recomputes the id of each from its bytes: what comes out is
 * what was asked for, whatever lies in the object database.
 */
export class ObjectReader {
  readonly format: ObjectFormat;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Request[] = [];
  #next = 0;
  #fault: Error | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #current: { request: Request; type: ObjectType; left: number; hash: Hash } | undefined;
  #ended = false;

  constructor(place: ObjectPlace, options: { readonly buffered?: boolean } = {}) {
    this.format = place.format;
    const environment = place.objectDirectory === undefined ? {} : { GIT_OBJECT_DIRECTORY: place.objectDirectory };
    const args = ["cat-file", "--batch", ...(options.buffered ? ["--buffer"] : [])];
    this.#child = startGit(place.gitDirectory, args, environment);
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.resume();
    this.#child.on("error", (cause) => this.#fail(spawnFailure(cause)));
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.on("close", () =>
      this.#fail(sourceErrors.make("SOURCE_OBJECT_CORRUPT", "git ended while it was reading objects")),
    );
  }

  /** Reads many objects in order, each into its sink. Resolves when all are complete and have their ids. */
  async stream(requests: readonly { readonly id: string; readonly sink: ObjectSink }[]): Promise<void> {
    if (requests.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      if (this.#fault) {
        reject(this.#fault);
        return;
      }
      let left = requests.length;
      for (const { id, sink } of requests) {
        this.#waiting.push({ id, sink, reject, resolve: () => (--left === 0 ? resolve() : undefined) });
      }
      this.#child.stdin.write(requests.map(({ id }) => `${id}\n`).join(""));
    });
  }

  /** No more requests will follow: a buffered reader then answers what is left. */
  finish(): void {
    this.#child.stdin.end();
  }

  /** Reads one object into memory. @throws SOURCE_TOO_LARGE, SOURCE_OBJECT_MISSING, SOURCE_OBJECT_CORRUPT */
  async read(id: string, limitBytes: number): Promise<{ type: ObjectType; bytes: Buffer }> {
    const [first] = await this.readAll([id], limitBytes);
    if (first === undefined) throw sourceErrors.make("SOURCE_OBJECT_MISSING", `the object ${id} is missing`);
    return first;
  }

  /** Reads several objects into memory, each within the limit. */
  async readAll(ids: readonly string[], limitBytes: number): Promise<{ type: ObjectType; bytes: Buffer }[]> {
    const read = ids.map((id) => ({ id, ...collect(id, limitBytes) }));
    await this.stream(read);
    return read.map(({ result }) => result());
  }

  /** Ends the process. */
  close(): void {
    this.#ended = true;
    this.#child.stdin.destroy();
    this.#child.kill("SIGKILL");
  }

  #take(chunk: Buffer): void {
    if (this.#fault || this.#ended) return;
    try {
      this.#parse(chunk);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.close();
    }
  }

  #parse(chunk: Buffer): void {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const current = this.#current;
      if (current === undefined) {
        const newline = buffer.indexOf(0x0a);
        if (newline === -1) {
          if (buffer.length > 4096) throw corrupt("git answered something unexpected");
          break;
        }
        this.#begin(buffer.toString("latin1", 0, newline));
        buffer = buffer.subarray(newline + 1);
        continue;
      }
      if (current.left > 0) {
        if (buffer.length === 0) break;
        const piece = buffer.length > current.left ? buffer.subarray(0, current.left) : buffer;
        current.hash.update(piece);
        current.request.sink.chunk(piece);
        current.left -= piece.length;
        buffer = buffer.subarray(piece.length);
        continue;
      }
      // A newline follows each body.
      if (buffer.length === 0) break;
      buffer = buffer.subarray(1);
      const { request } = current;
      if (current.hash.digest("hex") !== request.id) {
        throw corrupt(`the ${current.type} ${request.id} does not have this id: its bytes were altered`);
      }
      this.#current = undefined;
      request.sink.end();
      this.#next++;
      if (this.#next === this.#waiting.length) {
        this.#waiting.length = 0;
        this.#next = 0;
      }
      request.resolve();
    }
    this.#rest = buffer;
  }

  #begin(header: string): void {
    const request = this.#waiting[this.#next];
    if (request === undefined) throw corrupt("git answered something that was not asked");
    const match = /^([0-9a-f]+) (commit|tree|blob|tag) ([0-9]+)$/.exec(header);
    if (!match || match[1] !== request.id) {
      if (header === `${request.id} missing`) {
        throw sourceErrors.make("SOURCE_OBJECT_MISSING", `expected the object ${request.id}, the repository lacks it`);
      }
      throw corrupt(`git could not read the object ${request.id}`);
    }
    const type = match[2] as ObjectType;
    const size = Number(match[3]);
    request.sink.begin(type, size);
    this.#current = { request, type, left: size, hash: objectHash(this.format, type, size) };
  }

  #fail(error: Error): void {
    if (this.#fault) return;
    this.#fault = error;
    for (const request of this.#waiting.slice(this.#next)) request.reject(error);
    this.#waiting.length = 0;
  }
}

function corrupt(message: string) {
  return sourceErrors.make("SOURCE_OBJECT_CORRUPT", message);
}

function collect(id: string, limitBytes: number) {
  const chunks: Buffer[] = [];
  let type: ObjectType = "blob";
  const sink: ObjectSink = {
    begin(found, size) {
      type = found;
      if (size > limitBytes) {
        throw sourceErrors.make(
          "SOURCE_TOO_LARGE",
          `expected at most ${limitBytes} bytes in the object ${id}, found ${size}`,
        );
      }
    },
    chunk: (bytes) => chunks.push(Buffer.from(bytes)),
    end() {},
  };
  return { sink, result: () => ({ type, bytes: Buffer.concat(chunks) }) };
}
