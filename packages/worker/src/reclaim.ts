import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { findControlGroups, reclaimContainerGroups, reclaimControlGroups } from "./control-group.ts";
import { reclaimHostUsers } from "./host-user.ts";
import { isAlive, startTime } from "./process-facts.ts";

/** Name of what belongs to a run: process, its start, a token; by it a later process knows whether the run still lives. */
export function scratchName(token: string): string {
  return `${process.pid}-${startTime(process.pid)}-${token}`;
}

/** True when the process that made a name of `scratchName` still runs. */
export function isLiveName(name: string): boolean {
  const [pid, began] = name.split("-");
  return began !== undefined && isAlive(Number(pid), began);
}

/**
 * Removes what killed runs left behind: private views, pipes, control groups (SPEC W10). Their processes are dead
 * already, since each sandbox dies with the worker that made it, but for one that was not a sandbox yet. Safe beside
 * running workers.
 *
 * @param stateDirectory the one that the workers were given
 * @returns how many things were removed
 */
export async function reclaim(stateDirectory: string): Promise<number> {
  let removed = endHalfMade(join(stateDirectory, "sandbox", "pipes"));
  for (const kind of ["steps", "pipes"]) {
    const directory = join(stateDirectory, "sandbox", kind);
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory)) {
      if (isLiveName(name)) continue;
      await removeScratch(join(directory, name));
      removed += 1;
    }
  }
  const groups = findControlGroups();
  if (groups !== null) removed += await reclaimControlGroups(groups, isLiveName);
  removed += await reclaimContainerGroups(isLiveName);
  return removed + reclaimHostUsers();
}

/**
 * Ends what bubblewrap leaves when it is killed between making a sandbox's first process and tying that to itself: the
 * process waits for ever and never becomes a step. It is known by the log pipes of a run that is gone.
 */
function endHalfMade(pipes: string): number {
  let ended = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const standard = readlinkSync(`/proc/${pid}/fd/1`);
      if (!standard.startsWith(`${pipes}/`)) continue;
      const [run = ""] = standard.slice(pipes.length + 1).split("/");
      if (isLiveName(run)) continue;
      process.kill(Number(pid), "SIGKILL");
      ended += 1;
    } catch {
      // It has ended, or is not ours.
    }
  }
  return ended;
}

/** Removes a directory that a step has written to: any modes, any depth. Its processes must be dead. */
export async function removeScratch(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (const name of await readdir(path)) {
    // The kernel keeps an unreadable directory of its own in an overlay's work directory.
    const kernels = join(path, name, "work");
    if (name.startsWith("work") && existsSync(kernels)) await chmod(kernels, 0o700);
  }
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // Directories without modes, or nested deeper than a path can say: chmod and rm walk by descriptors.
    await ended(spawn("chmod", ["-R", "u+rwX", path], { stdio: "ignore" }));
    await ended(spawn("rm", ["-rf", path], { stdio: "ignore" }));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => child.once("error", () => resolve()).once("close", () => resolve()));
}
