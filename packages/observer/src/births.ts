/** A call that returned the number of a new task. */
export interface Birth {
  /** Number of the parent in the host. */
  readonly parent: number;
  /** Number of the child as the parent's namespace has it. */
  readonly child: number;
  readonly thread: boolean;
  readonly line: number;
  readonly inStep: boolean;
}

/** A task that was seen, by its number in the host and its first line. */
export interface Seen {
  readonly tid: number;
  readonly firstLine: number;
  readonly inStep: boolean;
}

/** Which birth made which task, and what is left over on either side. */
export interface MatchedBirths<T extends Seen> {
  readonly births: ReadonlyMap<T, Birth>;
  readonly unborn: readonly T[];
  readonly unseen: readonly Birth[];
}

/**
 * Matches births to tasks. Where the numbers are the host's, they are equal. In a namespace of its own both numberings
 * count upwards, so that the n-th birth by number is the n-th task by number: the kernel takes a number for a task in each
 * of its namespaces one after the other. (Two tasks made in the same microsecond on two processors may be exchanged; how
 * many there are is exact.)
 */
export function matchBirths<T extends Seen>(births: readonly Birth[], tasks: readonly T[]): MatchedBirths<T> {
  const matched = new Map<T, Birth>();
  const waiting = new Map<number, T[]>();
  for (const task of tasks) waiting.set(task.tid, [...(waiting.get(task.tid) ?? []), task]);
  const inStep = births.filter((birth) => birth.inStep);
  const numbersAreHosts = inStep.every((birth) => waiting.has(birth.child));
  const rest: Birth[] = [];
  for (const birth of births) {
    const task = numbersAreHosts || !birth.inStep ? waiting.get(birth.child)?.shift() : undefined;
    if (task === undefined) rest.push(birth);
    else matched.set(task, birth);
  }
  const left = tasks.filter((task) => !matched.has(task));
  const orderedBirths = unwrapped(rest.map((birth) => ({ number: birth.child, line: birth.line, value: birth })));
  const orderedTasks = unwrapped(left.map((task) => ({ number: task.tid, line: task.firstLine, value: task })));
  const count = Math.min(orderedBirths.length, orderedTasks.length);
  for (let i = 0; i < count; i++) matched.set(orderedTasks[i] as T, orderedBirths[i] as Birth);
  return { births: matched, unborn: orderedTasks.slice(count), unseen: orderedBirths.slice(count) };
}

/** Sorts by number; where numbering began again from the bottom, what came later stays later. */
function unwrapped<V>(rows: { number: number; line: number; value: V }[]): V[] {
  const byLine = [...rows].sort((a, b) => a.line - b.line);
  let round = 0;
  let highest = 0;
  const ranked = byLine.map((row) => {
    if (highest - row.number > 16_000) {
      round++;
      highest = row.number;
    }
    // A straggler of the round before the last turn.
    const late = round > 0 && row.number - highest > 16_000;
    if (!late) highest = Math.max(highest, row.number);
    return { ...row, round: late ? round - 1 : round };
  });
  return ranked.sort((a, b) => a.round - b.round || a.number - b.number).map((row) => row.value);
}
