import type { TracedRefusal } from "./observation.ts";

/**
 * Calls that are traced. Chosen so that every way to reach a file by name, to start a program, to change a name and to
 * address a peer passes through one of them, and nothing else does: each traced call costs two stops of the process.
 * Descriptors need no tracing (dup, fcntl, recvmsg, close), because strace reads a descriptor's path from the kernel
 * when it is used. `arch_prctl` is the first call of most programs: see CALL_LOST in SPEC.md.
 */
const tracedCalls = [
  ["execve", "execveat", "clone", "clone3", "fork", "vfork", "arch_prctl", "seccomp"],
  ["open", "openat", "openat2", "creat", "memfd_create"],
  ["chdir", "fchdir"],
  ["rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"],
  ["link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "truncate"],
  ["connect", "bind", "sendto", "sendmsg", "sendmmsg"],
].flat();

/** Signals whose default is to be ignored: they end no process, and Go and make send thousands. */
const silentSignals = ["SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT"];

/** Longest string, and longest argument list, that is traced whole. */
export const STRING_LIMIT = 16_384;

/** What the tracer refuses in the sandbox's stead; see `Tracer.refusals`. */
export const tracedRefusals: readonly TracedRefusal[] = [
  ...["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"].map(
    (call) => ({ call, errno: "ENOSYS" }) as const,
  ),
  ...[
    ["ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"],
    ["keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd", "open_by_handle_at"],
    ["open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "chroot"],
    ["kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "swapon", "swapoff"],
    ["reboot", "acct", "quotactl", "settimeofday", "clock_settime", "syslog", "vhangup", "lookup_dcookie"],
    ["iopl", "ioperm", "uselib"],
  ]
    .flat()
    .map((call) => ({ call, errno: "EPERM" }) as const),
];

/** The command line that runs `argv` under strace, writing to `log`. */
export function straceCommand(strace: string, log: string, argv: readonly string[]): string[] {
  const optional = (calls: readonly string[]) => calls.map((call) => `?${call}`).join(",");
  const refused = (errno: string) => tracedRefusals.filter((row) => row.errno === errno).map((row) => row.call);
  const all = [...new Set([...tracedCalls, ...tracedRefusals.map((row) => row.call)])];
  return [
    strace,
    "-f",
    "--seccomp-bpf",
    "-A", // append: the log can be cut at its limit while strace writes
    "--decode-fds=path",
    "--quiet=attach,personality",
    `--string-limit=${STRING_LIMIT}`,
    `--signal=!${silentSignals.join(",")}`,
    `--output=${log}`,
    `--trace=${optional(all)}`,
    ...["ENOSYS", "EPERM"].map((errno) => `--inject=${optional(refused(errno))}:error=${errno}`),
    "--",
    ...argv,
  ];
}
