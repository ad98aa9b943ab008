import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cases, openBench } from "../fixture.ts";
import type { StepJob, Tracer } from "../job.ts";
import { hostArchitecture, type SystemCall, systemCallNumber } from "../system-calls.ts";

const strace = spawnSync("strace", ["--version"], { stdio: "ignore" }).status === 0;

/** A script that makes raw calls and prints each one's errno. */
function rawCalls(...calls: readonly (readonly [SystemCall, ...number[]])[]): string {
  const lines = calls.map(([call, ...values]) => {
    const words = [systemCallNumber(hostArchitecture(), call), ...values, 0, 0, 0, 0].slice(0, 5);
    return `$! = 0; syscall(${words.join(", ")}); print "${call} ", $! + 0, "\\n";`;
  });
  return `perl -e '${lines.join(" ")}'`;
}

for (const { backend, caller, name, missing } of cases) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());

    test("W6: each refused call is recorded with process, argument, errno and count, in order", async () => {
      const ran = await bench.run(
        bench.job(
          rawCalls(
            ["ptrace", 0],
            ["io_uring_setup", 8],
            ["socket", 2, 1],
            ["socket", 2, 1],
            ["keyctl", 0],
            ["unshare", 0x10000000],
          ),
        ),
      );
      expect(ran.text).toBe("ptrace 1\nio_uring_setup 38\nsocket 97\nsocket 97\nkeyctl 1\nunshare 1\n");
      expect(ran.refused.map(({ call, argument, errno, count }) => [call, argument, errno, count])).toEqual([
        ["ptrace", null, "EPERM", 1],
        ["io_uring_setup", null, "ENOSYS", 1],
        ["socket", "2", "EAFNOSUPPORT", 2],
        ["keyctl", null, "EPERM", 1],
        ["unshare", null, "EPERM", 1],
      ]);
      expect(new Set(ran.refused.map((row) => row.pid)).size).toBe(1);
      expect(ran.evidence.seccomp?.recorded).toBe(true);
    });

    test("W6: a step that is killed right after its attempt has been recorded", async () => {
      const script = rawCalls(["ptrace", 0]).replace(/'$/, " kill 9, -1; kill 9, $$;'");
      const ran = await bench.run(bench.job(script));
      expect(ran.refused.map((row) => row.call)).toEqual(["ptrace"]);
    });

    test("W6: more kinds than are kept make the record incomplete, not silent", async () => {
      const script = `perl -e 'for (1 .. 5000) { syscall(${systemCallNumber(hostArchitecture(), "socket")}, 100 + $_, 1, 0) }'`;
      const ran = await bench.run(bench.job(script));
      expect(ran.refused.length).toBe(4096);
      expect(ran.evidence.seccomp?.recorded).toBe(false);
    });

    test("W5: a 32-bit call kills the process that makes it", async () => {
      if (hostArchitecture() !== "x86_64") return;
      // mov eax, 20 (getpid of i386); int 0x80: run from an anonymous mapping by a tiny ELF file.
      const elf = tinyProgram([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]);
      const script = `printf '${elf}' > /tmp/p; chmod 755 /tmp/p; /tmp/p; echo $?`;
      expect((await bench.run(bench.job(script))).text).toContain("159");
    });

    test.skipIf(!strace)(
      "W6: refused calls are recorded under strace's BPF mode too, where the tracer is blind to them",
      async () => {
        const directory = bench.make("trace");
        const tracer: Tracer = {
          wrap: (argv) => [
            "/usr/bin/strace",
            "-f",
            "--seccomp-bpf",
            "-e",
            "trace=ptrace,io_uring_setup,connect,socket,execve",
            "-o",
            "trace.log",
            "--",
            ...argv,
          ],
          directory,
        };
        const script = rawCalls(["ptrace", 0], ["io_uring_setup", 8], ["socket", 2, 1]);
        const job = bench.job(script);
        const ran = caller === "root" ? await bench.run({ ...job, tracer }) : await untraceable(job);
        expect(ran.text).toContain("ptrace 1\nio_uring_setup 38\nsocket 97\n");
        expect(ran.refused.map((row) => row.call)).toEqual(["ptrace", "io_uring_setup", "socket"]);
        if (caller === "root") {
          const trace = readFileSync(join(directory, "trace.log"), "utf8");
          expect(trace).toContain('execve("/bin/sh"');
          expect(trace).not.toContain("ptrace(");
          const pid = /^(\d+) +execve\("\/bin\/sh"/m.exec(trace)?.[1];
          expect(Number(pid)).toBeGreaterThan(0);
        }
      },
    );

    /** A function does not pass to the child that plays the ordinary user. */
    const untraceable = (job: StepJob) => bench.run(job);
  });
}

/** A static program of a few instructions, as octal escapes for printf. */
function tinyProgram(code: readonly number[]): string {
  const bytes = Buffer.alloc(120 + code.length);
  bytes.write("\x7fELF\x02\x01\x01", 0, "latin1");
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(0x400078n, 24);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(5, 68);
  bytes.writeBigUInt64LE(0x400000n, 80);
  bytes.writeBigUInt64LE(0x400000n, 88);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 96);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 104);
  bytes.writeBigUInt64LE(0x1000n, 112);
  Buffer.from(code).copy(bytes, 120);
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
