import type { Birth } from "./births.ts";
import type { ProgramRun, Task } from "./process-table.ts";

/**
 * Gives each run its parent, adds a run for each process that went on in its parent's program, and names the programs that
 * were started through /proc/self/exe.
 * @param runs added to, and sorted by time
 * @returns runs whose program stays unknown
 */
export function relateRuns(
  tasks: readonly Task[],
  runs: ProgramRun[],
  births: ReadonlyMap<Task, Birth>,
  family: Family,
): ProgramRun[] {
  const runsOf = new Map<Task, ProgramRun[]>();
  const owners = new Map<ProgramRun, Task>();
  for (const run of runs) {
    const owner = family.taskAt(run.pid, run.line);
    if (owner === undefined) continue;
    owners.set(run, owner);
    append(runsOf, owner, run);
    run.parent = family.parentProcess(owner)?.tid;
  }
  /** The program that a task has from the one that made it. */
  const inherited = (task: Task): ProgramRun | undefined => {
    let line = births.get(task)?.line ?? 0;
    for (let ancestor = family.parentProcess(task); ancestor !== undefined; ancestor = family.parentProcess(ancestor)) {
      const run = runsOf.get(ancestor)?.findLast((candidate) => candidate.line <= line);
      if (run !== undefined) return run;
      line = births.get(ancestor)?.line ?? 0;
    }
    return undefined;
  };
  const unknown: ProgramRun[] = [];
  for (const [run, owner] of owners) {
    if (!run.own) continue;
    const before = runsOf.get(owner)?.findLast((candidate) => candidate.line < run.line) ?? inherited(owner);
    if (before === undefined || before.executable === "") unknown.push(run);
    run.executable = before?.executable ?? "/proc/self/exe";
    run.base = before?.base;
  }
  for (const task of tasks) {
    if (!task.inStep || births.get(task)?.thread || runsOf.has(task)) continue;
    const run = inherited(task);
    if (run === undefined) continue;
    runs.push({
      ...run,
      pid: task.tid,
      parent: family.parentProcess(task)?.tid,
      executableBy: "inherited",
      directory: task.directory.path ?? run.directory,
      exit: task.exit,
      line: task.firstLine,
    });
  }
  runs.sort((a, b) => a.line - b.line);
  return unknown;
}

/** Who made whom. Numbers are used again, so a task is looked up by its number and a line within its life. */
export class Family {
  readonly #byNumber = new Map<number, Task[]>();
  readonly #births: ReadonlyMap<Task, Birth>;
  readonly #leaders = new Map<Task, Task | undefined>();

  constructor(tasks: readonly Task[], births: ReadonlyMap<Task, Birth>) {
    this.#births = births;
    for (const task of tasks) append(this.#byNumber, task.tid, task);
  }

  taskAt(tid: number, line: number): Task | undefined {
    return this.#byNumber.get(tid)?.findLast((candidate) => candidate.firstLine <= line);
  }

  /** The leader of the thread group that made a task's own. */
  parentProcess(task: Task): Task | undefined {
    const leader = this.leader(task);
    const maker = leader === undefined ? undefined : this.#maker(leader);
    return maker === undefined ? undefined : this.leader(maker);
  }

  #maker(task: Task): Task | undefined {
    const birth = this.#births.get(task);
    if (birth === undefined) return undefined;
    const maker = this.taskAt(birth.parent, birth.line);
    // A task is never its own ancestor: what was made has its first line after its maker's.
    return maker === undefined || maker === task || maker.firstLine > task.firstLine ? undefined : maker;
  }

  /** The first thread of a task's thread group. */
  leader(task: Task): Task | undefined {
    const chain: Task[] = [];
    let leader: Task | undefined = task;
    while (leader !== undefined && !this.#leaders.has(leader) && this.#births.get(leader)?.thread) {
      chain.push(leader);
      leader = this.#maker(leader);
    }
    const found = leader !== undefined && this.#leaders.has(leader) ? this.#leaders.get(leader) : leader;
    for (const member of chain) this.#leaders.set(member, found);
    return found;
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
