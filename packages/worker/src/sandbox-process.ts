import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { Duplex } from "node:stream";
import { workerErrors } from "./errors.ts";
import { containerFacts } from "./oci-runtime-process.ts";
import { isAlive, namespaceInode, startTime } from "./process-facts.ts";
import type { SandboxEvidence } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { descriptor } from "./sandbox-options.ts";
import type { StepSandbox } from "./step-sandbox.ts";

/** Facts that the kernel gave while the sandbox was held before its start. */
export interface HeldFacts {
  readonly pid: number;
  readonly began: string;
  readonly namespaces: SandboxEvidence["namespaces"];
}

/** A started sandbox. */
export interface SandboxProcess {
  /** Resolves when the outermost program is dead and has said all; code as a shell prints it, null when none was said. */
  readonly exit: Promise<number | null>;
  /** Null until the sandbox stands. */
  held(): HeldFacts | null;
  /** Why the held sandbox was ended instead of started, or null. */
  failure(): { readonly cause: unknown } | null;
  /** Kills the first process of the pid namespace, and with it the kernel everything inside, as soon as it is known. */
  kill(): void;
  /** Kills the outermost program, and with it everything below. */
  killOutermost(): void;
}

/**
 * Starts a sandbox. It is held, complete, before its command, until the kernel's facts about it have been read: by the
 * recorder, which holds the answer to its last call, or by a line that a shell inside waits for. Either way the end of
 * the control plane ends it. (bubblewrap's own `--block-fd` takes the end of the other side for a go.)
 *
 * @param standard what the step gets as its three standard descriptors
 * @param prepare what has to be done while the sandbox is held; `exit` waits for it, its error ends the sandbox
 * @param announce the same, but a sandbox that dies meanwhile does not wait for it
 */
export function startSandbox(
  sandbox: StepSandbox,
  host: Pick<SandboxHost, "recorder" | "runtime">,
  standard: readonly ("inherit" | "ignore" | number)[],
  ownSession: boolean,
  prepare: HeldDuty = async () => {},
  announce: HeldDuty = async () => {},
): SandboxProcess {
  const { recorder } = host;
  const container = host.runtime !== null;
  // Asked for before anything runs, so that the answer cannot come too early.
  const recorded = container ? undefined : recorder?.held(sandbox.token);
  const [program = "", ...words] = sandbox.argv;
  const filter = openSync(sandbox.filterFile, "r");
  const stdio: StdioOptions = [
    ...standard,
    "pipe",
    filter,
    "pipe",
    ...(recorded === undefined ? (["pipe"] as const) : []),
  ];
  // None of the step's variables: the launcher is not in the sandbox.
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  let child: ChildProcess;
  try {
    child = spawn(program, words, { stdio, env, cwd: "/", detached: ownSession });
  } finally {
    closeSync(filter);
  }
  const status = channel(child, descriptor.status);
  const hold = channel(child, descriptor.hold);
  // A container stands when its keeper says so. Without a recorder a shell inside says when all stands.
  const gate = (): Promise<true | null> => {
    if (container) return recorder?.seal(sandbox.token) ?? Promise.resolve(null);
    return recorded ?? said;
  };
  const said = container || recorded !== undefined ? Promise.resolve(null) : firstWord(hold);
  channel(child, descriptor.options)?.end(sandbox.options);
  let held: HeldFacts | null = null;
  let exitCode: number | null = null;
  let text = "";
  status?.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line: Record<string, unknown> = JSON.parse(text.slice(0, end));
      text = text.slice(end + 1);
      const code = line["exit-code"];
      if (typeof code === "number") exitCode = code;
      const pid = line["child-pid"] ?? line.created;
      if (typeof pid !== "number") continue;
      held = facts(pid, line);
      if (killed) kill();
      void open(pid, line);
    }
  });
  const facts = (pid: number, line: Readonly<Record<string, unknown>>): HeldFacts | null =>
    container ? containerFacts(child.pid ?? 0, pid) : heldFacts(pid, line);
  let killed = false;
  const kill = (): void => {
    killed = true;
    // Before a container stands, nothing of the step has run, and nothing but the runtime has a record to finish.
    if (held === null && container) child.kill("SIGKILL");
    if (held !== null && isAlive(held.pid, held.began)) signalKill(held.pid);
  };
  let over = false;
  let prepared: Promise<void> = Promise.resolve();
  let failure: { readonly cause: unknown } | null = null;
  const open = async (pid: number, line: Readonly<Record<string, unknown>>): Promise<void> => {
    if ((await gate()) === null) return;
    // The last of the user namespaces is the step's.
    if (!container) held = heldFacts(pid, line) ?? held;
    if (killed || over || held === null) return;
    try {
      prepared = prepare(held);
      await prepared;
      if (!killed && !over) await announce(held);
    } catch (cause) {
      // A sandbox that was ended meanwhile is no place to prepare; that it was ended is what counts.
      if (!killed && !over) failure = { cause };
      kill();
    }
    if (killed || over) return;
    if (container || recorder === null) hold?.end("go\n");
    else recorder.go(sandbox.token);
  };
  const closed = new Promise<void>((resolve) => (status ? status.once("close", () => resolve()) : resolve()));
  const ended = new Promise<void>((resolve, reject) => {
    child.once("exit", () => resolve());
    child.once("error", (cause) => {
      reject(workerErrors.make("SANDBOX_FAILED", `expected to start ${program}, found ${cause.message}`, { cause }));
    });
  });
  return {
    exit: ended
      .then(() => closed)
      .then(() => {
        over = true;
        return prepared.catch(() => {});
      })
      .then(() => exitCode),
    held: () => held,
    failure: () => failure,
    kill,
    killOutermost: () => {
      child.kill("SIGKILL");
    },
  };
}

/** Something to do while a sandbox is held. */
export type HeldDuty = (held: HeldFacts) => Promise<void>;

/** Resolves at the first word; null when there will be none. */
function firstWord(stream: Duplex | null): Promise<true | null> {
  return new Promise((resolve) => {
    if (stream === null) return resolve(null);
    stream.once("data", () => resolve(true)).once("close", () => resolve(null));
  });
}

function channel(child: ChildProcess, index: number): Duplex | null {
  const streams: readonly unknown[] = child.stdio;
  const stream = streams[index];
  if (!(stream instanceof Duplex)) return null;
  stream.on("error", () => {});
  return stream;
}

function signalKill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function heldFacts(pid: number, line: Readonly<Record<string, unknown>>): HeldFacts | null {
  const began = startTime(pid);
  if (began === null) return null;
  const namespaces: Partial<Record<keyof SandboxEvidence["namespaces"], string>> = {};
  for (const kind of ["cgroup", "ipc", "mnt", "net", "pid", "uts"] as const) {
    const inode = line[`${kind}-namespace`];
    if (typeof inode === "number") namespaces[kind] = String(inode);
  }
  const user = namespaceInode(pid, "user");
  if (user !== null) namespaces.user = user;
  return { pid, began, namespaces };
}

/** No survivor, ever (SPEC W2): neither in the control group nor as the namespace's first process. */
export async function assertDead(sandbox: Pick<StepSandbox, "group">, held: HeldFacts | null): Promise<void> {
  const emptied = sandbox.group === null || (await sandbox.group.empty());
  for (let attempt = 0; held !== null && attempt < 200 && isAlive(held.pid, held.began); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (!emptied || (held !== null && isAlive(held.pid, held.began))) {
    throw workerErrors.make(
      "SANDBOX_SURVIVOR",
      `expected no process of the step, found ${sandbox.group?.members().join(", ") || held?.pid}`,
    );
  }
}
