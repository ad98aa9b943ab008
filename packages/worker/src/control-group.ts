import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Where this host lets us make control groups. */
export interface ControlGroupHost {
  readonly version: 1 | 2;
  /** Parent directory by controller; on version 2 the same for all. */
  readonly parents: Readonly<Partial<Record<Controller, string>>>;
}
export type Controller = "memory" | "pids" | "cpu";

/** The control group of one step. */
export interface ControlGroup {
  readonly version: 1 | 2;
  readonly paths: readonly string[];
  readonly controllers: readonly Controller[];
  /** Files by which a process joins: writing `0` moves the writer. */
  readonly joinFiles: readonly string[];
  /** Moves a process in. */
  add(pid: number): void;
  /** What has happened so far. */
  events(): { readonly outOfMemory: number; readonly processesRefused: number };
  peakMemoryBytes(): number | null;
  /** Processes inside now. */
  members(): number[];
  /** Kills what is inside; returns when nothing is left, false if something survives. */
  empty(): Promise<boolean>;
  remove(): Promise<void>;
}

/** Beginning of the name of every control group of ours. */
export const controlGroupPrefix = "touchmark-";

/**
 * Finds where control groups can be made, by making one (SPEC W8). Version 1 and hybrid hosts: below our own group
 * of each controller. Version 2: below the closest group that delegates its controllers and holds no processes.
 */
export function findControlGroups(
  root = "/sys/fs/cgroup",
  self = readText("/proc/self/cgroup"),
): ControlGroupHost | null {
  const own = new Map(
    self
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.split(":")[1] ?? "", line.split(":").slice(2).join(":")] as const),
  );
  const parents: Partial<Record<Controller, string>> = {};
  for (const controller of ["memory", "pids", "cpu"] as const) {
    const row = [...own].find(([names]) => names.split(",").includes(controller));
    if (row === undefined) continue;
    const candidates = [join(root, controller, row[1]), join(root, row[0], row[1]), join(root, controller)];
    const parent = candidates.map((path) => path.replace(/\/$/, "")).find((directory) => canMake(directory));
    if (parent !== undefined) parents[controller] = parent;
  }
  if (Object.keys(parents).length > 0) return { version: 1, parents };
  const unified = own.get("");
  if (unified === undefined) return null;
  for (let at = join(root, unified).replace(/\/$/, ""); at.startsWith(root); at = dirname(at)) {
    const enabled = readText(join(at, "cgroup.subtree_control")).split(/\s+/);
    const usable = (["memory", "pids", "cpu"] as const).filter((name) => enabled.includes(name));
    if (usable.length > 0 && canMake(at)) {
      return { version: 2, parents: Object.fromEntries(usable.map((name) => [name, at])) };
    }
    if (at === root) break;
  }
  return null;
}

function canMake(directory: string): boolean {
  const path = join(directory, `${controlGroupPrefix}probe-${process.pid}`);
  try {
    mkdirSync(path);
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Bounds of a control group. */
export interface ControlGroupLimits {
  readonly memoryBytes: number;
  readonly pids: number;
  readonly cpus?: number | undefined;
}

/** Makes the control group of a step and sets its bounds. */
export function makeControlGroup(host: ControlGroupHost, name: string, limits: ControlGroupLimits): ControlGroup {
  const at: Partial<Record<Controller, string>> = {};
  for (const controller of ["memory", "pids", "cpu"] as const) {
    const parent = host.parents[controller];
    if (parent === undefined || (controller === "cpu" && limits.cpus === undefined && host.version === 1)) continue;
    const path = join(parent, `${controlGroupPrefix}${name}`);
    if (!Object.values(at).includes(path)) mkdirSync(path);
    at[controller] = path;
  }
  const paths = [...new Set(Object.values(at))];
  const set = host.version === 1 ? boundVersion1 : boundVersion2;
  set(at, limits);
  const members = (): number[] => [...new Set(paths.flatMap((path) => numbers(readText(join(path, "cgroup.procs")))))];
  return {
    version: host.version,
    paths,
    controllers: (["memory", "pids", "cpu"] as const).filter((name) => at[name] !== undefined),
    joinFiles: paths.map((path) => join(path, "cgroup.procs")),
    add: (pid) => {
      for (const path of paths) writeFileSync(join(path, "cgroup.procs"), String(pid));
    },
    events: () => ({
      outOfMemory: counter(at.memory, host.version === 1 ? "memory.oom_control" : "memory.events", "oom_kill"),
      processesRefused: counter(at.pids, "pids.events", "max"),
    }),
    peakMemoryBytes: () => {
      const text =
        at.memory && readText(join(at.memory, host.version === 1 ? "memory.max_usage_in_bytes" : "memory.peak"));
      return text ? Number(text) : null;
    },
    members,
    empty: async () => {
      for (let attempt = 0; attempt < 200; attempt += 1) {
        const left = members();
        if (left.length === 0) return true;
        for (const pid of left) kill(pid);
        await sleep(attempt < 10 ? 1 : 10);
      }
      return false;
    },
    remove: async () => {
      for (const path of paths) await removeGroup(path);
    },
  };
}

function boundVersion1(at: Partial<Record<Controller, string>>, limits: ControlGroupLimits): void {
  if (at.memory !== undefined) {
    writeFileSync(join(at.memory, "memory.limit_in_bytes"), String(limits.memoryBytes));
    tryWrite(join(at.memory, "memory.memsw.limit_in_bytes"), String(limits.memoryBytes));
  }
  if (at.pids !== undefined) writeFileSync(join(at.pids, "pids.max"), String(limits.pids));
  if (at.cpu !== undefined && limits.cpus !== undefined) {
    writeFileSync(join(at.cpu, "cpu.cfs_quota_us"), String(Math.ceil(limits.cpus * 100_000)));
  }
}

function boundVersion2(at: Partial<Record<Controller, string>>, limits: ControlGroupLimits): void {
  if (at.memory !== undefined) {
    writeFileSync(join(at.memory, "memory.max"), String(limits.memoryBytes));
    tryWrite(join(at.memory, "memory.swap.max"), "0");
  }
  if (at.pids !== undefined) writeFileSync(join(at.pids, "pids.max"), String(limits.pids));
  if (at.cpu !== undefined && limits.cpus !== undefined) {
    writeFileSync(join(at.cpu, "cpu.max"), `${Math.ceil(limits.cpus * 100_000)} 100000`);
  }
}

/** Removes the groups of runs that are gone: those of ours that hold no process of a living run. */
export async function reclaimControlGroups(host: ControlGroupHost, isLive: (name: string) => boolean): Promise<number> {
  let removed = 0;
  for (const parent of new Set(Object.values(host.parents))) {
    for (const name of readdirSync(parent)) {
      if (!name.startsWith(controlGroupPrefix) || isLive(name.slice(controlGroupPrefix.length))) continue;
      for (const pid of numbers(readText(join(parent, name, "cgroup.procs")))) kill(pid);
      if (await removeGroup(join(parent, name))) removed += 1;
    }
  }
  return removed;
}

/** Where an OCI runtime makes the group of a container: in the hierarchy without controllers, below our own. */
function containerGroups(): string[] {
  const own = /^0::(.*)$/m.exec(readText("/proc/self/cgroup"))?.[1] ?? "/";
  const roots = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].filter((root) => existsSync(join(root, "cgroup.procs")));
  return [...new Set(roots.flatMap((root) => [join(root, own), root]))].map((path) => path.replace(/\/$/, ""));
}

/** Removes the group of a container whose keeper could not. */
export async function removeContainerGroup(name: string): Promise<void> {
  for (const parent of containerGroups()) {
    const path = join(parent, `${controlGroupPrefix}${name}`);
    if (existsSync(path)) await removeGroup(path);
  }
}

/** Removes the groups of containers whose factories are gone. Returns how many. */
export async function reclaimContainerGroups(isLive: (name: string) => boolean): Promise<number> {
  let removed = 0;
  for (const parent of containerGroups()) {
    for (const name of existsSync(parent) ? readdirSync(parent) : []) {
      if (!name.startsWith(controlGroupPrefix) || isLive(name.slice(controlGroupPrefix.length))) continue;
      if (numbers(readText(join(parent, name, "cgroup.procs"))).length > 0) continue;
      if (await removeGroup(join(parent, name))) removed += 1;
    }
  }
  return removed;
}

/** A group is busy until its last zombie has been reaped, which may be a moment after the death was seen. */
async function removeGroup(path: string): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      rmdirSync(path);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
      await sleep(attempt < 5 ? 1 : 10);
    }
  }
  return false;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended since it was listed.
  }
}

function counter(directory: string | undefined, file: string, key: string): number {
  if (directory === undefined) return 0;
  const row = readText(join(directory, file))
    .split("\n")
    .find((line) => line.startsWith(`${key} `));
  return Number(row?.split(" ")[1] ?? 0);
}

function numbers(text: string): number[] {
  return text.split("\n").filter(Boolean).map(Number);
}

function tryWrite(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch {
    // The kernel was built without swap accounting.
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
