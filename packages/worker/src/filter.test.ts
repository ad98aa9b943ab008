import fc from "fast-check";
import { expect, test } from "vitest";
import { openFilter, refusalErrno, type SeccompFilter, seccompFilter } from "./filter.ts";
import {
  type Architecture,
  auditArchitecture,
  hostArchitecture,
  type SystemCall,
  systemCallNumber,
} from "./system-calls.ts";

const allow = 0x7fff0000;
const notify = 0x7fc00000;
const kill = 0x80000000;
const errno = (name: keyof typeof refusalErrno): number => 0x50000 | refusalErrno[name];

/** Runs a classic BPF program over one call, as the kernel would. */
function answer(bytes: Uint8Array, architecture: number, number: number, values: readonly number[] = []): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const call = new DataView(new ArrayBuffer(64));
  call.setUint32(0, number, true);
  call.setUint32(4, architecture, true);
  values.forEach((value, index) => call.setBigUint64(16 + 8 * index, BigInt(value), true));
  let word = 0;
  for (let at = 0; ; ) {
    const [code, yes, no] = [view.getUint16(at * 8, true), view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const k = view.getUint32(at * 8 + 4, true);
    at += 1;
    if (code === 0x06) return k;
    if (code === 0x20) word = call.getUint32(k, true);
    else if (code === 0x15) at += word === k ? yes : no;
    else if (code === 0x35) at += word >= k ? yes : no;
    else if (code === 0x45) at += (word & k) !== 0 ? yes : no;
    else throw new Error(`unknown instruction ${code}`);
  }
}

const architectures: Architecture[] = ["x86_64", "aarch64"];

function ask(filter: SeccompFilter, call: SystemCall, ...values: number[]): number {
  const number = systemCallNumber(filter.architecture, call);
  if (number === undefined) throw new Error(`${call} has no number`);
  return answer(filter.bytes, auditArchitecture[filter.architecture], number, values);
}

test.each(architectures)("W5: what is always refused on %s is refused with its errno", (architecture) => {
  const filter = seccompFilter(architecture, "none", "errno");
  for (const call of ["io_uring_setup", "io_uring_enter", "io_uring_register"] as const) {
    expect(ask(filter, call)).toBe(errno("ENOSYS"));
  }
  const refused: SystemCall[] = ["ptrace", "process_vm_readv", "process_vm_writev", "mount", "umount2", "pivot_root"];
  refused.push("fsopen", "move_mount", "add_key", "keyctl", "request_key", "bpf", "perf_event_open", "kexec_load");
  refused.push("init_module", "unshare", "setns", "userfaultfd", "open_by_handle_at", "clock_settime", "fanotify_init");
  for (const call of refused) expect([call, ask(filter, call)]).toEqual([call, errno("EPERM")]);
});

test.each(architectures)(
  "W5: sockets but Unix ones are refused on %s without network, exotic ones always",
  (architecture) => {
    const none = seccompFilter(architecture, "none", "errno");
    const open = seccompFilter(architecture, "open", "errno");
    for (const family of [2, 10, 16, 17, 38, 40]) expect(ask(none, "socket", family)).toBe(errno("EAFNOSUPPORT"));
    for (const family of [1, 2, 10, 16]) expect(ask(open, "socket", family)).toBe(allow);
    for (const family of [17, 38, 40]) expect(ask(open, "socket", family)).toBe(errno("EAFNOSUPPORT"));
    expect(ask(none, "socket", 1)).toBe(allow);
    expect(ask(none, "socketpair", 1)).toBe(allow);
  },
);

test.each(architectures)(
  "W5: arguments decide on %s: namespaces, untraced children, listeners, set-id bits, terminals",
  (architecture) => {
    const filter = seccompFilter(architecture, "open", "errno");
    expect(ask(filter, "clone", 17)).toBe(allow);
    for (const flag of [0x20000, 0x10000000, 0x40000000, 0x00800000])
      expect(ask(filter, "clone", flag | 17)).toBe(errno("EPERM"));
    expect(ask(filter, "clone3")).toBe(errno("ENOSYS"));
    expect(ask(filter, "seccomp", 1, 8)).toBe(errno("EPERM"));
    expect(ask(filter, "seccomp", 1, 0)).toBe(allow);
    expect(ask(filter, "fchmod", 3, 0o755)).toBe(allow);
    expect(ask(filter, "fchmod", 3, 0o4755)).toBe(errno("EPERM"));
    expect(ask(filter, "fchmodat", 3, 0, 0o2755)).toBe(errno("EPERM"));
    expect(ask(filter, "openat", 3, 0, 0o101, 0o4755)).toBe(errno("EPERM"));
    expect(ask(filter, "openat", 3, 0, 0, 0o4755)).toBe(allow);
    expect(ask(filter, "ioctl", 0, 0x5412)).toBe(errno("EPERM"));
    expect(ask(filter, "ioctl", 0, 0x5401)).toBe(allow);
  },
);

test("W5: a foreign architecture is killed, x32 is refused, a call cancelled by a tracer passes", () => {
  for (const architecture of architectures) {
    const filter = seccompFilter(architecture, "none", "notify");
    expect(answer(filter.bytes, 0x40000003, 1)).toBe(kill);
    expect(answer(filter.bytes, auditArchitecture[architecture === "x86_64" ? "aarch64" : "x86_64"], 1)).toBe(kill);
  }
  const filter = seccompFilter("x86_64", "none", "notify");
  expect(answer(filter.bytes, auditArchitecture.x86_64, 0x40000000 + 101)).toBe(notify);
  expect(answer(filter.bytes, auditArchitecture.x86_64, 0xffffffff)).toBe(allow);
});

test("W5: both ways of answering refuse the same calls, whatever the arguments", () => {
  const number = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0x40000000, max: 0x40000200 }));
  const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 0, max: 0xffffffff })), {
    minLength: 6,
    maxLength: 6,
  });
  for (const architecture of architectures) {
    for (const network of ["none", "open"] as const) {
      const byErrno = seccompFilter(architecture, network, "errno");
      const byNotify = seccompFilter(architecture, network, "notify");
      const prctl = systemCallNumber(architecture, "prctl");
      fc.assert(
        fc.property(number, values, (call, words) => {
          if (call === prctl || call === systemCallNumber(architecture, "clone3")) return;
          const one = answer(byErrno.bytes, auditArchitecture[architecture], call, words);
          const other = answer(byNotify.bytes, auditArchitecture[architecture], call, words);
          expect(one === allow ? allow : notify).toBe(other);
          const refusal = byErrno.refusals.get(call);
          if (one !== allow) expect(one).toBe(errno(refusal?.errno ?? "EPERM"));
        }),
      );
    }
  }
});

test("W5: the sandbox program's own filter is what ends set-up, and it allows everything", () => {
  const filter = seccompFilter(hostArchitecture(), "none", "notify");
  expect(ask(filter, "prctl", 22)).toBe(notify);
  expect(ask(filter, "prctl", 38)).toBe(allow);
  expect(answer(openFilter(), 0, 0)).toBe(allow);
});

test("W5: one set of rules has one digest", () => {
  expect(seccompFilter("x86_64", "none", "notify").digest).toBe(seccompFilter("x86_64", "none", "notify").digest);
  const digests = architectures.flatMap((architecture) =>
    (["none", "open"] as const).map((network) => seccompFilter(architecture, network, "notify").digest),
  );
  expect(new Set(digests).size).toBe(4);
});

test("W5: there is no filter for an unknown architecture", () => {
  expect(() => hostArchitecture("mips")).toThrow(expect.objectContaining({ code: "ARCHITECTURE_UNKNOWN" }));
});
