import { evidenceCacheErrors } from "./errors.ts";

/** A bound on how much happens at once. */
export interface Slots {
  /** Waits for a slot and does the work in it. @throws EVIDENCE_CACHE_BUSY | the signal's reason while waiting */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  readonly taken: number;
  readonly waiting: number;
}

interface Waiter {
  readonly go: () => void;
}

/** At most `atOnce` take place; at most `waiting` more wait, in order. */
export function slots({ atOnce, waiting: mostWaiting }: { atOnce: number; waiting: number }): Slots {
  let taken = 0;
  const queue = new Set<Waiter>();
  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (taken < atOnce) {
      taken++;
      return Promise.resolve();
    }
    if (queue.size >= mostWaiting) {
      return Promise.reject(
        evidenceCacheErrors.make(
          "EVIDENCE_CACHE_BUSY",
          `expected at most ${mostWaiting} waiting lookups, found one more`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        go: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      queue.add(waiter);
    });
  };
  const exit = (): void => {
    const [next] = queue;
    if (next === undefined) {
      taken--;
      return;
    }
    // The slot goes over; nobody who came later can take it in between.
    queue.delete(next);
    next.go();
  };
  return {
    get taken() {
      return taken;
    },
    get waiting() {
      return queue.size;
    },
    async take(signal, work) {
      await enter(signal);
      try {
        return await work();
      } finally {
        exit();
      }
    },
  };
}
