import { closeSync, fsync, openSync } from "node:fs";
import { promisify } from "node:util";

const flushed = promisify(fsync);

/** Flushes the names in one directory; whoever asks while a flush is running shares the next one. */
export class DirectoryFlush {
  readonly #path: string;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every name that was made before survives a power cut once this returns. */
  flush(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running
      // The running flush's own callers hear of its failure.
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<void> {
    const run = sync(this.#path).finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }
}

async function sync(path: string): Promise<void> {
  // Windows has no such call and needs none.
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    await flushed(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
