import type { LossRecord } from "./losses.ts";
import type { ProcessExit } from "./observation.ts";

/** A directory that tasks made with CLONE_FS share. Undefined: not known until a call shows it. */
export interface WorkingDirectory {
  path: string | undefined;
}

/** A call that has begun and not ended. */
export interface PendingCall {
  readonly name: string;
  readonly args: string;
}

/** One program run by one process. */
export interface ProgramRun {
  readonly pid: number;
  process: Process;
  executable: string;
  executableBy: "descriptor" | "argument" | "inherited";
  /** Path of the executed file as it lay there before the step; undefined when the step made it. */
  base: string | undefined;
  argv: readonly string[];
  argvTruncated: boolean;
  directory: string | undefined;
  exit: ProcessExit | undefined;
}

/** A thread group. */
export interface Process {
  readonly pid: number;
  parent: number | undefined;
  run: ProgramRun | undefined;
  inStep: boolean;
}

/** A thread. */
export interface Task {
  readonly tid: number;
  process: Process;
  directory: WorkingDirectory;
  pending: PendingCall | undefined;
  adopted: boolean;
}

const MAX_RUNS = 100_000;

/**
 * Who is alive, who made whom, and which program each runs. A child's first lines often come before the line in which
 * its parent's clone returns, so a task that is not known yet is taken in provisionally and adopted later.
 */
export class ProcessTable {
  readonly runs: ProgramRun[] = [];
  readonly tasks = new Map<number, Task>();
  /** Provisional tasks that ended before they were adopted. */
  readonly #orphans = new Map<number, Task[]>();
  /** Tasks that died within a clone call, each of which may have made one child. */
  #interruptedClones = 0;
  readonly #losses: LossRecord;
  #started: number | undefined;
  overflowed = false;
  processes = 0;
  firstPid: number | undefined;

  constructor(losses: LossRecord) {
    this.#losses = losses;
  }

  /** The process of the step's own command, once it started. */
  get started(): number | undefined {
    return this.#started;
  }

  task(tid: number): Task {
    let task = this.tasks.get(tid);
    if (task === undefined) {
      const first = this.firstPid === undefined;
      this.firstPid ??= tid;
      this.processes++;
      const process: Process = { pid: tid, parent: undefined, run: undefined, inStep: this.#started !== undefined };
      task = { tid, process, directory: { path: undefined }, pending: undefined, adopted: first };
      this.tasks.set(tid, task);
    }
    return task;
  }

  /** Sets up the sandbox no longer: from here on everything that `task` and its children do is the step's. */
  start(task: Task): void {
    this.#started = task.process.pid;
    task.process.inStep = true;
  }

  /** A clone, fork or vfork of `parent` returned `child`. */
  cloned(parent: Task, child: number, flags: ReadonlySet<string>): void {
    const orphans = this.#orphans.get(child);
    const task = orphans?.shift() ?? this.task(child);
    if (orphans?.length === 0) this.#orphans.delete(child);
    if (task.adopted) {
      this.#losses.add("PROCESS_UNENDED", `process ${child} started again without having ended`);
      return;
    }
    task.adopted = true;
    if (flags.has("CLONE_THREAD")) {
      this.processes--;
      if (task.process.run === undefined) task.process = parent.process;
      task.directory = parent.directory;
      return;
    }
    task.process.parent = parent.process.pid;
    if (!parent.process.inStep) task.process.inStep = false;
    if (flags.has("CLONE_FS")) task.directory = parent.directory;
    else task.directory.path ??= parent.directory.path;
    const inherited = parent.process.run;
    if (task.process.run === undefined && inherited !== undefined) {
      task.process.run = this.#add({
        ...inherited,
        pid: child,
        process: task.process,
        executableBy: "inherited",
        directory: task.directory.path ?? inherited.directory,
        exit: undefined,
      });
    }
    if (task.process.run !== undefined) task.process.run.directory ??= task.directory.path;
    if (orphans !== undefined && task.process.run !== undefined) task.process.run.exit ??= this.#ends.get(task);
  }
  readonly #ends = new Map<Task, ProcessExit>();

  /** A program replaced the one of `task`'s process. */
  executed(task: Task, run: Pick<ProgramRun, "executable" | "executableBy" | "base" | "argv" | "argvTruncated">): void {
    const { process } = task;
    if (process.run !== undefined && process.run.exit === undefined) process.run.exit = { replaced: true };
    // A fork that goes on to execute is one program, not two.
    if (process.run?.executableBy === "inherited") this.#discard(process.run);
    process.run = this.#add({ ...run, pid: process.pid, process, directory: task.directory.path, exit: undefined });
    task.directory = { path: task.directory.path };
  }

  /** The leader `tid` is gone; the thread `by` that executed goes on under its number. */
  superseded(tid: number, by: number): void {
    const leader = this.task(tid);
    const caller = this.tasks.get(by);
    this.tasks.delete(by);
    if (caller !== undefined) leader.directory = caller.directory;
    leader.pending = caller?.pending;
  }

  ended(tid: number, exit: ProcessExit): void {
    const task = this.task(tid);
    if (task.pending !== undefined && /^(?:clone3?|v?fork)$/.test(task.pending.name)) this.#interruptedClones++;
    this.tasks.delete(tid);
    if (tid === task.process.pid && task.process.run !== undefined) task.process.run.exit = exit;
    if (!task.adopted) {
      const waiting = this.#orphans.get(tid) ?? [];
      waiting.push(task);
      this.#orphans.set(tid, waiting);
      this.#ends.set(task, exit);
    }
  }

  /** Checks, at the end of the trace, that every start and every end was seen. */
  close(): void {
    for (const task of this.tasks.values()) this.#losses.add("PROCESS_UNENDED", `process ${task.tid}`);
    const unborn = [...this.#orphans.values()].flat().concat([...this.tasks.values()].filter((task) => !task.adopted));
    for (const task of unborn.slice(this.#interruptedClones))
      this.#losses.add("PROCESS_UNBORN", `process ${task.tid} was traced, and no call was seen to make it`);
  }

  #add(run: ProgramRun): ProgramRun {
    if (this.runs.length >= MAX_RUNS) this.overflowed = true;
    else this.runs.push(run);
    return run;
  }

  #discard(run: ProgramRun): void {
    // The record to discard is nearly always among the last ones.
    const at = this.runs.lastIndexOf(run);
    if (at >= 0) this.runs.splice(at, 1);
  }
}
