import { type Birth, matchBirths } from "./births.ts";
import { Family, relateRuns } from "./family.ts";
import type { LossCode, LossRecord } from "./losses.ts";
import type { ProcessExit } from "./observation.ts";

/** The working directory of a task. Undefined: not known until a call shows it. */
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
  parent: number | undefined;
  executable: string;
  executableBy: "descriptor" | "argument" | "inherited";
  /** Path of the executed file as it lay there before the step; undefined when the step made it. */
  base: string | undefined;
  /** Started through /proc/self/exe: the same program again. */
  readonly own: boolean;
  argv: readonly string[];
  argvTruncated: boolean;
  directory: string | undefined;
  exit: ProcessExit | undefined;
  /** Number of the line that says so. */
  readonly line: number;
}

/** A thread, which is known by its number in the host from its first line on. */
export interface Task {
  readonly tid: number;
  readonly firstLine: number;
  inStep: boolean;
  directory: WorkingDirectory;
  pending: PendingCall | undefined;
  /** It executes in a thread, and goes on under the number of its leader. */
  moved: boolean;
  /** A line that is no loss only when the task's next line is its end. */
  vanishing: { readonly code: LossCode; readonly line: string } | undefined;
  /** What is to be done once the working directory is known. */
  deferred: (() => void)[];
  run: ProgramRun | undefined;
  exit: ProcessExit | undefined;
}

/** An open that was under way when its thread died: whether it succeeded is not known. */
interface DyingOpen {
  readonly task: Task;
  readonly line: number;
  readonly text: string;
}

interface Expected {
  readonly parent: number;
  readonly directory: WorkingDirectory;
  readonly path: string | undefined;
  readonly shared: boolean;
}

const MAX_TASKS = 400_000;
export const cloneCalls: ReadonlySet<string> = new Set(["clone", "clone3", "fork", "vfork"]);

/**
 * Who is alive and which program each runs. strace prints the number of a new process as its parent sees it, which in a
 * namespace of its own is not the host's; translating it costs the tracer a search of /proc for each one. So parents and
 * children are matched at the end, by the order of their numbers (`births.ts`).
 */
export class ProcessTable {
  readonly runs: ProgramRun[] = [];
  readonly #alive = new Map<number, Task>();
  readonly #all: Task[] = [];
  readonly #births: Birth[] = [];
  /** Calls that make a task which has not had a line yet; emptied when as many tasks have appeared. */
  #expected: Expected[] = [];
  #appeared = 0;
  #interruptedClones = 0;
  readonly #dyingOpens: DyingOpen[] = [];
  /** Descriptors are shared between processes, not just threads. */
  #sharedDescriptors = false;
  #started: number | undefined;
  readonly #losses: LossRecord;
  overflowed = false;

  constructor(losses: LossRecord) {
    this.#losses = losses;
  }

  /** The process of the step's own command, once it started. */
  get started(): number | undefined {
    return this.#started;
  }

  /** Threads and processes that the step made, and its own. */
  get count(): number {
    return this.#all.filter((task) => task.inStep).length;
  }

  find(tid: number): Task | undefined {
    return this.#alive.get(tid);
  }

  task(tid: number, line: number): Task {
    return this.#alive.get(tid) ?? this.#appear(tid, line);
  }

  #appear(tid: number, line: number): Task {
    const task: Task = {
      tid,
      firstLine: line,
      inStep: this.#started !== undefined,
      directory: this.#expectedDirectory(),
      pending: undefined,
      moved: false,
      vanishing: undefined,
      deferred: [],
      run: undefined,
      exit: undefined,
    };
    this.#alive.set(tid, task);
    if (this.#all.length < MAX_TASKS) this.#all.push(task);
    else this.overflowed = true;
    return task;
  }

  /** The directory that a new task starts in, as far as all calls that may have made it agree. */
  #expectedDirectory(): WorkingDirectory {
    const [first, ...others] = this.#expected;
    if (++this.#appeared >= this.#expected.length) {
      this.#expected = [];
      this.#appeared = 0;
    }
    if (first === undefined) return { path: undefined };
    if (others.length === 0) return first.shared ? first.directory : { path: first.path };
    const agreed = others.every((other) => other.path === first.path && !other.shared) && !first.shared;
    return { path: agreed ? first.path : undefined };
  }

  /** A call that makes a task has begun. */
  cloning(parent: Task, args: string): void {
    const shared = /\bCLONE_FS\b/.test(args);
    this.#expected.push({ parent: parent.tid, directory: parent.directory, path: parent.directory.path, shared });
  }

  /** It failed, or was interrupted and will begin again. */
  notCloned(parent: Task): void {
    const at = this.#expected.findIndex((expected) => expected.parent === parent.tid);
    if (at >= 0) this.#expected.splice(at, 1);
  }

  /** It was under way when the task died, and may have made a task. */
  interruptedClone(parent: Task): void {
    this.notCloned(parent);
    this.#interruptedClones++;
  }

  /**
   * An open that was under way when its thread died. Nobody can use the descriptor but another thread's next program, when
   * it is that program's start which killed the thread, and the descriptor is not closed by it.
   */
  dyingOpen(task: Task, closedByExec: boolean, text: string): void {
    if (closedByExec || !task.inStep) return;
    if (this.#dyingOpens.length < MAX_TASKS) this.#dyingOpens.push({ task, line: task.firstLine, text });
    else this.overflowed = true;
  }

  /** It returned `child`, in the numbering of the parent's namespace. */
  cloned(parent: Task, child: number, flags: ReadonlySet<string>, line: number): void {
    const thread = flags.has("CLONE_THREAD");
    if (flags.has("CLONE_FILES") && !thread) this.#sharedDescriptors = true;
    this.#births.push({ parent: parent.tid, child, thread, line, inStep: parent.inStep });
    if (this.#births.length > MAX_TASKS) this.overflowed = true;
  }

  /** Sets up the sandbox no longer: from here on everything that `task` and its children do is the step's. */
  start(task: Task): void {
    this.#started = task.tid;
    task.inStep = true;
  }

  /** A program replaced the one of `task`. */
  executed(task: Task, run: Omit<ProgramRun, "pid" | "parent" | "exit" | "directory">): ProgramRun {
    if (task.run !== undefined) task.run.exit = { replaced: true };
    task.run = { ...run, pid: task.tid, parent: undefined, directory: task.directory.path, exit: undefined };
    task.directory = { path: task.directory.path };
    if (task.inStep) {
      if (this.runs.length < MAX_TASKS) this.runs.push(task.run);
      else this.overflowed = true;
    }
    return task.run;
  }

  /** The leader `tid` is gone; the thread `by` that executed goes on under its number. */
  superseded(tid: number, by: number, line: number): void {
    const leader = this.task(tid, line);
    const caller = this.#alive.get(by);
    if (caller === undefined) return;
    this.#alive.delete(by);
    caller.exit = { replaced: true };
    leader.directory = caller.directory;
    leader.pending = caller.pending;
    leader.moved = caller.moved;
    leader.vanishing = undefined;
  }

  ended(task: Task, exit: ProcessExit): void {
    if (task.pending !== undefined && cloneCalls.has(task.pending.name)) this.#interruptedClones++;
    this.#alive.delete(task.tid);
    task.exit = exit;
    if (task.run !== undefined) task.run.exit = exit;
  }

  /** Matches parents and children, and checks that every start and every end was seen. */
  close(): void {
    for (const task of this.#alive.values()) this.#losses.add("PROCESS_UNENDED", `process ${task.tid}`);
    const [root, ...others] = this.#all;
    if (root === undefined) return;
    // What made the sandbox is infrastructure: a filter that outranks the tracer's may have hidden births there. From
    // the step's first program on nothing is forgiven, but for what infrastructure made and that spoke late.
    const infrastructure = others.filter((task) => !task.inStep);
    const early = this.#births.filter((birth) => !birth.inStep);
    const startedTask = this.#all.find((task) => task.inStep);
    const late = Math.max(0, early.length - infrastructure.length - 1);
    const forgiven = this.#interruptedClones + late;
    const matched = matchBirths(
      this.#births.filter((birth) => birth.inStep),
      others.filter((task) => task.inStep && task !== startedTask),
    );
    if (matched.unborn.length > forgiven)
      for (const task of matched.unborn.slice(forgiven))
        this.#losses.add("PROCESS_UNBORN", `process ${task.tid} was traced, and no call was seen to make it`);
    for (const birth of matched.unseen)
      this.#losses.add("PROCESS_UNTRACED", `process ${birth.parent} made ${birth.child}, which was not traced`);
    const family = new Family(this.#all, matched.births);
    for (const run of relateRuns(this.#all, this.runs, matched.births, family))
      this.#losses.add("EXECUTABLE_UNKNOWN", `process ${run.pid} executed /proc/self/exe`);
    this.#checkDyingOpens(family);
  }

  #checkDyingOpens(family: Family): void {
    const lastRun = new Map<Task, number>();
    for (const run of this.runs) {
      const owner = run.executableBy === "inherited" ? undefined : family.taskAt(run.pid, run.line);
      if (owner !== undefined) lastRun.set(owner, run.line);
    }
    for (const { task, line, text } of this.#dyingOpens) {
      const leader = family.leader(task);
      const executedAfter = leader === undefined ? 0 : (lastRun.get(leader) ?? 0);
      if (this.#sharedDescriptors || executedAfter > line) this.#losses.add("PATH_UNKNOWN", text);
    }
  }
}
