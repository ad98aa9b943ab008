/** A unit of work that waits for others. */
export interface Task {
  readonly name: string;
  readonly after: readonly string[];
}

/** How a task ended: done, or not, in which case nothing that waits for it starts. */
export type TaskResult = "done" | "stopped";

/**
 * Runs tasks as soon as all that they wait for are done, at most `jobs` at once, in their given order otherwise.
 * Tasks whose predecessors stopped never start and are returned. After the signal aborts, nothing new starts.
 * The first exception of a task is rethrown once everything that runs has ended.
 */
export async function schedule(
  tasks: readonly Task[],
  jobs: number,
  signal: AbortSignal,
  run: (task: Task) => Promise<TaskResult>,
): Promise<readonly string[]> {
  const waiting = new Set(tasks);
  const done = new Set<string>();
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  for (;;) {
    for (const task of waiting) {
      if (running.size >= jobs || signal.aborted || failure !== undefined) break;
      if (!task.after.every((name) => done.has(name))) continue;
      waiting.delete(task);
      const promise: Promise<void> = run(task)
        .then((result) => {
          if (result === "done") done.add(task.name);
        })
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(promise));
      running.add(promise);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (failure !== undefined) throw failure.error;
  return [...waiting].map((task) => task.name);
}
