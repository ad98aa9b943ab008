import { Worker } from "node:worker_threads";
import { evaluationErrors } from "./evaluation-errors.ts";

/** How threads are run. */
export interface ThreadPoolOptions {
  /** Module whose `thread.serve` answers. */
  readonly url: string;
  /** Questions at once, each in a thread of its own. Default 2. */
  readonly threads?: number;
  /** Milliseconds for one answer, start of the thread not included. Default 2,000. */
  readonly deadlineMs?: number;
  /** Megabytes of one thread's heap. Default 256. */
  readonly memoryMb?: number;
  /** Questions that wait at most. Default 10,000. */
  readonly waiting?: number;
}

/** Threads that answer questions, one at a time each. */
export interface ThreadPool<Question, Answer> {
  /** @throws EVIDENCE_CACHE_EVALUATION_* | the signal's reason while waiting */
  ask(question: Question, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

interface Job {
  readonly question: unknown;
  readonly settle: (answer: unknown, error?: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  job?: Job | undefined;
  timer?: NodeJS.Timeout | undefined;
  isReady: boolean;
}

/**
 * Runs a pure function where it can be stopped: whoever exceeds the deadline or the memory loses their thread, and
 * nobody else is held up. An ended thread is replaced when it is needed.
 */
export function threadPool<Question, Answer>(options: ThreadPoolOptions): ThreadPool<Question, Answer> {
  const { url, threads: most = 2, deadlineMs = 2000, memoryMb = 256, waiting = 10_000 } = options;
  const threads = new Set<Thread>();
  const queue = new Set<Job>();
  let isClosed = false;

  const start = (): void => {
    const worker = new Worker(`import(${JSON.stringify(url)}).then((each) => each.thread.serve());`, {
      eval: true,
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    });
    const thread: Thread = { worker, isReady: false };
    threads.add(thread);
    worker.on("message", (message: { ready?: true; answer?: unknown; failure?: string }) => {
      if (message.ready === true) thread.isReady = true;
      else finish(thread, message.answer, message.failure === undefined ? undefined : new Error(message.failure));
      feed();
    });
    worker.on("error", (error: Error & { readonly code?: string }) => {
      const isMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      lose(
        thread,
        isMemory
          ? evaluationErrors.make("EVIDENCE_CACHE_EVALUATION_MEMORY", `expected at most ${memoryMb} MB`, {
              cause: error,
            })
          : evaluationErrors.make("EVIDENCE_CACHE_EVALUATION_LOST", error.message, { cause: error }),
      );
    });
    worker.on("exit", () => lose(thread, evaluationErrors.make("EVIDENCE_CACHE_EVALUATION_LOST", "the thread ended")));
  };
  const finish = (thread: Thread, answer: unknown, error?: Error): void => {
    clearTimeout(thread.timer);
    const { job } = thread;
    thread.job = undefined;
    thread.worker.unref();
    job?.settle(answer, error);
  };
  const lose = (thread: Thread, error: Error): void => {
    if (!threads.delete(thread)) return;
    finish(thread, undefined, error);
    // A thread that cannot even start answers nobody: who waits is told, instead of starting another for ever.
    if (!thread.isReady) for (const job of queue) drop(job, error);
    void thread.worker.terminate();
    feed();
  };
  const drop = (job: Job, error: Error): void => {
    queue.delete(job);
    job.settle(undefined, error);
  };
  const feed = (): void => {
    if (isClosed) return;
    for (const job of queue) {
      const free = [...threads].find((each) => each.isReady && each.job === undefined);
      if (free === undefined) {
        const starting = [...threads].filter((each) => !each.isReady).length;
        if (threads.size < most && starting === 0) start();
        return;
      }
      queue.delete(job);
      free.job = job;
      free.worker.ref();
      free.timer = setTimeout(() => {
        lose(
          free,
          evaluationErrors.make("EVIDENCE_CACHE_EVALUATION_SLOW", `expected an answer within ${deadlineMs} ms`),
        );
      }, deadlineMs);
      free.worker.postMessage({ id: 0, question: job.question });
    }
  };
  return {
    ask: (question, signal) =>
      new Promise<Answer>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        if (isClosed || queue.size >= waiting) {
          const message = `expected at most ${waiting} waiting decisions`;
          return reject(evaluationErrors.make("EVIDENCE_CACHE_EVALUATION_BUSY", message));
        }
        const leave = (): void => {
          queue.delete(job);
          reject(signal.reason as Error);
        };
        const job: Job = {
          question,
          settle: (answer, error) => {
            signal.removeEventListener("abort", leave);
            if (error === undefined) resolve(answer as Answer);
            else reject(error);
          },
        };
        signal.addEventListener("abort", leave, { once: true });
        queue.add(job);
        feed();
      }),
    async close() {
      isClosed = true;
      const error = evaluationErrors.make("EVIDENCE_CACHE_EVALUATION_LOST", "the service stops");
      for (const job of queue) drop(job, error);
      for (const thread of threads) finish(thread, undefined, error);
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
