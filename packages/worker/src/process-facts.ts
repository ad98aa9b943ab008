import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Start of a process in clock ticks since boot, or null when there is none: with the id it names a process for good. */
export function startTime(pid: number): string | null {
  return statFields(pid)?.[19] ?? null;
}

/** True while the process runs; a zombie is dead. */
export function isAlive(pid: number, began: string | null): boolean {
  const fields = statFields(pid);
  return fields !== null && fields[0] !== "Z" && fields[0] !== "X" && (began === null || fields[19] === began);
}

/** Fields of `/proc/PID/stat` after the name: state first, parent second, start time twentieth. */
function statFields(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** Inode number of a namespace of a process, or null when it is gone or hidden. */
export function namespaceInode(pid: number, kind: string): string | null {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** A process and all below it. Complete for the first process of a pid namespace, to which orphans return. */
export function processTree(root: number): number[] {
  const found = [root];
  for (let index = 0; index < found.length; index += 1) {
    const pid = found[index] ?? 0;
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").trim();
        if (text !== "") found.push(...text.split(" ").map(Number));
      }
    } catch {
      // It has ended since it was listed.
    }
  }
  return found;
}

/** Resident bytes of a process, 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1] ?? 0) * 4096;
  } catch {
    return 0;
  }
}

/** Bytes of a process with each shared page divided among its owners; dearer to read than `residentBytes`, and exact in sum. */
export function proportionalBytes(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
