import { type FileHandle, open } from "node:fs/promises";
import { type FactoryError, isFactoryError } from "@touchmark/core";
import type { Door, ProxyRequest, StoredAnswer } from "../door.ts";
import { proxyErrors } from "./errors.ts";
import type { ProxyTally } from "./events.ts";
import { fetchBody, type KnownHead } from "./fetch-body.ts";
import type { UpstreamTransport } from "./transport.ts";

/** How far an answer has come. */
export type DownloadState =
  | { readonly kind: "asking" }
  | { readonly kind: "streaming"; readonly head: KnownHead; readonly size: number }
  | { readonly kind: "settled"; readonly answer: StoredAnswer }
  | { readonly kind: "failed"; readonly error: FactoryError };

/** One question to the door and what comes of it; any number of clients read its answer. */
export class Download {
  readonly #abort = new AbortController();
  /** Resolves when it has ended, one way or the other. */
  readonly done: Promise<void>;
  #state: DownloadState = { kind: "asking" };
  #contacted = false;
  #readers = 0;
  #waiting: (() => void)[] = [];
  #file: Promise<FileHandle | undefined> | undefined;
  /** Size and SHA-256 of what is in `#file`, once complete. */
  #arrived: { readonly size: number; readonly sha256: string } | undefined;

  constructor(door: Door, transport: UpstreamTransport, request: ProxyRequest, tally: ProxyTally) {
    this.done = this.#run(door, transport, request, tally).then(
      () => {},
      (error: unknown) => this.#move({ kind: "failed", error: doorError(error) }),
    );
  }

  /** An upstream was or is being asked: what is wrong from here on is not the client's fault. */
  get contacted(): boolean {
    return this.#contacted;
  }

  /** Nobody reads it. */
  get idle(): boolean {
    return this.#readers <= 0;
  }

  /** Its answer is not there yet: who asks the same may wait for it. */
  get underWay(): boolean {
    return this.#state.kind === "asking" || this.#state.kind === "streaming";
  }

  get state(): DownloadState {
    return this.#state;
  }

  /** Resolves when the state is another, or more bytes are there. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A further reader; must be released. */
  hold(): void {
    this.#readers++;
  }

  /** The last reader that goes ends what is still under way. */
  async release(): Promise<void> {
    if (--this.#readers > 0) return;
    if (this.underWay) this.#abort.abort();
    await this.done;
    if (this.#file !== undefined) await this.#file.then((file) => file?.close()).catch(() => {});
  }

  /** Ends it for everybody. */
  async cancel(): Promise<void> {
    this.#abort.abort();
    await this.done;
  }

  /**
   * The file that an answer is read from: the one in quarantine, which stays readable when it is moved or removed, as
   * long as the answer has its bytes.
   */
  async file(answer: StoredAnswer | undefined): Promise<{ readonly handle: FileHandle; readonly own: boolean }> {
    const same =
      answer === undefined ||
      (this.#arrived?.size === answer.body.size && `sha256:${this.#arrived.sha256}` === answer.body.digest);
    const handle = same ? await this.#file : undefined;
    if (handle !== undefined) return { handle, own: false };
    if (answer === undefined)
      throw proxyErrors.make("PROXY_ANSWER_UNREADABLE", "expected a file in quarantine, found none");
    try {
      return { handle: await open(answer.body.path, "r"), own: true };
    } catch (cause) {
      throw proxyErrors.make("PROXY_ANSWER_UNREADABLE", "expected the file of an answer, found none", { cause });
    }
  }

  async #run(door: Door, transport: UpstreamTransport, request: ProxyRequest, tally: ProxyTally): Promise<void> {
    const passage = await door.open(request);
    if (passage.kind === "stored") {
      this.#move({ kind: "settled", answer: passage });
      return;
    }
    this.#contacted = true;
    tally.bodies++;
    let handed = false;
    try {
      if (this.#abort.signal.aborted)
        throw proxyErrors.make("PROXY_CLOSED", "expected a client that waits, found none");
      const arrived = await fetchBody(transport, request, passage, this.#abort.signal, {
        onHead: (head) => {
          this.#file = open(head.path, "r").catch(() => undefined);
          this.#move({ kind: "streaming", head, size: 0 });
        },
        onProgress: (size) => {
          if (this.#state.kind === "streaming") this.#move({ ...this.#state, size });
        },
        onBytes: (bytes) => {
          tally.bytesIn += bytes;
        },
        onRetry: (attempt, reason) => tally.tell({ kind: "retry", url: request.url.href, attempt, reason }),
      });
      // Opened before the door moves the file.
      if ((await this.#file) === undefined) this.#file = open(arrived.path, "r").catch(() => undefined);
      await this.#file;
      this.#arrived = { size: arrived.size, sha256: arrived.hashes.sha256 ?? "" };
      const answer = await passage.settle(arrived);
      handed = true;
      this.#move({ kind: "settled", answer });
    } finally {
      tally.bodies--;
      if (!handed) await passage.abandon().catch((error: unknown) => tally.refuse(doorError(error), request.url));
    }
  }

  #move(state: DownloadState): void {
    this.#state = state;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each();
  }
}

/** What a door threw: its own refusal, or a defect, which lets nothing in. */
export function doorError(error: unknown): FactoryError {
  if (isFactoryError(error)) return error;
  return proxyErrors.make("PROXY_DOOR_FAILED", `expected a decision, found ${String(error).slice(0, 200)}`, {
    cause: error,
  });
}
