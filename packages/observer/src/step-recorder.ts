import { FileLedger, openFlags } from "./file-ledger.ts";
import { LossRecord } from "./losses.ts";
import { NamingCalls, namingCalls } from "./naming-calls.ts";
import { NetworkLedger } from "./network-ledger.ts";
import type { RefusedCall } from "./observation.ts";
import type { LinkBefore } from "./path-tree.ts";
import { pathOf } from "./path-tree.ts";
import { cloneCalls, ProcessTable, type ProgramRun, type Task } from "./process-table.ts";
import { completeCall, parseTraceLine, splitArguments, type TraceLine } from "./trace-line.ts";
import { descriptor, directoryOf, displayName, quotedText, toBytes } from "./trace-text.ts";

const networkCalls = new Set(["connect", "bind", "sendto", "sendmsg", "sendmmsg"]);
/** Number of `arch_prctl`, which changes nothing that is recorded; undefined where it does not exist. */
const ARCH_PRCTL = process.arch === "x64" ? 158n : undefined;

const OWN_PROGRAM = /^\/proc\/(?:self|thread-self)\/exe$/;

/** A result that is none: strace was shown the entry of a call where it expected an end. */
const STALE = /^-1 \(errno (\d{19,20})\)$/;
const OPEN_CALLS: ReadonlySet<string> = new Set(["open", "openat", "openat2", "creat"]);

/** What may follow a call that could not be read any more because its task was dying. */
const ENDINGS: ReadonlySet<string> = new Set(["vanishing", "exited", "killed", "superseded", "signal", "stopped"]);

type Program = Pick<ProgramRun, "executable" | "executableBy" | "base">;

/** Turns the lines of a trace into what happened. SPEC.md, "Reading a trace". */
export class StepRecorder {
  readonly losses = new LossRecord();
  readonly files: FileLedger;
  readonly network = new NetworkLedger();
  readonly #names: NamingCalls;
  readonly processes = new ProcessTable(this.losses);
  readonly #refused = new Map<string, { call: string; pid: number; answer: string; count: number }>();
  readonly #privileged: boolean;
  readonly #command: readonly string[];
  lines = 0;
  opens = 0;
  failedOpens = 0;

  /**
   * @param command the step's argv, which marks the start of the step
   * @param privileged the tracer had root's rights, before which no process can hide its descriptors
   */
  constructor(command: readonly string[], linkBefore: LinkBefore, privileged = false) {
    this.#privileged = privileged;
    this.#command = command.map(toBytes);
    this.files = new FileLedger(linkBefore);
    this.#names = new NamingCalls(this.files, this.losses);
  }

  line(text: string): void {
    this.lines++;
    if (this.#repeats(text)) return;
    const line = parseTraceLine(text);
    if (line === undefined) this.#unparsed(text);
    else this.#event(line, text);
  }

  /**
   * Builds open the same headers and libraries thousands of times. A line that differs from an earlier one in its process
   * alone, and that only opens for reading, adds nothing, unless a name was moved in between.
   */
  #repeats(text: string): boolean {
    const space = text.indexOf(" ");
    if (!this.#seen.has(text.slice(space))) return false;
    const task = this.processes.find(Number(text.slice(0, space)));
    if (task?.pending !== undefined || task?.directory.path === undefined || !task.inStep) return false;
    this.opens++;
    return true;
  }
  readonly #seen = new Set<string>();

  /** Ends the record: whatever is still open is a loss. */
  close(): void {
    if (this.processes.started === undefined)
      this.losses.add("START_MISSING", "the step's command was not seen to start");
    this.processes.close();
    if (this.files.overflowed || this.network.overflowed || this.processes.overflowed)
      this.losses.add("RECORD_LIMIT", "some records were dropped");
  }

  get refused(): RefusedCall[] {
    return [...this.#refused.values()];
  }

  #unparsed(text: string): void {
    this.losses.add("LINE_UNPARSED", text);
  }

  #event(line: TraceLine, text: string): void {
    const task = this.processes.task(line.pid, this.lines);
    if (task.vanishing !== undefined && !ENDINGS.has(line.kind)) {
      this.losses.add(task.vanishing.code, task.vanishing.line);
      task.vanishing = undefined;
    }
    switch (line.kind) {
      case "failed-open":
        if (task.inStep) this.failedOpens++;
        return;
      case "call":
        return this.#call(task, line.name, line.args, line.result, text);
      case "unfinished":
        task.pending = { name: line.name, args: line.args };
        if (cloneCalls.has(line.name)) this.processes.cloning(task, line.args);
        return;
      case "resumed": {
        const { pending } = task;
        task.pending = undefined;
        const call =
          pending?.name === line.name ? completeCall(line.pid, line.name, pending.args + line.rest) : undefined;
        if (call?.kind !== "call") return this.#unparsed(text);
        if (pending !== undefined && cloneCalls.has(pending.name)) {
          if (STALE.test(call.result)) return this.#dying(task, call.name, call.args, text);
          if (!call.result.endsWith(" (INJECTED)")) return this.#cloned(task, call.args, call.result, text);
          this.processes.notCloned(task);
        }
        return this.#call(task, call.name, call.args, call.result, text);
      }
      case "vanishing":
        task.vanishing = { code: "LINE_UNPARSED", line: text };
        return;
      case "moved":
        task.moved = true;
        task.pending = { name: line.name, args: line.args };
        return;
      case "superseded":
        return this.processes.superseded(line.pid, line.by, this.lines);
      case "exited":
        this.#cutShort(task);
        return this.processes.ended(task, { code: line.code });
      case "killed":
        this.#cutShort(task);
        return this.processes.ended(task, { signal: line.signal });
      case "signal":
        if (line.signal === "SIGSYS" && task.inStep) this.#trapped(task, line.detail);
        return;
      case "stopped":
        return;
    }
  }

  #cutShort(task: Task): void {
    this.#names.giveUp(task);
    const { pending } = task;
    if (pending === undefined || !task.inStep) return;
    if (namingCalls.has(pending.name)) this.losses.add("CALL_UNFINISHED", `${pending.name} of process ${task.tid}`);
    if (OPEN_CALLS.has(pending.name))
      this.#dyingOpen(task, pending.name, pending.args, `${pending.name}(${pending.args}`);
  }

  /** A call of a task that is dying: its next line must be its end, and whether the call took effect is not known. */
  #dying(task: Task, name: string, args: string, text: string): void {
    task.vanishing = { code: "LINE_UNPARSED", line: text };
    if (cloneCalls.has(name)) this.processes.interruptedClone(task);
    else if (!task.inStep) return;
    else if (OPEN_CALLS.has(name)) this.#dyingOpen(task, name, args, text);
    else if (namingCalls.has(name)) this.losses.add("CALL_UNFINISHED", `${name} of process ${task.tid}`);
    else if (networkCalls.has(name)) this.network.call(task.tid, name, args, "unknown");
  }

  #dyingOpen(task: Task, name: string, args: string, text: string): void {
    const parts = splitArguments(args);
    const relative = name.startsWith("openat");
    const flags = name === "creat" ? "O_WRONLY|O_CREAT|O_TRUNC" : (parts[relative ? 2 : 1] ?? "");
    this.processes.dyingOpen(task, name !== "openat2" && flags.includes("O_CLOEXEC"), text);
    const given = quotedText(parts[relative ? 1 : 0] ?? "");
    const from = relative ? descriptor(parts[0] ?? "") : undefined;
    if (given === undefined || given.cut || !/O_CREAT|O_TRUNC|O_WRONLY|O_RDWR/.test(flags)) return;
    // A file may have been made by it, whose name only the argument tells.
    const path = this.#names.join(task, given.text, from === undefined ? undefined : directoryOf(from));
    const found = path === undefined ? undefined : this.files.tree.resolve(path, true);
    if (found !== undefined)
      this.files.opened(pathOf(found), false, { ...openFlags(flags), read: false, create: true });
  }

  #trapped(task: Task, detail: string): void {
    const match = /si_code=SYS_SECCOMP.*si_syscall=(?:__NR_)?([a-z0-9_]+)/.exec(detail);
    if (match?.[1] !== undefined) this.#refuse(task, match[1], "SIGSYS");
  }

  #refuse(task: Task, call: string, answer: string): void {
    const key = `${task.tid} ${call} ${answer}`;
    const row = this.#refused.get(key);
    if (row !== undefined) row.count++;
    else if (this.#refused.size >= 20_000) this.losses.add("RECORD_LIMIT", "some refused calls were dropped");
    else this.#refused.set(key, { call, pid: task.tid, answer, count: 1 });
  }

  #call(task: Task, name: string, args: string, result: string, text: string): void {
    if (args.startsWith("AT_FDCWD<")) {
      const end = args.indexOf(">") + 1;
      const current = descriptor(args.slice(0, args.startsWith("(deleted)", end) ? end + 9 : end));
      task.directory.path = current === undefined ? undefined : directoryOf(current);
      for (const act of task.deferred.splice(0)) act();
    }
    if (STALE.test(result) && !task.moved) return this.#dying(task, name, args, text);
    if (result.endsWith(" (INJECTED)")) {
      if (task.inStep) this.#refuse(task, name, /^-1 (E[A-Z]+)/.exec(result)?.[1] ?? "refused");
      return;
    }
    switch (name) {
      case "clone":
      case "clone3":
      case "fork":
      case "vfork":
        this.processes.cloning(task, args);
        return this.#cloned(task, args, result, text);
      case "execve":
      case "execveat":
        return this.#executed(task, name, args, result, text);
      case "seccomp":
        if (task.inStep && /^\d/.test(result) && args.includes("SECCOMP_FILTER_FLAG_NEW_LISTENER"))
          this.losses.add("LISTENER_INSTALLED", `process ${task.tid}`);
        return;
      case "chdir":
      case "fchdir":
        return this.#moved(task, name, args, result);
    }
    if (!task.inStep) return;
    if (networkCalls.has(name)) this.network.call(task.tid, name, args, result);
    else if (OPEN_CALLS.has(name)) this.#opened(task, name, args, result, text);
    else if (namingCalls.has(name)) {
      // A name may lead to another file now.
      if (name.startsWith("rename") || name.startsWith("link")) this.#seen.clear();
      this.#names.call(task, name, args, result, text);
    }
  }

  #cloned(task: Task, args: string, result: string, text: string): void {
    if (!/^\d+$/.test(result)) {
      this.processes.notCloned(task);
      if (!/^(?:-1 E|\?)/.test(result)) this.#unparsed(text);
      return;
    }
    if (/\bCLONE_UNTRACED\b/.test(args))
      this.losses.add("PROCESS_UNTRACED", `process ${task.tid} made one that cannot be traced (CLONE_UNTRACED)`);
    const flags = new Set(/flags=([A-Z_0-9x|]+)/.exec(args)?.[1]?.split("|"));
    this.processes.cloned(task, Number(result), flags, this.lines);
  }

  #executed(task: Task, name: string, args: string, result: string, text: string): void {
    if (result !== "0") {
      // After an exec in a thread, strace takes the first traced call of the new program for the end of the exec.
      const swallowed = STALE.exec(result)?.[1];
      if (swallowed === undefined) {
        task.moved = false;
        if (!/^(?:-1 E|\?)/.test(result)) this.#unparsed(text);
        return;
      }
      const call = (1n << 64n) - BigInt(swallowed);
      if (call !== ARCH_PRCTL) this.losses.add("CALL_LOST", `call number ${call} of process ${task.tid}`);
    }
    task.moved = false;
    const parts = splitArguments(args);
    const argv = argumentList(parts[name === "execve" ? 1 : 2] ?? "");
    if (this.processes.started === undefined && this.#isCommand(argv)) this.processes.start(task);
    const from = name === "execveat" ? descriptor(parts[0] ?? "") : undefined;
    const given = quotedText(parts[name === "execve" ? 0 : 1] ?? "");
    const run = this.processes.executed(task, {
      ...this.#program(task, given, from),
      own: given !== undefined && OWN_PROGRAM.test(given.text),
      argv: argv.values.map(displayName),
      argvTruncated: argv.cut,
      line: this.lines,
    });
    if (run.executable === "" && !run.own)
      task.deferred.push(() => Object.assign(run, this.#program(task, given, from)));
  }

  #isCommand(argv: { values: readonly string[]; cut: boolean }): boolean {
    const { values, cut } = argv;
    if (values.length === 0 || (!cut && values.length !== this.#command.length)) return false;
    return values.every((value, i) => (cut ? this.#command[i]?.startsWith(value) : this.#command[i] === value));
  }

  /** What was executed; the empty name when that is known later. */
  #program(
    task: Task,
    given: { text: string; cut: boolean } | undefined,
    from: ReturnType<typeof descriptor>,
  ): Program {
    const { inStep } = task;
    if (from !== undefined && given?.text === "" && !from.current) {
      if (inStep && from.deleted && !from.path.startsWith("/memfd:"))
        this.losses.add("EXECUTABLE_UNKNOWN", `process ${task.tid} executed ${displayName(from.path)} (deleted)`);
      const base = inStep && !from.deleted ? this.files.executed(from.path) : undefined;
      return { executable: displayName(from.path), executableBy: "descriptor", base };
    }
    const byArgument = (executable: string, base?: string): Program => ({ executable, executableBy: "argument", base });
    const unknown = (what: string): Program => {
      if (inStep) this.losses.add("EXECUTABLE_UNKNOWN", `process ${task.tid} executed ${what}`);
      return byArgument(what);
    };
    if (given === undefined || given.cut) return unknown("a name that could not be read");
    const path = this.#names.join(task, given.text, from === undefined ? undefined : directoryOf(from));
    if (OWN_PROGRAM.test(given.text) || (path === undefined && !given.text.startsWith("/"))) return byArgument("");
    if (path === undefined) return unknown(displayName(given.text));
    if (!inStep) return byArgument(displayName(path));
    const found = this.files.tree.resolve(path, true);
    const real = found === undefined ? undefined : pathOf(found);
    if (real === undefined || /^\/(?:proc|dev)\//.test(real)) return unknown(displayName(given.text));
    return byArgument(displayName(real), this.files.executed(real));
  }

  #moved(task: Task, name: string, args: string, result: string): void {
    if (result !== "0") return;
    this.#names.giveUp(task);
    if (name === "fchdir") {
      const found = descriptor(args);
      task.directory.path = found === undefined ? undefined : directoryOf(found);
      return;
    }
    const given = quotedText(args);
    const path = given === undefined ? undefined : this.#names.join(task, given.text, undefined);
    const found = path === undefined ? undefined : this.files.tree.resolve(path, true);
    const real = found === undefined ? undefined : pathOf(found);
    // Through /proc the name says nothing; the next call that is relative to it shows the directory.
    task.directory.path = real === undefined || real.startsWith("/proc/") ? undefined : real;
  }

  #opened(task: Task, name: string, args: string, result: string, text: string): void {
    if (result.startsWith("-1 E") || result.startsWith("?")) {
      if (result === "?") this.#dyingOpen(task, name, args, text);
      this.failedOpens++;
      return;
    }
    this.opens++;
    const found = descriptor(result);
    if (found === undefined) {
      if (!/^\d+$/.test(result)) return this.#unparsed(text);
      // Its task hides its descriptors, which only root's tracer sees through, or is dying.
      if (this.#privileged) {
        task.vanishing = { code: "PATH_UNKNOWN", line: text };
        this.#dyingOpen(task, name, args, text);
      } else this.losses.add("PATH_UNKNOWN", text);
      return;
    }
    if (name === "creat") return this.files.opened(found.path, found.deleted, openFlags("O_WRONLY|O_CREAT|O_TRUNC"));
    const rest = args.slice(args.lastIndexOf('", ') + 3);
    if (name === "openat2") {
      // The flags lie in memory, where another thread may have changed them: a writable descriptor is assumed.
      const flags = /flags=([^,}]*)/.exec(rest)?.[1] ?? "O_RDWR";
      const said = openFlags(flags);
      return this.files.opened(found.path, found.deleted, {
        ...said,
        read: true,
        write: said.write || !said.directory,
      });
    }
    const end = rest.indexOf(",");
    const flags = openFlags(end < 0 ? rest : rest.slice(0, end));
    this.files.opened(found.path, found.deleted, flags);
    if (!flags.write && !flags.create && this.#seen.size < 50_000) this.#seen.add(text.slice(text.indexOf(" ")));
  }
}

/** Reads `["cc", "-c", ...]`. */
function argumentList(text: string): { values: string[]; cut: boolean } {
  if (!text.startsWith("[") || !text.endsWith("]")) return { values: [], cut: text !== "NULL" };
  const values: string[] = [];
  let cut = false;
  if (text.length === 2) return { values, cut };
  for (const part of splitArguments(text.slice(1, -1))) {
    const found = quotedText(part);
    if (found === undefined || found.cut) cut = true;
    if (found !== undefined) values.push(found.text);
  }
  return { values, cut };
}
