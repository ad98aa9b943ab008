import type { StepJob } from "./job.ts";
import type { Shown } from "./mount-plan.ts";
import { inside } from "./system-view.ts";

const programDirectories = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Variables that every step has, whatever host and caller (SPEC W9). The caller's own may replace all but the last two. */
export function stepConstants(job: StepJob, toolchainPath: readonly string[]): Record<string, string> {
  const image = job.rootfs?.environment ?? {};
  return {
    ...image,
    HOME: inside.home,
    USER: inside.name,
    LOGNAME: inside.name,
    SHELL: "/bin/sh",
    PATH: image.PATH ?? [...toolchainPath, ...programDirectories].join(":"),
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
    TMPDIR: "/tmp",
    TERM: "dumb",
    SOURCE_DATE_EPOCH: String(job.sourceDateEpoch),
    TOUCHMARK_OUTPUT: job.output.at,
  };
}

/** Descriptors that the sandbox program gets beside the standard ones. */
export const descriptor = { status: 3, filter: 4, options: 5, hold: 6 } as const;

/** What differs between two calls of the sandbox program. */
export interface SandboxShape {
  readonly job: StepJob;
  readonly environment: Readonly<Record<string, string>>;
  /** What is shown as `/`, read-only; null: what `shown` makes of it. */
  readonly root: string | null;
  /** The view, the inputs and the output, in order. */
  readonly shown: readonly Shown[];
  readonly temporaryBytes: number;
  /** False for an interactive shell, which needs its terminal. */
  readonly newSession: boolean;
}

/** Options of the sandbox program, for its options descriptor: on the command line all users could read them. */
export function sandboxOptions(shape: SandboxShape): string[] {
  const { job } = shape;
  const size = ["--size", String(shape.temporaryBytes)];
  return [
    ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup"],
    ...(job.network !== "open" ? ["--unshare-net"] : []),
    ...["--disable-userns", "--uid", String(inside.user), "--gid", String(inside.group), "--hostname", inside.host],
    ...["--cap-drop", "ALL", "--die-with-parent", ...(shape.newSession ? ["--new-session"] : [])],
    "--clearenv",
    ...Object.entries(shape.environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...(shape.root === null ? [] : ["--ro-bind", shape.root, "/"]),
    ...["--proc", "/proc", "--dev", "/dev", "--perms", "1777", ...size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
    ...["--perms", "1777", ...size, "--tmpfs", "/tmp", "--perms", "1777", ...size, "--tmpfs", "/var/tmp"],
    ...["--perms", "0755", ...size, "--tmpfs", inside.home, "--dir", "/run", "--dir", "/sys"],
    ...shape.shown.flatMap(showOption),
    ...["--remount-ro", "/", "--chdir", job.directory],
  ];
}

function showOption(shown: Shown): string[] {
  if ("link" in shown) return ["--symlink", shown.link, shown.at];
  return [shown.writable ? "--bind" : "--ro-bind", shown.path, shown.at];
}

/** What a shell inside does before it becomes the step's command, where nothing outside can. */
export interface InsideDuties {
  /** Bound on processes as a resource limit; null where a control group holds it. */
  readonly processLimit: number | null;
  /** Say a line on the hold descriptor and wait for one; not needed where the recorder holds the sandbox. */
  readonly wait: boolean;
}

/** Command line of the sandbox program, with the step's own command at its end. */
export function sandboxCommand(program: string, command: readonly string[], duties: InsideDuties): string[] {
  const { processLimit, wait } = duties;
  const script = [
    ...(wait
      ? [`echo held >&${descriptor.hold} && read -r go <&${descriptor.hold} || exit 125; exec ${descriptor.hold}<&-`]
      : []),
    ...(processLimit === null ? [] : [`ulimit -u ${processLimit} 2>/dev/null || ulimit -p ${processLimit}`]),
    'exec "$@"',
  ];
  return [
    program,
    ...["--json-status-fd", String(descriptor.status), "--seccomp", String(descriptor.filter)],
    ...["--args", String(descriptor.options), "--"],
    ...(script.length > 1 ? ["/bin/sh", "-c", script.join("; "), "sh"] : []),
    ...command,
  ];
}
