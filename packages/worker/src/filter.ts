import { type Digest, sha256 } from "@touchmark/core";
import type { StepNetwork } from "./job.ts";
import { type Architecture, auditArchitecture, type SystemCall, systemCallNumber } from "./system-calls.ts";

/** Errno values that a refused call gets; the numbers are the same on both architectures. */
export const refusalErrno = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;
export type RefusalErrno = keyof typeof refusalErrno;

/** A finished filter, in the kernel's `struct sock_filter` layout. */
export interface SeccompFilter {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly architecture: Architecture;
  /** What each call number that can be refused is answered with. */
  readonly refusals: ReadonlyMap<number, Refusal>;
}

/** One kind of refusal. */
export interface Refusal {
  readonly call: string;
  readonly errno: RefusalErrno;
  /** Index of the argument that decided, if one did. */
  readonly argument: number | null;
}

/** How a filter answers: `notify` asks the recorder outside (which then answers); `errno` answers by itself. */
export type FilterAnswer = "notify" | "errno";

/** One rule of the table from which every spelling of the filter is made. */
export interface Rule {
  readonly call: SystemCall;
  readonly errno: RefusalErrno;
  /** Refuse only when these hold, all of them. */
  readonly when?: readonly Condition[];
}
export type Condition =
  | { readonly argument: number; readonly test: "has-bit"; readonly mask: number }
  | { readonly argument: number; readonly test: "is"; readonly value: number }
  | { readonly argument: number; readonly test: "is-none-of"; readonly values: readonly number[] };

const setIdBits = 0o6000;
const createFlag = 0o100;
/** `CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET`, and `CLONE_UNTRACED`, which hides a child. */
const cloneFlags = 0x7e020000 | 0x00800000;
const family = { unix: 1, inet: 2, inet6: 10, netlink: 16 };
const terminalInput = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c };

const always: Readonly<Record<"ENOSYS" | "EPERM", readonly SystemCall[]>> = {
  // Programs probe for io_uring and take the answer for an old kernel, so it must look like one.
  ENOSYS: ["io_uring_setup", "io_uring_enter", "io_uring_register"],
  EPERM: [
    ...(["ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"] as const),
    ...(["mount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr", "move_mount"] as const),
    ...(["fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "swapon", "swapoff"] as const),
    ...(["unshare", "setns", "add_key", "request_key", "keyctl"] as const),
    ...(["bpf", "perf_event_open", "userfaultfd", "open_by_handle_at", "fanotify_init"] as const),
    ...(["init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"] as const),
    ...(["clock_settime", "clock_adjtime", "settimeofday", "adjtimex"] as const),
    ...(["sethostname", "setdomainname", "acct", "quotactl", "quotactl_fd", "syslog", "iopl", "ioperm"] as const),
    "vhangup",
  ],
};

/** All refusals of a network, in order; the table behind the kernel's filter and behind the profile of OCI runtimes. */
export function rules(network: StepNetwork): Rule[] {
  const setId = (argument: number): Condition[] => [{ argument, test: "has-bit", mask: setIdBits }];
  const families = network === "none" ? [family.unix] : [family.unix, family.inet, family.inet6, family.netlink];
  return [
    ...always.ENOSYS.map((call): Rule => ({ call, errno: "ENOSYS" })),
    ...always.EPERM.map((call): Rule => ({ call, errno: "EPERM" })),
    { call: "clone", errno: "EPERM", when: [{ argument: 0, test: "has-bit", mask: cloneFlags }] },
    // A listener of the step's own would outrank a tracer and hide what it lets pass.
    { call: "seccomp", errno: "EPERM", when: [{ argument: 1, test: "has-bit", mask: 8 }] },
    { call: "chmod", errno: "EPERM", when: setId(1) },
    { call: "fchmod", errno: "EPERM", when: setId(1) },
    { call: "fchmodat", errno: "EPERM", when: setId(2) },
    { call: "fchmodat2", errno: "EPERM", when: setId(2) },
    { call: "mknod", errno: "EPERM", when: setId(1) },
    { call: "mknodat", errno: "EPERM", when: setId(2) },
    { call: "creat", errno: "EPERM", when: setId(1) },
    { call: "open", errno: "EPERM", when: [{ argument: 1, test: "has-bit", mask: createFlag }, ...setId(2)] },
    { call: "openat", errno: "EPERM", when: [{ argument: 2, test: "has-bit", mask: createFlag }, ...setId(3)] },
    { call: "ioctl", errno: "EPERM", when: [{ argument: 1, test: "is", value: terminalInput.TIOCSTI }] },
    { call: "ioctl", errno: "EPERM", when: [{ argument: 1, test: "is", value: terminalInput.TIOCLINUX }] },
    { call: "socket", errno: "EAFNOSUPPORT", when: [{ argument: 0, test: "is-none-of", values: families }] },
    { call: "socketpair", errno: "EAFNOSUPPORT", when: [{ argument: 0, test: "is-none-of", values: [family.unix] }] },
  ];
}

const op = { loadWord: 0x20, equal: 0x15, atLeast: 0x35, hasBit: 0x45, answer: 0x06 };
const answer = { allow: 0x7fff0000, notify: 0x7fc00000, killProcess: 0x80000000, errno: 0x00050000 };
const offset = { number: 0, architecture: 4, argument: (index: number): number => 16 + 8 * index };
/** First number of the x32 calling convention, which shares x86_64's architecture value. */
const x32 = 0x40000000;
const prSetSeccomp = 22;

/**
 * Assembles the system-call filter of a step (SPEC W5): classic BPF, one answer per refused call.
 * Calls of a foreign architecture (32-bit ones) kill the process, since their numbers mean other calls.
 */
export function seccompFilter(architecture: Architecture, network: StepNetwork, how: FilterAnswer): SeccompFilter {
  const code: number[][] = [];
  const refusals = new Map<number, Refusal>();
  const emit = (operation: number, ifTrue: number, ifFalse: number, value: number): void => {
    code.push([operation, ifTrue, ifFalse, value]);
  };
  const refuse = (errno: RefusalErrno): void =>
    emit(op.answer, 0, 0, how === "notify" ? answer.notify : answer.errno | refusalErrno[errno]);
  emit(op.loadWord, 0, 0, offset.architecture);
  emit(op.equal, 1, 0, auditArchitecture[architecture]);
  emit(op.answer, 0, 0, answer.killProcess);
  emit(op.loadWord, 0, 0, offset.number);
  if (architecture === "x86_64") {
    // A call that a tracer has cancelled comes as number -1 and does nothing.
    emit(op.equal, 0, 1, 0xffffffff);
    emit(op.answer, 0, 0, answer.allow);
    emit(op.atLeast, 0, 1, x32);
    refuse("EPERM");
  }
  // Its flags are in memory, out of a filter's sight. Every C library then takes clone, which is seen: no refusal to record.
  emit(op.equal, 0, 1, systemCallNumber(architecture, "clone3") ?? -1);
  emit(op.answer, 0, 0, answer.errno | refusalErrno.ENOSYS);
  for (const rule of rules(network)) {
    const number = systemCallNumber(architecture, rule.call);
    if (number === undefined) continue;
    const conditions = rule.when ?? [];
    refusals.set(number, { call: rule.call, errno: rule.errno, argument: conditions.at(-1)?.argument ?? null });
    if (conditions.length === 0) {
      emit(op.equal, 0, 1, number);
      refuse(rule.errno);
      continue;
    }
    const body: number[][] = [];
    for (const condition of conditions) body.push(...test(condition));
    // On a failed condition: past what is left of the body, past the refusal, to the reload of the call number.
    const length = body.length;
    emit(op.equal, 0, length + 2, number);
    body.forEach(([operation = 0, ifTrue = 0, ifFalse = 0, value = 0], index) => {
      const out = length - index;
      emit(operation, ifTrue === leave ? out : ifTrue, ifFalse === leave ? out : ifFalse, value);
    });
    refuse(rule.errno);
    emit(op.loadWord, 0, 0, offset.number);
  }
  if (how === "notify") {
    // The sandbox program's own filter is its last act before the step: by it the recorder knows that set-up is over.
    emit(op.equal, 0, 3, systemCallNumber(architecture, "prctl") ?? -1);
    emit(op.loadWord, 0, 0, offset.argument(0));
    emit(op.equal, 0, 1, prSetSeccomp);
    emit(op.answer, 0, 0, answer.notify);
  }
  emit(op.answer, 0, 0, answer.allow);
  const bytes = encode(code);
  return { bytes, digest: sha256(bytes), architecture, refusals };
}

/** A filter that allows everything: what the sandbox program installs where the real one is already in force. */
export function openFilter(): Uint8Array {
  return encode([[op.answer, 0, 0, answer.allow]]);
}

/** Stands for "condition failed" in a jump until the length of the body is known. */
const leave = -1;

function test(condition: Condition): number[][] {
  const load = [op.loadWord, 0, 0, offset.argument(condition.argument)];
  switch (condition.test) {
    case "has-bit":
      return [load, [op.hasBit, 0, leave, condition.mask]];
    case "is":
      return [load, [op.equal, 0, leave, condition.value]];
    case "is-none-of":
      return [load, ...condition.values.map((value) => [op.equal, leave, 0, value])];
  }
}

function encode(code: readonly (readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(code.length * 8);
  const view = new DataView(bytes.buffer);
  code.forEach(([operation = 0, ifTrue = 0, ifFalse = 0, value = 0], index) => {
    view.setUint16(index * 8, operation, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, value >>> 0, true);
  });
  return bytes;
}
