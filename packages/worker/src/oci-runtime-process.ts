import { readFileSync } from "node:fs";
import { namespaceInode, processTree, startTime } from "./process-facts.ts";
import type { HeldFacts } from "./sandbox-process.ts";

/** Namespaces that a container's evidence names. */
const kinds = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;

/**
 * The first process of a container, found by the number that the keeper knows it by, below the outermost program. All
 * facts are the kernel's: nobody inside has a say in them.
 *
 * @param number in the pid namespace around the container
 */
export function containerFacts(outermost: number, number: number): HeldFacts | null {
  for (const pid of processTree(outermost)) {
    const numbers = pidNumbers(pid);
    if (numbers.at(-1) !== 1 || numbers.at(-2) !== number) continue;
    const began = startTime(pid);
    if (began === null) return null;
    const namespaces: Partial<Record<(typeof kinds)[number], string>> = {};
    for (const kind of kinds) {
      const inode = namespaceInode(pid, kind);
      if (inode !== null && inode !== namespaceInode(process.pid, kind)) namespaces[kind] = inode;
    }
    return { pid, began, namespaces };
  }
  return null;
}

/** What a runtime says when the container has no such program, as a shell's exit code; null for anything else. */
export function missingProgramCode(complaint: string): number | null {
  if (!/executable|exec(ve)?:|exec /i.test(complaint)) return null;
  if (/not found|no such file/i.test(complaint)) return 127;
  return /permission denied|is a directory/i.test(complaint) ? 126 : null;
}

/** Numbers of a process in all pid namespaces that it is in, the host's first. */
function pidNumbers(pid: number): number[] {
  try {
    const row = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "";
    return row.split(/\s+/).map(Number);
  } catch {
    return [];
  }
}
