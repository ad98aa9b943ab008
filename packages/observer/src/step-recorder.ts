import { FileLedger, openFlags } from "./file-ledger.ts";
import { LossRecord } from "./losses.ts";
import { NetworkLedger } from "./network-ledger.ts";
import type { RefusedCall } from "./observation.ts";
import type { LinkBefore } from "./path-tree.ts";
import { pathOf } from "./path-tree.ts";
import { cloneCalls, ProcessTable, type ProgramRun, type Task } from "./process-table.ts";
import { completeCall, parseTraceLine, splitArguments, type TraceLine } from "./trace-line.ts";
import { descriptor, directoryOf, displayName, quotedText, toBytes } from "./trace-text.ts";

const networkCalls = new Set(["connect", "bind", "sendto", "sendmsg", "sendmmsg"]);
const namingCalls = new Set(
  "rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat link linkat symlink symlinkat mknod mknodat truncate".split(
    " ",
  ),
);
/** Number of `arch_prctl`, which changes nothing that is recorded; undefined where it does not exist. */
const ARCH_PRCTL = process.arch === "x64" ? 158n : undefined;

const OWN_PROGRAM = /^\/proc\/(?:self|thread-self)\/exe$/;

type Program = Pick<ProgramRun, "executable" | "executableBy" | "base">;

/** Turns the lines of a trace into what happened. SPEC.md, "Reading a trace". */
export class StepRecorder {
  readonly losses = new LossRecord();
  readonly files: FileLedger;
  readonly network = new NetworkLedger();
  readonly processes = new ProcessTable(this.losses);
  readonly #refused = new Map<string, { call: string; pid: number; answer: string; count: number }>();
  readonly #command: readonly string[];
  lines = 0;
  opens = 0;
  failedOpens = 0;

  /** @param command the step's argv, which marks the start of the step */
  constructor(command: readonly string[], linkBefore: LinkBefore) {
    this.#command = command.map(toBytes);
    this.files = new FileLedger(linkBefore);
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
          if (!call.result.endsWith(" (INJECTED)")) return this.#cloned(task, call.args, call.result, text);
          this.processes.notCloned(task);
        }
        return this.#call(task, call.name, call.args, call.result, text);
      }
      case "moved":
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

  /** The directory that these names were relative to is never going to be known. */
  #giveUp(task: Task): void {
    for (const _ of task.deferred.splice(0))
      this.losses.add("NAME_UNRESOLVED", `a relative name used by process ${task.tid}, whose directory is not known`);
  }

  #cutShort(task: Task): void {
    this.#giveUp(task);
    if (task.pending !== undefined && task.inStep && namingCalls.has(task.pending.name))
      this.losses.add("CALL_UNFINISHED", `${task.pending.name} of process ${task.tid}`);
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
    else if (name === "openat" || name === "open" || name === "openat2" || name === "creat")
      this.#opened(name, args, result, text);
    else if (namingCalls.has(name)) this.#named(task, name, args, result, text);
  }

  #cloned(task: Task, args: string, result: string, text: string): void {
    if (!/^\d+$/.test(result)) {
      this.processes.notCloned(task);
      if (!/^(?:-1 E|\?)/.test(result)) this.#unparsed(text);
      return;
    }
    if (/\bCLONE_UNTRACED\b/.test(args))
      this.losses.add("PROCESS_UNTRACED", `process ${task.tid} made one that cannot be traced (CLONE_UNTRACED)`);
    this.processes.cloned(task, Number(result), /\bCLONE_THREAD\b/.test(args), this.lines);
  }

  #executed(task: Task, name: string, args: string, result: string, text: string): void {
    if (result !== "0") {
      // After an exec in a thread, strace takes the first traced call of the new program for the end of the exec.
      const swallowed = /^-1 \(errno (\d{19,20})\)$/.exec(result)?.[1];
      if (swallowed === undefined) {
        if (!/^(?:-1 E|\?)/.test(result)) this.#unparsed(text);
        return;
      }
      const call = (1n << 64n) - BigInt(swallowed);
      if (call !== ARCH_PRCTL) this.losses.add("CALL_LOST", `call number ${call} of process ${task.tid}`);
    }
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
    const path = this.#join(task, given.text, from === undefined ? undefined : directoryOf(from));
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
    this.#giveUp(task);
    if (name === "fchdir") {
      const found = descriptor(args);
      task.directory.path = found === undefined ? undefined : directoryOf(found);
      return;
    }
    const given = quotedText(args);
    const path = given === undefined ? undefined : this.#join(task, given.text, undefined);
    const found = path === undefined ? undefined : this.files.tree.resolve(path, true);
    const real = found === undefined ? undefined : pathOf(found);
    // Through /proc the name says nothing; the next call that is relative to it shows the directory.
    task.directory.path = real === undefined || real.startsWith("/proc/") ? undefined : real;
  }

  #opened(name: string, args: string, result: string, text: string): void {
    if (result.startsWith("-1 E") || result.startsWith("?")) {
      this.failedOpens++;
      return;
    }
    this.opens++;
    const found = descriptor(result);
    if (found === undefined) {
      if (/^\d+$/.test(result)) this.losses.add("PATH_UNKNOWN", text);
      else this.#unparsed(text);
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

  #named(task: Task, name: string, args: string, result: string, text: string): void {
    if (result !== "0") {
      if (result.startsWith("-1 E")) return;
      if (result.startsWith("?")) {
        if (!result.startsWith("? ERESTART")) this.losses.add("CALL_UNFINISHED", `${name} of process ${task.tid}`);
        return;
      }
      return this.#unparsed(text);
    }
    if (name.startsWith("rename")) this.#seen.clear();
    const parts = splitArguments(args);
    if (task.directory.path === undefined && parts.some((part) => part.startsWith('"') && !part.startsWith('"/'))) {
      // Most programs soon make a call that shows their directory.
      const unknown = !parts.some((part) => descriptor(part) !== undefined);
      if (unknown) {
        task.deferred.push(() => this.#named(task, name, args, result, text));
        return;
      }
    }
    const name1 = (at: number) => this.#nameOf(task, parts[at], undefined, text);
    const nameAt = (directory: number) => this.#nameOf(task, parts[directory + 1], parts[directory], text);
    const { files } = this;
    const one = (path: string | undefined, act: (path: string) => void) => {
      if (path !== undefined) act(path);
    };
    const two = (a: string | undefined, b: string | undefined, act: (a: string, b: string) => void) => {
      if (a !== undefined && b !== undefined) act(a, b);
    };
    switch (name) {
      case "unlink":
      case "rmdir":
        return one(name1(0), (path) => files.deleted(path));
      case "unlinkat":
        return one(nameAt(0), (path) => files.deleted(path));
      case "mkdir":
        return one(name1(0), (path) => files.made(path, { directory: true }));
      case "mkdirat":
        return one(nameAt(0), (path) => files.made(path, { directory: true }));
      case "mknod":
        return one(name1(0), (path) => files.made(path));
      case "mknodat":
        return one(nameAt(0), (path) => files.made(path));
      case "truncate":
        return one(name1(0), (path) => files.truncated(path));
      case "rename":
        return two(name1(0), name1(1), (a, b) => files.renamed(a, b, false));
      case "renameat":
      case "renameat2":
        return two(nameAt(0), nameAt(2), (a, b) => files.renamed(a, b, parts[4]?.includes("RENAME_EXCHANGE") ?? false));
      case "symlink":
        return one(name1(1), (path) => files.made(path, { link: quotedText(parts[0] ?? "")?.text ?? "" }));
      case "symlinkat":
        return one(nameAt(1), (path) => files.made(path, { link: quotedText(parts[0] ?? "")?.text ?? "" }));
      case "link":
        return two(name1(0), name1(1), (a, b) => files.linked(a, b, false));
      case "linkat":
        return this.#linkedAt(task, parts, text);
    }
  }

  #linkedAt(task: Task, parts: readonly string[], text: string): void {
    const to = this.#nameOf(task, parts[3], parts[2], text);
    if (to === undefined) return;
    const from = descriptor(parts[0] ?? "");
    const given = quotedText(parts[1] ?? "");
    if (given?.text === "" && from !== undefined && !from.current)
      return this.files.linked(from.deleted ? undefined : from.path, to, false);
    // Through /proc/self/fd: the file is one that was opened, most often without a name (O_TMPFILE).
    if (given !== undefined && /^\/(?:proc|dev)\//.test(given.text)) return this.files.linked(undefined, to, false);
    const source = this.#nameOf(task, parts[1], parts[0], text);
    if (source !== undefined) this.files.linked(source, to, parts[4]?.includes("AT_SYMLINK_FOLLOW") ?? false);
  }

  #nameOf(task: Task, name: string | undefined, directory: string | undefined, text: string): string | undefined {
    const given = quotedText(name ?? "");
    const from = directory === undefined ? undefined : descriptor(directory);
    if (given === undefined || given.cut) {
      this.losses.add("NAME_UNRESOLVED", text);
      return undefined;
    }
    const path = this.#join(task, given.text, from === undefined ? undefined : directoryOf(from));
    if (path === undefined) this.losses.add("NAME_UNRESOLVED", text);
    return path;
  }

  /** Makes a name absolute. Names through /proc/self/cwd and /proc/self/root are spelled out; other such ones are not known. */
  #join(task: Task, name: string, directory: string | undefined): string | undefined {
    const base = directory ?? task.directory.path;
    let path = name;
    if (name.startsWith("/proc/self/cwd/")) path = `${task.directory.path ?? ""}/${name.slice(15)}`;
    else if (name.startsWith("/proc/self/root/")) path = name.slice(15);
    else if (/^\/proc\/(?:self|thread-self|\d+)\/(?:cwd|root|fd|task)(?:\/|$)/.test(name)) return undefined;
    if (path.startsWith("/")) return path;
    return base === undefined || !base.startsWith("/") ? undefined : `${base}/${path}`;
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
