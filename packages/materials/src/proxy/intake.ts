import { createHash, type Hash } from "node:crypto";
import type { DigestAlgorithm } from "@touchmark/formats/lockfiles";
import type { BodySink } from "../door.ts";
import { proxyErrors } from "./errors.ts";

/** A body's beginning, coming a second time. */
interface Replay {
  remaining: number;
  readonly hash: Hash;
  readonly expected: string;
}

/**
 * Takes one body into quarantine and hashes it once, over as many connections as it needs. What a later connection
 * sends again is compared with what is there already, and not written again.
 */
export class BodyIntake {
  readonly #sink: BodySink;
  readonly #maxBytes: number;
  readonly #hashes: readonly (readonly [DigestAlgorithm, Hash])[];
  readonly #prefix: Hash;
  #size = 0;
  #replay: Replay | undefined;

  constructor(sink: BodySink, algorithms: readonly DigestAlgorithm[], maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#prefix = createHash("sha256");
    // h1 is a hash over the files in an archive: its ecosystem takes it.
    const others = [...new Set(algorithms)].filter((each) => each !== "sha256" && each !== "h1");
    this.#hashes = [["sha256", this.#prefix], ...others.map((each) => [each, createHash(each)] as const)];
  }

  get path(): string {
    return this.#sink.path;
  }

  /** Bytes in quarantine. */
  get size(): number {
    return this.#size;
  }

  /** The next bytes are the body's first again. */
  restart(): void {
    this.#replay =
      this.#size === 0
        ? undefined
        : { remaining: this.#size, hash: createHash("sha256"), expected: this.#prefix.copy().digest("hex") };
  }

  /** The next bytes follow those that are there. */
  resume(): void {
    this.#replay = undefined;
  }

  /** @throws PROXY_ANSWER_TOO_LARGE | PROXY_UPSTREAM_CHANGED */
  async write(chunk: Uint8Array): Promise<void> {
    const fresh = this.#replay === undefined ? chunk : this.#compare(this.#replay, chunk);
    if (fresh.length === 0) return;
    if (this.#size + fresh.length > this.#maxBytes) {
      throw proxyErrors.make("PROXY_ANSWER_TOO_LARGE", `expected at most ${this.#maxBytes} bytes, found more`);
    }
    for (const [, hash] of this.#hashes) hash.update(fresh);
    await this.#sink.write(fresh);
    this.#size += fresh.length;
  }

  /** Ends the body. @throws PROXY_UPSTREAM_CHANGED when it ended before what is already there */
  async finish(): Promise<Readonly<Partial<Record<DigestAlgorithm, string>>>> {
    if (this.#replay !== undefined) throw changed();
    await this.#sink.close();
    return Object.fromEntries(this.#hashes.map(([name, hash]) => [name, hash.digest("hex")]));
  }

  /** Closes the file of a body that will not come. */
  async drop(): Promise<void> {
    await this.#sink.close();
  }

  #compare(replay: Replay, chunk: Uint8Array): Uint8Array {
    const known = chunk.subarray(0, replay.remaining);
    replay.hash.update(known);
    replay.remaining -= known.length;
    if (replay.remaining === 0) {
      if (replay.hash.digest("hex") !== replay.expected) throw changed();
      this.#replay = undefined;
    }
    return chunk.subarray(known.length);
  }
}

const changed = () =>
  proxyErrors.make("PROXY_UPSTREAM_CHANGED", "expected the same body when asked again, found another");
