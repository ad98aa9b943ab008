import { readFileSync } from "node:fs";
import type { SandboxParts } from "./bubblewrap-command.ts";
import type { StepJob } from "./job.ts";
import type { Shown } from "./mount-plan.ts";
import type { SeccompProfile } from "./oci-runtime-profile.ts";
import { inside } from "./system-view.ts";

/** What a container differs in beside the parts of every sandbox. */
export interface ContainerParts extends SandboxParts {
  /** Host user and group that is the container's root; null where the runtime needs none. */
  readonly root: number | null;
  readonly seccomp: SeccompProfile;
  /** Below the place where the runtime sees control groups. */
  readonly controlGroup: string;
}

interface ContainerMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Places of the kernel's that no step has business with. */
const masked = [
  ...["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"],
  ...["/proc/sched_debug", "/proc/scsi"],
];
const readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/**
 * The configuration of a container for a step (OCI runtime specification 1.0; SPEC W16). It has no hooks, no terminal
 * and no capability, and all namespaces are its own; only an open network is the host's.
 */
export function containerConfig(job: StepJob, parts: ContainerParts): object {
  const { plan, user, temporaryBytes } = parts;
  const none: readonly string[] = [];
  const kinds = ["pid", "ipc", "uts", "mount", "user", "cgroup", ...(job.network === "open" ? [] : ["network"])];
  const withPids = parts.group?.controllers.includes("pids") ?? false;
  const own = readFileSync("/proc/self/limits", "latin1");
  // A hard limit of ours may be lower than what is wanted, and is never raised.
  const limit = (type: string, row: string, wanted: number): object => {
    const most = new RegExp(`^${row} +\\S+ +(\\d+)`, "m").exec(own)?.[1];
    const value = Math.min(wanted, most === undefined ? wanted : Number(most));
    return { type, soft: value, hard: value };
  };
  return {
    ociVersion: "1.0.2",
    hostname: inside.host,
    root: { path: plan.root, readonly: true },
    process: {
      terminal: false,
      user: { uid: inside.user, gid: inside.group, umask: 0o022 },
      args: job.command,
      env: Object.entries(parts.environment).map(([name, value]) => `${name}=${value}`),
      cwd: job.directory,
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
      noNewPrivileges: true,
      rlimits: [
        limit("RLIMIT_CORE", "Max core file size", 0),
        limit("RLIMIT_FSIZE", "Max file size", Math.max(job.limits.outputBytes, temporaryBytes) + 1),
        limit("RLIMIT_NOFILE", "Max open files", 65_536),
        ...(withPids ? [] : [limit("RLIMIT_NPROC", "Max processes", job.limits.pids + 1)]),
      ],
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k", "ro"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
      },
      ...["/dev/shm", "/tmp", "/var/tmp"].map((at) => memory(at, temporaryBytes, "mode=1777")),
      memory(inside.home, temporaryBytes, "mode=755", `uid=${inside.user}`, `gid=${inside.group}`),
      ...plan.shown.flatMap(bind),
    ],
    linux: {
      namespaces: kinds.map((type) => ({ type })),
      uidMappings: mappings(parts.root, inside.user, user.user),
      gidMappings: mappings(parts.root, inside.group, user.group),
      cgroupsPath: parts.controlGroup,
      seccomp: parts.seccomp,
      maskedPaths: masked,
      readonlyPaths: readOnly,
    },
  };
}

function memory(destination: string, bytes: number, ...more: readonly string[]): ContainerMount {
  return { destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", `size=${bytes}`, ...more] };
}

/** Links are in the root already. */
function bind(shown: Shown): ContainerMount[] {
  if ("link" in shown) return [];
  const access = shown.writable ? "rw" : "ro";
  const options = shown.file
    ? ["bind", access, "nosuid", "nodev", "private"]
    : ["rbind", shown.writable ? access : "rro", "rnosuid", "rnodev", "rprivate"];
  return [{ destination: shown.at, type: "bind", source: shown.path, options }];
}

function mappings(root: number | null, within: number, host: number): object[] {
  const row = (containerID: number, hostID: number): object => ({ containerID, hostID, size: 1 });
  return [...(root === null ? [] : [row(0, root)]), row(within, host)];
}
