import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import type { Digest } from "@touchmark/core";

/** Facts of one process, read from the kernel (Linux). */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks since boot: with the pid it names a process for the life of the boot. */
  readonly startTime: string;
  readonly uid: number;
  readonly gid: number;
  /** Inode number of the pid namespace. */
  readonly pidNamespace: string;
  /** Content of /proc/PID/cgroup, lines joined by a space. */
  readonly cgroup: string;
  readonly executable: string;
  readonly executableDigest: Digest;
}

/** A hold on one process: reads through it never reach another process that got the same number. */
export interface ProcessHold {
  readonly pid: number;
  /** @throws the system's ESRCH or ENOENT when the process is gone */
  read(): ProcessFacts;
  release(): void;
}

/** Digests of executables by device, inode, size and change times: one hashing for each file, not for each process. */
const digests = new Map<string, Digest>();

/** Takes hold of a process by a descriptor of its /proc directory. @throws the system's ENOENT */
export function holdProcess(pid: number): ProcessHold {
  // The kernel binds the descriptor to this process: after its death every path below answers ESRCH.
  const handle = openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY);
  const base = `/proc/self/fd/${handle}`;
  return {
    pid,
    read() {
      const before = statFields(base);
      const status = readFileSync(`${base}/status`, "latin1");
      const pidNamespace = /\[(\d+)\]/.exec(readlinkSync(`${base}/ns/pid`))?.[1] ?? "";
      const facts: ProcessFacts = {
        pid,
        parent: before.parent,
        startTime: before.startTime,
        uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]),
        gid: Number(/^Gid:\s+\d+\s+(\d+)/m.exec(status)?.[1]),
        pidNamespace,
        cgroup: readFileSync(`${base}/cgroup`, "latin1").trim().split("\n").join(" "),
        executable: readlinkSync(`${base}/exe`),
        executableDigest: digestOfExecutable(`${base}/exe`),
      };
      return facts;
    },
    release: () => closeSync(handle),
  };
}

/** Start time of whatever process has the number now; undefined when none has. */
export function startTimeOf(pid: number): string | undefined {
  try {
    return statFields(`/proc/${pid}`).startTime;
  } catch {
    return undefined;
  }
}

/** Number of the parent of a process; undefined when it is gone. */
export function parentOf(pid: number): number | undefined {
  try {
    return statFields(`/proc/${pid}`).parent;
  } catch {
    return undefined;
  }
}

function statFields(base: string): { readonly parent: number; readonly startTime: string } {
  const stat = readFileSync(`${base}/stat`, "latin1");
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), startTime: fields[19] ?? "" };
}

function digestOfExecutable(path: string): Digest {
  // Opening the link opens the very file that runs, even when its path now names another.
  const file = openSync(path, constants.O_RDONLY);
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
    const key = `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
    const known = digests.get(key);
    if (known !== undefined) return known;
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      hash.update(buffer.subarray(0, read));
    const digest: Digest = `sha256:${hash.digest("hex")}`;
    digests.set(key, digest);
    return digest;
  } finally {
    closeSync(file);
  }
}
