import { workerErrors } from "./errors.ts";

/** Processor architectures with a filter. */
export type Architecture = "x86_64" | "aarch64";

/** `AUDIT_ARCH_*` of the kernel, by which a filter knows the calling convention. */
export const auditArchitecture: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

/** Calls with one number on all architectures (added since Linux 5.1). */
const common = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  clone3: 435,
  close_range: 436,
  pidfd_getfd: 438,
  mount_setattr: 442,
  quotactl_fd: 443,
  landlock_create_ruleset: 444,
  landlock_restrict_self: 446,
  fchmodat2: 452,
  open_tree_attr: 467,
};

const numbers = {
  x86_64: {
    ...common,
    open: 2,
    ioctl: 16,
    socket: 41,
    sendmsg: 46,
    recvmsg: 47,
    socketpair: 53,
    clone: 56,
    creat: 85,
    chmod: 90,
    fchmod: 91,
    ptrace: 101,
    syslog: 103,
    setgroups: 116,
    setresuid: 117,
    setresgid: 119,
    mknod: 133,
    vhangup: 153,
    pivot_root: 155,
    prctl: 157,
    adjtimex: 159,
    chroot: 161,
    acct: 163,
    settimeofday: 164,
    mount: 165,
    umount2: 166,
    swapon: 167,
    swapoff: 168,
    reboot: 169,
    sethostname: 170,
    setdomainname: 171,
    iopl: 172,
    ioperm: 173,
    init_module: 175,
    delete_module: 176,
    quotactl: 179,
    clock_settime: 227,
    kexec_load: 246,
    add_key: 248,
    request_key: 249,
    keyctl: 250,
    openat: 257,
    mknodat: 259,
    fchmodat: 268,
    unshare: 272,
    perf_event_open: 298,
    fanotify_init: 300,
    prlimit64: 302,
    open_by_handle_at: 304,
    clock_adjtime: 305,
    setns: 308,
    process_vm_readv: 310,
    process_vm_writev: 311,
    kcmp: 312,
    finit_module: 313,
    seccomp: 317,
    kexec_file_load: 320,
    bpf: 321,
    userfaultfd: 323,
  },
  aarch64: {
    ...common,
    ioctl: 29,
    mknodat: 33,
    umount2: 39,
    mount: 40,
    pivot_root: 41,
    chroot: 51,
    fchmod: 52,
    fchmodat: 53,
    openat: 56,
    vhangup: 58,
    quotactl: 60,
    acct: 89,
    unshare: 97,
    kexec_load: 104,
    init_module: 105,
    delete_module: 106,
    clock_settime: 112,
    syslog: 116,
    ptrace: 117,
    reboot: 142,
    setresuid: 147,
    setresgid: 149,
    setgroups: 159,
    sethostname: 161,
    setdomainname: 162,
    prctl: 167,
    settimeofday: 170,
    adjtimex: 171,
    socket: 198,
    socketpair: 199,
    sendmsg: 211,
    recvmsg: 212,
    add_key: 217,
    request_key: 218,
    keyctl: 219,
    clone: 220,
    swapon: 224,
    swapoff: 225,
    perf_event_open: 241,
    prlimit64: 261,
    fanotify_init: 262,
    open_by_handle_at: 265,
    clock_adjtime: 266,
    setns: 268,
    process_vm_readv: 270,
    process_vm_writev: 271,
    kcmp: 272,
    finit_module: 273,
    seccomp: 277,
    bpf: 280,
    userfaultfd: 282,
    kexec_file_load: 294,
  },
} as const;

/** Name of a system call that some architecture has. */
export type SystemCall = keyof (typeof numbers)["x86_64"] | keyof (typeof numbers)["aarch64"];

/** Number of a call, or undefined where the architecture does not have it (for example `open` on aarch64). */
export function systemCallNumber(architecture: Architecture, call: SystemCall): number | undefined {
  const table: Partial<Record<SystemCall, number>> = numbers[architecture];
  return table[call];
}

/** The architecture of this process; `ARCHITECTURE_UNKNOWN` where no filter exists. */
export function hostArchitecture(arch: string = process.arch): Architecture {
  if (arch === "x64") return "x86_64";
  if (arch === "arm64") return "aarch64";
  throw workerErrors.make("ARCHITECTURE_UNKNOWN", `expected x64 or arm64, found ${arch}`);
}
