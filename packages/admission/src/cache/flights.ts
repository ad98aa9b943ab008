/** Work that several callers wait for at once, by key. */
export interface Flights<Result> {
  /** Joins what is under way for the key, or starts it. A caller whose signal aborts leaves; the last to leave ends it. */
  join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** How many are under way. */
  readonly size: number;
}

interface Flight<Result> {
  readonly work: Promise<Result>;
  readonly abort: AbortController;
  waiters: number;
}

/** Shares concurrent work. Nothing is kept once it ended. */
export function flights<Result>(): Flights<Result> {
  const under = new Map<string, Flight<Result>>();
  const begin = (key: string, start: (signal: AbortSignal) => Promise<Result>): Flight<Result> => {
    const abort = new AbortController();
    const work = Promise.resolve()
      .then(() => start(abort.signal))
      .finally(() => {
        if (under.get(key) === flight) under.delete(key);
      });
    work.catch(() => {});
    const flight: Flight<Result> = { work, abort, waiters: 0 };
    under.set(key, flight);
    return flight;
  };
  return {
    get size() {
      return under.size;
    },
    async join(key, signal, start) {
      signal.throwIfAborted();
      const flight = under.get(key) ?? begin(key, start);
      flight.waiters++;
      try {
        return await unlessAborted(flight.work, signal);
      } finally {
        flight.waiters--;
        if (flight.waiters === 0) {
          if (under.get(key) === flight) under.delete(key);
          flight.abort.abort();
        }
      }
    },
  };
}

/** What a promise gives, or the signal's reason when that comes first. Leaves no listener behind. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      work.catch(() => {});
      reject(signal.reason as Error);
      return;
    }
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    const arrive = (): void => signal.removeEventListener("abort", leave);
    work.then(
      (value) => {
        arrive();
        resolve(value);
      },
      (error: unknown) => {
        arrive();
        reject(error);
      },
    );
  });
}
