import { hostArchitecture, type SystemCall, systemCallNumber } from "@touchmark/worker/fixture";
import { expect } from "vitest";
import { attack, rawCall, refusedCalls } from "./scene.ts";

const number = (call: SystemCall): number | undefined => systemCallNumber(hostArchitecture(), call);
const perl = (...lines: readonly string[]): string => `perl -e '${lines.join(" ")}'`;
const [EPERM, ENOSYS] = [1, 38];

// A sibling that sleeps, for calls that reach for another process; SEIZE stops nothing.
const sibling = "my $p = fork; if (!$p) { sleep 5; exit } select(undef, undef, undef, 0.1);";
const done = "kill 9, $p;";

attack("W5: a step cannot attach to a sibling process: EPERM, recorded", async ({ plain, sealed }) => {
  const script = perl(
    sibling,
    rawCall("ptrace", number("ptrace"), 0x4206, "$p", 0, 0).replace("my $sptrace = ", ""),
    done,
  );
  expect(plain(script)).toBe("ptrace done\n");
  const ran = await sealed(script);
  expect(ran.text).toBe(`ptrace ${EPERM}\n`);
  expect(refusedCalls(ran)).toEqual(["ptrace EPERM"]);
});

attack("W5: a step cannot read a sibling's memory: EPERM, recorded", async ({ plain, sealed }) => {
  // Reads eight bytes at the address of its own string, which the forked sibling has at the same place.
  const read = `my $secret = "password"; ${sibling} my $b = "\\0" x 8; my $l = pack "P Q", $b, 8; my $r = pack "Q Q", unpack("Q", pack "P", $secret), 8;`;
  const script = perl(
    read,
    `$! = 0; my $n = syscall(${number("process_vm_readv")}, $p, $l, 1, $r, 1, 0); print $n < 0 ? $! + 0 : $b, "\\n";`,
    done,
  );
  expect(plain(script)).toBe("password\n");
  const ran = await sealed(script);
  expect(ran.text).toBe(`${EPERM}\n`);
  expect(refusedCalls(ran)).toEqual(["process_vm_readv EPERM"]);
});

attack(
  "W5: a step cannot open an io_uring, which no tracer of calls can see through: ENOSYS, recorded",
  async ({ plain, sealed }) => {
    const script = perl(
      `my $p = "\\0" x 120;`,
      `$! = 0; my $r = syscall(${number("io_uring_setup")}, 8, $p); print $r < 0 ? $! + 0 : "ring", "\\n";`,
    );
    expect(plain(script)).toBe("ring\n");
    const ran = await sealed(script);
    expect(ran.text).toBe(`${ENOSYS}\n`);
    expect(refusedCalls(ran)).toEqual(["io_uring_setup ENOSYS"]);
  },
);

attack(
  "W5: a step cannot set the clock: EPERM, recorded",
  async ({ plain, sealed }) => {
    // Without a time to set the call only asks for the right to do it.
    const script = perl(
      rawCall("settimeofday", number("settimeofday"), 0, 0),
      rawCall("clock_settime", number("clock_settime"), 0, 0),
    );
    expect(plain(script)).toMatch(/^settimeofday done\n/);
    const ran = await sealed(script);
    expect(ran.text).toBe(`settimeofday ${EPERM}\nclock_settime ${EPERM}\n`);
    expect(refusedCalls(ran)).toEqual(["settimeofday EPERM", "clock_settime EPERM"]);
  },
  ["root"],
);

attack("W5: a step cannot mount, by the old calls or the new: EPERM, recorded", async ({ plain, sealed }) => {
  expect(plain("unshare -Urm sh -c 'mount -t tmpfs none /mnt && echo mounted'")).toBe("mounted\n");
  const script = perl(
    `my ($n, $t, $k) = ("none", "/tmp", "tmpfs"); $! = 0; syscall(${number("mount")}, $n, $t, $k, 0, 0); print $! + 0, "\\n";`,
    rawCall("fsopen", number("fsopen"), 0, 0),
    rawCall("open_tree", number("open_tree"), 0, 0, 0),
    rawCall("pivot_root", number("pivot_root"), 0, 0),
  );
  const ran = await sealed(script);
  expect(ran.text).toBe(`${EPERM}\nfsopen ${EPERM}\nopen_tree ${EPERM}\npivot_root ${EPERM}\n`);
  expect(refusedCalls(ran)).toEqual(["mount EPERM", "fsopen EPERM", "open_tree EPERM", "pivot_root EPERM"]);
});

attack("W3: a step cannot make a user namespace, by unshare, clone or clone3", async ({ plain, sealed }) => {
  expect(plain("unshare -U true && echo made")).toBe("made\n");
  const clone3 = `my $a = pack "Q11", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0; $! = 0; my $r = syscall(${number("clone3")}, $a, 88); exit 0 if $r == 0; print "clone3 ", ($r < 0 ? $! + 0 : "done"), "\\n";`;
  const script = perl(
    rawCall("unshare", number("unshare"), 0x10000000),
    rawCall("clone", number("clone"), 0x10000011, 0, 0, 0, 0),
    clone3,
  );
  const ran = await sealed(script);
  expect(ran.text).toBe(`unshare ${EPERM}\nclone ${EPERM}\nclone3 ${ENOSYS}\n`);
  expect(refusedCalls(ran)).toEqual(["unshare EPERM", "clone EPERM"]);
});

attack(
  "W5: a step cannot leave secrets in the kernel's keyring for the next: EPERM, recorded",
  async ({ plain, sealed }) => {
    const add = `my ($t, $d, $v) = ("user", "touchmark-attack", "x"); $! = 0; my $r = syscall(${number("add_key")}, $t, $d, $v, 1, -3); print $r < 0 ? $! + 0 : "kept", "\\n";`;
    expect(plain(perl(add))).toBe("kept\n");
    const ran = await sealed(perl(add, rawCall("keyctl", number("keyctl"), 0, -3, 0)));
    expect(ran.text).toBe(`${EPERM}\nkeyctl ${EPERM}\n`);
    expect(refusedCalls(ran)).toEqual(["add_key EPERM", "keyctl EPERM"]);
  },
);

attack(
  "W5: a step cannot blind the tracer with a listener of its own or an untraced child: EPERM, recorded",
  async ({ plain, sealed }) => {
    // A filter that allows everything, installed with a listener: with USER_NOTIF answers it would outrank a tracer.
    const listener = `my $c = pack "SCCL", 6, 0, 0, 0x7fff0000; my $f = pack "S x6 P", 1, $c; syscall(${number("prctl")}, 38, 1, 0, 0, 0); $! = 0; my $r = syscall(${number("seccomp")}, 1, 8, $f); print $r < 0 ? $! + 0 : "listening", "\\n";`;
    const untraced = `$! = 0; my $u = syscall(${number("clone")}, 0x00800011, 0, 0, 0, 0); exit 0 if $u == 0; print $u < 0 ? $! + 0 : "unseen", "\\n";`;
    expect(plain(perl(listener))).toBe("listening\n");
    expect(plain(perl(untraced))).toBe("unseen\n");
    const ran = await sealed(perl(listener, untraced));
    expect(ran.text).toBe(`${EPERM}\n${EPERM}\n`);
    expect(refusedCalls(ran)).toEqual(["seccomp EPERM", "clone EPERM"]);
  },
);

attack("W5: a step cannot type into a terminal", async ({ sealed }) => {
  const ran = await sealed(perl(rawCall("ioctl", number("ioctl"), 0, 0x5412, 0)));
  expect(ran.text).toBe(`ioctl ${EPERM}\n`);
  expect(refusedCalls(ran)).toEqual(["ioctl EPERM"]);
});

attack(
  "W5: a step cannot load programs into the kernel or watch the processor: EPERM, recorded",
  async ({ sealed }) => {
    const calls = ["bpf", "perf_event_open", "userfaultfd", "open_by_handle_at", "init_module", "kexec_load"] as const;
    const ran = await sealed(perl(...calls.map((call) => rawCall(call, number(call), 0, 0, 0, 0, 0))));
    expect(refusedCalls(ran)).toEqual(calls.map((call) => `${call} EPERM`));
  },
);
