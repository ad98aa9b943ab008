import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { refusalErrno, rules, seccompFilter } from "./filter.ts";
import { missingFor, openBench } from "./fixture.ts";
import type { StepNetwork } from "./job.ts";
import { containerConfig } from "./oci-runtime-config.ts";
import { type ProfileRow, seccompProfile } from "./oci-runtime-profile.ts";
import { hostArchitecture, systemCallNumber } from "./system-calls.ts";

const networks: readonly StepNetwork[] = ["none", "proxy", "open"];

/** True when libseccomp refuses a call with these arguments by the rows. */
function refuses(rows: readonly ProfileRow[], call: string, words: readonly bigint[]): boolean {
  return rows.some(
    (row) =>
      row.names.includes(call) &&
      (row.args ?? []).every(({ index, value, valueTwo, op }) => {
        const word = words[index] ?? 0n;
        return op === "SCMP_CMP_GT" ? word > BigInt(value) : (word & BigInt(value)) === BigInt(valueTwo);
      }),
  );
}

test("W5: the profile for runtimes has every refusal of the table, with its errno", () => {
  for (const architecture of ["x86_64", "aarch64"] as const) {
    for (const network of networks) {
      const { syscalls } = seccompProfile(architecture, network, "SCMP_ACT_ERRNO");
      for (const rule of rules(network)) {
        const rows = syscalls.filter((row) => row.names.includes(rule.call));
        expect(rows.length > 0).toBe(systemCallNumber(architecture, rule.call) !== undefined);
        for (const row of rows) expect(row.errnoRet).toBe(refusalErrno[rule.errno]);
      }
      expect(syscalls.some((row) => row.names.includes("clone3") && row.errnoRet === 38)).toBe(true);
    }
  }
});

test("W5: conditions hold for the same arguments as in the kernel's filter, and for no garbage above them", () => {
  const rows = (network: StepNetwork) => seccompProfile("x86_64", network, "SCMP_ACT_ERRNO").syscalls;
  const high = 1n << 32n;
  const socket = (network: StepNetwork, family: bigint) => refuses(rows(network), "socket", [family]);
  for (let family = 0n; family < 50n; family += 1n) {
    expect(socket("none", family)).toBe(family !== 1n);
    expect(socket("proxy", family)).toBe(![1n, 2n, 10n, 16n].includes(family));
    expect(socket("none", family + high)).toBe(true);
  }
  for (const bit of [0o4000n, 0o2000n, 0o6000n, 0o4755n | high])
    expect(refuses(rows("none"), "chmod", [0n, bit])).toBe(true);
  expect(refuses(rows("none"), "chmod", [0n, 0o1777n])).toBe(false);
  expect(refuses(rows("none"), "openat", [0n, 0n, 0o101n, 0o4755n])).toBe(true);
  expect(refuses(rows("none"), "openat", [0n, 0n, 0o1n, 0o4755n])).toBe(false);
  expect(refuses(rows("none"), "ioctl", [0n, 0x5412n + high])).toBe(true);
  expect(refuses(rows("none"), "ioctl", [0n, 0x5413n])).toBe(false);
  for (const flag of [0x10000000n, 0x40000000n, 0x20000n, 0x00800000n])
    expect(refuses(rows("none"), "clone", [flag])).toBe(true);
  expect(refuses(rows("none"), "clone", [0x01200011n])).toBe(false);
  for (const row of rows("proxy")) {
    const indexes = (row.args ?? []).map(({ index }) => index);
    expect(new Set(indexes).size).toBe(indexes.length);
  }
});

const missing = missingFor("root", "runc");

describe.skipIf(missing !== null)(`with runc${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const bench = openBench("root", "runc");
  afterAll(() => bench.close());

  test("W5: the profile alone, in runc's own hands, refuses what the filter refuses", () => {
    const architecture = hostArchitecture();
    const calls = (["ptrace", "io_uring_setup", "keyctl", "unshare", "mount", "bpf"] as const).map(
      (call) =>
        `$! = 0; syscall(${systemCallNumber(architecture, call)}, 8, 0, 0, 0, 0); print "${call} ", $! + 0, "\\n";`,
    );
    const sockets = [1, 2, 16].map(
      (family) => `print "socket ${family} ", (socket(S, ${family}, 1, 0) ? "made" : $! + 0), "\\n";`,
    );
    const job = { ...bench.job(""), command: ["/usr/bin/perl", "-e", [...calls, ...sockets].join(" ")] };
    const root = bench.make("root");
    for (const name of ["usr", "etc", "proc", "dev", "sys", "tmp", "var/tmp", "home/builder", "work/output"]) {
      mkdirSync(join(root, name), { recursive: true });
    }
    for (const [name, target] of [
      ["bin", "usr/bin"],
      ["lib", "usr/lib"],
      ["lib64", "usr/lib64"],
    ] as const) {
      spawnSync("ln", ["-s", target, join(root, name)]);
    }
    writeFileSync(join(root, "etc/passwd"), "builder:x:1001:1001::/home/builder:/bin/sh\n");
    chmodSync(bench.directory, 0o755);
    const config = containerConfig(job, {
      plan: {
        operations: [],
        root,
        shown: [{ at: "/usr", path: "/usr", writable: false, file: false }],
        rows: [],
        writable: [],
        degraded: [],
      },
      group: null,
      filter: seccompFilter(architecture, "none", "errno"),
      user: { user: 1_999_998, group: 1_999_998 },
      token: "",
      temporaryBytes: 1 << 20,
      environment: { PATH: "/usr/bin" },
      interactive: false,
      root: 1_999_999,
      seccomp: seccompProfile(architecture, "none", "SCMP_ACT_ERRNO"),
      controlGroup: "/touchmark-profile-test",
    });
    const bundle = bench.make("bundle");
    writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
    const ran = spawnSync(
      "unshare",
      [
        "-m",
        "sh",
        "-c",
        `mount -t cgroup2 none /sys/fs/cgroup && runc --root ${bench.directory}/r run -b ${bundle} profile-test`,
      ],
      { encoding: "utf8" },
    );
    expect(ran.stdout).toBe(
      "ptrace 1\nio_uring_setup 38\nkeyctl 1\nunshare 1\nmount 1\nbpf 1\nsocket 1 made\nsocket 2 97\nsocket 16 97\n",
    );
  });
});
