import { mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, emptyRoot, isFactoryError, systemClock } from "@touchmark/core";
import { checkEntryLength, signCheckpoint, tilePath, verifierKeyText } from "@touchmark/formats/log";
import type { BundleProfile, LogInclusion } from "@touchmark/sign";
import { cosignCheckpoint, mergeCosignatures } from "./cosign.ts";
import { DurableDirectory } from "./durable.ts";
import { logErrors } from "./errors.ts";
import { emptyFrontier, type Frontier, type Growth, grow } from "./frontier.ts";
import { inclusionOf, logIdOf, signerOf } from "./inclusion.ts";
import type { LogKeys } from "./keys.ts";
import { openLock, type ProcessLock } from "./lock.ts";
import type { OpenLogOptions, TransparencyLog } from "./log.ts";
import { readFrontier, readPublished, refuseFork, refuseRollback } from "./published.ts";
import { proveConsistency, proveInclusion, readEntry, type TreeHead } from "./reader.ts";
import { directorySource, type TileSource } from "./tile-source.ts";

interface Pending {
  readonly body: Uint8Array;
  readonly profile: BundleProfile;
  readonly resolve: (inclusion: LogInclusion) => void;
  readonly reject: (error: unknown) => void;
}

type Head = TreeHead & { readonly note: string };

/** Most entries, and most bytes, that one batch takes. */
const batchEntries = 4096;
const batchBytes = 16 << 20;
const lockFile = "lock";
const freshCheckpoint = "checkpoint.new";

/** Appends in batches: all that was asked for while the last batch was being written goes into the next. */
export class LogWriter implements TransparencyLog {
  readonly origin: string;
  readonly verifierKey: string;
  readonly logId: Uint8Array;
  readonly #options: OpenLogOptions;
  readonly #keys: LogKeys;
  readonly #clock: Clock;
  readonly #source: TileSource;
  readonly #files: DurableDirectory;
  #lock: Promise<ProcessLock> | undefined;
  #queue: Pending[] = [];
  #waves: Promise<void> | undefined;
  /** Who waits for the lock within this process. */
  #turns: Promise<void> = Promise.resolve();
  #sweeps: Promise<void> = Promise.resolve();
  #closed = false;
  /** The last tree that this process signed or accepted. Survives failures, unlike the frontier. */
  #head: Head | undefined;
  #frontier: Frontier | undefined;

  private constructor(options: OpenLogOptions) {
    this.#options = options;
    this.#keys = options.keys;
    this.#clock = options.clock ?? systemClock;
    this.#source = directorySource(options.directory);
    this.#files = new DurableDirectory(options.directory);
    this.origin = options.keys.origin;
    this.verifierKey = verifierKeyText(options.keys.signer);
    this.logId = logIdOf(options.keys.signer);
  }

  static async open(options: OpenLogOptions): Promise<LogWriter> {
    const { origin, keys } = options;
    if (origin !== undefined && origin !== keys.origin) {
      throw logErrors.make("LOG_ORIGIN_INVALID", `expected keys of ${origin}, found those of ${keys.origin}`);
    }
    const log = new LogWriter(options);
    const published = log.#published();
    if (published) log.#head = published;
    else await log.#locked(() => log.#create());
    return log;
  }

  append(body: Uint8Array, options: { readonly profile?: BundleProfile } = {}): Promise<LogInclusion> {
    return new Promise((resolve, reject) => {
      const profile = options.profile ?? "v2";
      signerOf(this.#keys, profile);
      checkEntryLength(body);
      this.#refuseClosed();
      this.#queue.push({ body: Buffer.from(body), profile, resolve, reject });
      this.#waves ??= this.#run();
    });
  }

  async checkpoint(profile: BundleProfile = "v2"): Promise<string> {
    const head = await this.#current();
    if (profile === "v2") return head.note;
    const { origin, signer } = signerOf(this.#keys, profile);
    return signCheckpoint({ origin, size: head.size, root: head.root }, [signer]);
  }

  async prove(index: number, size?: number, options: { readonly profile?: BundleProfile } = {}): Promise<LogInclusion> {
    const head = await this.#current();
    const proof = await proveInclusion(this.#source, head, index, size);
    const profile = options.profile ?? "v2";
    const body = profile === "v1" ? await readEntry(this.#source, head, index) : new Uint8Array();
    return inclusionOf(this.#keys, proof, head, profile, body, this.#clock);
  }

  async entry(index: number): Promise<Uint8Array> {
    return readEntry(this.#source, await this.#current(), index);
  }

  async consistency(from: number, to: number): Promise<Uint8Array[]> {
    return (await proveConsistency(this.#source, await this.#current(), from, to)).hashes;
  }

  async cosign(): Promise<string> {
    return (await this.#witnessed(await this.#current())).note;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#waves;
    await this.#turns;
    await this.#sweeps;
    (await this.#lock)?.close();
    this.#lock = undefined;
  }

  #refuseClosed(): void {
    if (this.#closed) throw logErrors.make("LOG_CLOSED", "expected an open log, found one that close() was called on");
    this.#refuseExpired();
  }

  #refuseExpired(): void {
    const { closesAt } = this.#keys;
    if (closesAt === undefined || this.#clock.now() < closesAt) return;
    throw logErrors.make("LOG_CLOSED", `the log ${this.origin} takes no entry since ${closesAt.toISOString()}`);
  }

  /** The published checkpoint, refused when it is older than one that was signed. */
  #published(): Head | undefined {
    // The memory first: it is never ahead of the checkpoint, but another process may move both on between two reads.
    const signed = this.#keys.memory?.read();
    const published = readPublished(this.#options.directory, this.#keys.signer, this.#head);
    refuseRollback(published, this.#head);
    refuseRollback(published, signed);
    return published;
  }

  /** The published tree, read afresh: another process may have appended. */
  async #current(): Promise<Head> {
    const published = this.#published();
    if (published === undefined) throw logErrors.make("LOG_NOT_FOUND", `expected a log in ${this.#options.directory}`);
    if (this.#head?.note !== published.note) {
      await refuseFork(this.#source, published, this.#head);
      // Appends move the head too, and theirs may be newer by now.
      if (published.size >= (this.#head?.size ?? 0)) this.#head = published;
    }
    return published;
  }

  async #run(): Promise<void> {
    // One turn of the loop gathers what was asked for together.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) {
      await this.#wave(this.#takeBatch());
      // Polite towards another process that was seen waiting: it polls every 1 to 3 ms.
      if ((await this.#lock)?.contended()) await new Promise((resume) => setTimeout(resume, 3));
    }
    this.#waves = undefined;
  }

  #takeBatch(): Pending[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && count < batchEntries && bytes < batchBytes) {
      bytes += this.#queue[count++]?.body.length ?? 0;
    }
    return this.#queue.splice(0, count);
  }

  async #wave(batch: readonly Pending[]): Promise<void> {
    try {
      // An entry that waited over the closing time is refused too.
      this.#refuseExpired();
      const { growth, head, first } = await this.#locked(async () => {
        const frontier = await this.#refresh();
        const grown = grow(
          frontier,
          batch.map((pending) => pending.body),
        );
        return { growth: grown, head: await this.#publish(grown), first: frontier.size };
      });
      this.#sweep(growth);
      const witnessed = this.#options.witnesses ? await this.#witnessed(head) : head;
      for (const [n, { body, profile, resolve }] of batch.entries()) {
        const hashes = growth.proofs[n] as Uint8Array[];
        const proof = { index: first + n, treeSize: head.size, rootHash: head.root, hashes };
        resolve(inclusionOf(this.#keys, proof, witnessed, profile, body, this.#clock));
      }
    } catch (error) {
      for (const pending of batch) pending.reject(error);
    }
  }

  /** Brings the frontier up to what is published. The lock is held. */
  async #refresh(): Promise<Frontier> {
    const published = this.#published();
    if (published === undefined) throw logErrors.make("LOG_NOT_FOUND", `expected a log in ${this.#options.directory}`);
    if (this.#frontier?.size !== published.size || this.#head?.size !== published.size) {
      this.#frontier = await readFrontier(this.#source, published);
      await refuseFork(this.#source, published, this.#head);
      await refuseFork(this.#source, published, this.#keys.memory?.read());
    }
    this.#head = published;
    return this.#frontier;
  }

  /** Makes a grown tree durable: tiles, entries and new checkpoint first, then the checkpoint's name. The lock is held. */
  async #publish({ frontier, root, files }: Growth): Promise<Head> {
    const { origin, signer, memory } = this.#keys;
    const note = signCheckpoint({ origin, size: frontier.size, root }, [signer]);
    this.#frontier = undefined;
    try {
      await this.#files.write(new Map<string, Uint8Array | string>([...files, [freshCheckpoint, note]]));
      await this.#files.publish(freshCheckpoint, "checkpoint");
      const head = { size: frontier.size, root, note };
      this.#head = head;
      memory?.write(note);
      this.#frontier = frontier;
      return head;
    } catch (cause) {
      throw logErrors.make("LOG_WRITE_FAILED", `the log could not be written: ${String(cause)}`, { cause });
    }
  }

  /** Writes the checkpoint of the empty tree, unless another process was quicker. The lock is held. */
  async #create(): Promise<void> {
    const published = this.#published();
    if (published) {
      this.#head = published;
      return;
    }
    // Tiles come only after a checkpoint: without one they are the rest of a log whose checkpoint was taken away.
    if (readdirSync(this.#options.directory).includes("tile")) {
      throw logErrors.make("LOG_ROLLED_BACK", `expected a checkpoint beside the tiles in ${this.#options.directory}`);
    }
    await this.#publish({ ...grow(emptyFrontier, []), root: emptyRoot });
  }

  /** Asks the witnesses, and publishes the cosigned checkpoint when it is still the current one. */
  async #witnessed(head: Head): Promise<Head> {
    const { clients = [], quorum = 0 } = this.#options.witnesses ?? {};
    const proof = async (from: number) => (await proveConsistency(this.#source, head, from, head.size)).hashes;
    const cosigned = await cosignCheckpoint({ head, clients, quorum, proof, now: this.#clock.now() });
    if (cosigned === head.note) return head;
    await this.#locked(async () => {
      const published = this.#published();
      if (published?.size !== head.size) return;
      const note = mergeCosignatures(published.note, cosigned);
      await this.#files.write(new Map([[freshCheckpoint, note]]));
      await this.#files.publish(freshCheckpoint, "checkpoint");
    });
    return { ...head, note: cosigned };
  }

  /** Runs with the lock held, against other processes and against ourselves. */
  #locked<Result>(act: () => Promise<Result>): Promise<Result> {
    const run = this.#turns.then(async () => {
      const lock = await this.#acquire();
      try {
        return await act();
      } finally {
        lock.release();
      }
    });
    this.#turns = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  async #acquire(): Promise<ProcessLock> {
    try {
      if (this.#lock === undefined) {
        mkdirSync(this.#options.directory, { recursive: true });
        this.#lock = openLock(join(this.#options.directory, lockFile));
      }
      const lock = await this.#lock;
      await lock.acquire(this.#options.lockTimeoutMs ?? 30_000);
      return lock;
    } catch (cause) {
      if (isFactoryError(cause)) throw cause;
      this.#lock = undefined;
      throw logErrors.make("LOG_WRITE_FAILED", `the lock of the log cannot be taken: ${String(cause)}`, { cause });
    }
  }

  /** Takes away partial tiles whose full tile is published (C2SP tlog-tiles, "Partial Tiles"). Losing it costs only room. */
  #sweep({ filled }: Growth): void {
    if (filled.length === 0) return;
    const paths = filled.map((tile) => join(this.#options.directory, `${tilePath(tile)}.p`));
    this.#sweeps = this.#sweeps
      .then(() => Promise.all(paths.map((path) => rm(path, { recursive: true, force: true }))))
      .then(
        () => undefined,
        () => undefined,
      );
  }
}
