import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { acts, canObserve, canObserveC, filterProgram, program, tryObserved } from "@touchmark/observer/testing";
import { describe, expect, test } from "vitest";

/** The step tries to make the tracer lose sight of it. Each way is either of no use or named as a loss. */
const codes = (losses: readonly string[]) => [...new Set(losses.map((loss) => loss.split(":")[0]))];

describe.skipIf(!canObserveC)("blinding the tracer", () => {
  const act = (name: string, more: object = {}) =>
    tryObserved({ command: ["/work/source/acts", name], program: acts(), ...more });

  test("a process is made that tracers do not follow (CLONE_UNTRACED): PROCESS_UNTRACED", async () => {
    const { observation } = await act("untraced");
    expect(codes(observation.losses)).toEqual(["PROCESS_UNTRACED"]);
    expect(observation.complete).toBe(false);
  });

  test("a process that tracers do not follow is refused by the sandbox, and the refusal is listed", async () => {
    const filter = filterProgram([435], [], { call: 56, mask: 0x00800000 });
    const { observation, output } = await act("untraced", { filter });
    expect(observation.refused).toEqual([{ call: "clone", pid: expect.any(Number), count: 1, answer: "SIGSYS" }]);
    expect(existsSync(join(output, "unseen"))).toBe(false);
    expect(observation.losses).toEqual([]);
  });

  test("a filter of the step's own outranks the tracer's and lets opens pass unseen: LISTENER_INSTALLED", async () => {
    const { observation, stdout, trace } = await act("listener");
    expect(stdout.trim()).toBe("opened");
    expect(trace).not.toContain('"/work/source/a"');
    expect(codes(observation.losses)).toEqual(["LISTENER_INSTALLED"]);
  });

  test("a process hides its descriptors from an unprivileged tracer: PATH_UNKNOWN", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can become another user");
    const { observation } = await act("undumpable", { uid: 65534 });
    expect(codes(observation.losses)).toEqual(["PATH_UNKNOWN"]);
  });

  test("a privileged tracer sees the descriptors of a hidden process", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("needs root");
    const { observation } = await act("undumpable");
    expect(observation.losses).toEqual([]);
    expect(observation.files.read.map((file) => file.path)).toContain("/work/source/a");
  });

  test("an exec in a thread makes the tracer swallow the next call: CALL_LOST", async () => {
    // Which call is swallowed is a race of the kernel's: tried until it is the first open of the new program.
    let hidden = false;
    for (let attempt = 0; attempt < 20 && !hidden; attempt++) {
      const { observation, trace } = await tryObserved({
        command: ["/work/source/acts", "thread_exec", "/usr/bin/true"],
        program: acts(),
      });
      // Then a reader of opens alone has a complete-looking list without it.
      hidden = !trace.slice(trace.indexOf("superseded")).includes("ld.so.cache");
      if (hidden) expect(codes(observation.losses)).toEqual(["CALL_LOST"]);
    }
    expect(hidden).toBe(true);
  });

  test("a descriptor opened by a thread that an exec kills passes to the next program unnamed: PATH_UNKNOWN", async () => {
    // A race as well: tried until an open is under way when the other thread executes.
    let cut = false;
    for (let attempt = 0; attempt < 20 && !cut; attempt++) {
      const { observation, trace } = await tryObserved({
        command: ["/work/source/acts", "mob", "exec"],
        program: acts(),
      });
      // To a reader of results these opens failed or never ended; the new program may have their descriptors all the same.
      cut = /openat resumed>\) += \?/.test(trace);
      if (cut) expect(codes(observation.losses)).toEqual(["PATH_UNKNOWN"]);
    }
    expect(cut).toBe(true);
  });

  test("a program is started from memory through a name that says nothing: EXECUTABLE_UNKNOWN", async () => {
    const { observation } = await act("memory_by_name");
    expect(codes(observation.losses)).toEqual(["EXECUTABLE_UNKNOWN"]);
  });

  test("a program is started from memory by descriptor: recorded as what it is", async () => {
    const { observation } = await act("memory");
    expect(observation.processes.at(-1)).toMatchObject({ executable: "/memfd:hidden", executableBy: "descriptor" });
  });

  test("files are read through io_uring: refused before it can be set up, from the first call of a process on", async () => {
    const { observation } = await act("refused");
    expect(observation.refused.filter((row) => row.call === "io_uring_setup").length).toBe(2);
    expect(observation.refused).toContainEqual(expect.objectContaining({ call: "ptrace", answer: "EPERM" }));
  });

  test("a file is made without a name and linked later: a written file", async () => {
    const { observation } = await act("temporary");
    expect(observation.files.written.map((file) => file.path)).toEqual(["/work/output/linked"]);
    expect(observation.losses).toEqual([]);
  });

  test("a program without a C library, started from a thread, is followed", async () => {
    const { observation } = await tryObserved({
      command: ["/work/source/acts", "thread_exec", "/work/source/free"],
      program: acts(),
      programs: { free: program("first-arch-prctl.c", "-nostdlib", "-static") },
    });
    expect(observation.losses).toEqual([]);
  });

  test("the disk of the trace is filled: the trace is bounded and incomplete, and the step goes on", async () => {
    const { observation, exitCode } = await tryObserved({
      command: ["/work/source/acts", "storm", "4", "2000"],
      program: acts(),
      observer: { traceLimit: 200_000 },
    });
    expect(exitCode).toBe(0);
    expect(codes(observation.losses)).toContain("TRACE_LIMIT");
    expect(observation.log?.uncompressedBytes ?? 0).toBeLessThan(200_000);
  });
});

describe.skipIf(!canObserve)("killing the tracer", () => {
  test("a step kills everything that it can: the tracer is not among it", async () => {
    const { observation } = await tryObserved({ command: ["sh", "-c", "kill -9 $PPID; kill -9 -1; exit 4"] });
    expect(observation.losses).toEqual([]);
    expect(observation.processes[0]?.exit).toBeDefined();
  });

  test("the tracer is killed from outside: the step dies with it, and the trace is incomplete", async () => {
    const { observation, signal } = await tryObserved({
      command: ["sh", "-c", "sleep 5; echo survived >/work/output/survived"],
      during: (pid) => setTimeout(() => process.kill(pid, "SIGKILL"), 400),
    });
    expect(signal).toBe("SIGKILL");
    expect(observation.files.written).toEqual([]);
    expect(codes(observation.losses)).toContain("PROCESS_UNENDED");
  });

  test("a file of the output appears that no traced call made: OUTPUT_UNEXPLAINED", async () => {
    const { observation } = await tryObserved({
      command: ["sh", "-c", "echo x >/work/output/known"],
      placed: (directory) => writeFileSync(join(directory, "planted"), "evil"),
    });
    expect(observation.losses).toEqual(["OUTPUT_UNEXPLAINED: /work/output/planted was made by no traced call"]);
  });

  test("the worker and the trace tell different ends: EXIT_MISMATCH", async () => {
    const { observation } = await tryObserved({ command: ["false"], step: { exit: { exitCode: 0, signal: null } } });
    expect(codes(observation.losses)).toEqual(["EXIT_MISMATCH"]);
  });

  test("the sandbox refuses calls without recording them: REFUSALS_UNRECORDED", async () => {
    const refused = [{ call: "bpf", pid: 7, errno: "EPERM", count: 2 }];
    const { observation } = await tryObserved({ command: ["true"], step: { refused, refusedRecorded: false } });
    expect(codes(observation.losses)).toEqual(["REFUSALS_UNRECORDED"]);
    expect(observation.refused).toEqual([{ call: "bpf", pid: 7, answer: "EPERM", count: 2 }]);
  });
});
