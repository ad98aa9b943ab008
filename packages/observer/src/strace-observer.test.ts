import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import type { Observation } from "./observation.ts";
import { straceObserver } from "./strace-observer.ts";
import {
  acts,
  canObserve,
  canObserveC,
  exampleFiles,
  filterProgram,
  newDirectory,
  program,
  tryObserved,
} from "./testing.ts";

const readNames = (seen: Observation) =>
  seen.files.read.filter((file) => file.origin === "input").map((file) => file.path.replace("/work/source/", ""));
const writtenNames = (seen: Observation) => seen.files.written.map((file) => file.path.replace("/work/output/", ""));

async function act(name: string, ...rest: string[]) {
  const result = await tryObserved({ command: ["/work/source/acts", name, ...rest], program: acts() });
  expect(result.stderr).toBe("");
  return result;
}

describe.skipIf(!canObserve)("a step of shell commands", () => {
  test("O1: the default observation of an ordinary step is complete, and holds processes with argv, program and exit", async () => {
    const { observation, exitCode } = await tryObserved({
      command: ["sh", "-c", "cat a >/dev/null; sort b >/work/output/sorted; exit 3"],
    });
    expect(exitCode).toBe(3);
    expect(observation.losses).toEqual([]);
    expect(observation).toMatchObject({ complete: true, tier: "strace-seccomp" });
    const [shell, cat, sort] = observation.processes;
    expect(shell).toMatchObject({ executable: "/usr/bin/dash", exit: { code: 3 }, directory: "/work/source" });
    expect(cat).toMatchObject({
      executable: "/usr/bin/cat",
      argv: ["cat", "a"],
      exit: { code: 0 },
      parent: shell?.pid,
    });
    expect(sort).toMatchObject({ argv: ["sort", "b"], parent: shell?.pid });
    expect(cat?.digest).toBe(sha256(readFileSync("/usr/bin/cat")));
    expect(readNames(observation)).toEqual(["a", "b"]);
    expect(writtenNames(observation)).toEqual(["sorted"]);
  });

  test("O10: the loader that the kernel opens for a program is a file that was read", async () => {
    const { observation } = await tryObserved({ command: ["/usr/bin/true"] });
    expect(observation.files.read.map((file) => file.path).some((path) => /\/ld-linux[^/]*$/.test(path))).toBe(true);
  });

  test("O11: inputs carry the digest known beforehand, files of the host one taken afterwards", async () => {
    const digest = sha256(exampleFiles.a);
    const { observation } = await tryObserved({
      command: ["cat", "a"],
      inputDigests: [{ path: "a", kind: "file", size: 12, digest }],
    });
    const find = (path: string) => observation.files.read.find((file) => file.path === path);
    expect(find("/work/source/a")).toMatchObject({ digest, digestTime: "before-use", origin: "input" });
    expect(find("/usr/bin/cat")).toMatchObject({ digestTime: "after-use", origin: "toolchain", executed: true });
  });

  test("O5: the whole raw trace is kept by digest", async () => {
    const { observation, trace } = await tryObserved({ command: ["true"] });
    const { log } = observation;
    const bytes = readFileSync(log?.path ?? "");
    expect(sha256(bytes)).toBe(log?.digest);
    expect(gunzipSync(bytes).toString("latin1")).toBe(trace);
    expect(observation.events.lines).toBe(trace.split("\n").length - 1);
  });

  test("O12: an input that is removed or replaced in a private copy is listed as deleted, what vanishes as transient", async () => {
    const { observation } = await tryObserved({
      command: [
        "sh",
        "-c",
        "rm a; echo new >b; echo x >made; mv made kept; mv c moved; echo y >gone; rm gone; echo t >/tmp/t",
      ],
      access: "copy-on-write",
    });
    expect(observation.losses).toEqual([]);
    expect(observation.files.deleted.map((file) => file.path.slice(13))).toEqual(["a", "b", "c"]);
    expect(observation.files.deleted[0]?.digest).toBe(sha256(exampleFiles.a));
    expect(observation.files.transient.sample).toEqual([
      "/tmp/t",
      "/work/source/b",
      "/work/source/gone",
      "/work/source/kept",
    ]);
    expect(observation.files.written).toEqual([]);
  });

  test("O3: an unprivileged user's trace is complete as well", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can become another user; as a user every other test shows this");
    const { observation, exitCode, stderr } = await tryObserved({
      command: ["sh", "-c", "cat a >/work/output/copy"],
      uid: 65534,
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(observation.losses).toEqual([]);
    expect(writtenNames(observation)).toEqual(["copy"]);
  });

  test("O20: an observer serves one step, and has nothing to say before it", async () => {
    const observer = await straceObserver({ traceDirectory: newDirectory() });
    const step = { command: ["true"], mounts: [], output: { host: newDirectory(), at: "/work/output" }, view: [] };
    await expect(observer.finish(step)).rejects.toMatchObject({ code: "OBSERVER_MISUSED" });
    observer.tracer.wrap(["true"]);
    expect(() => observer.tracer.wrap(["true"])).toThrow(expect.objectContaining({ code: "OBSERVER_MISUSED" }));
    expect(await observer.finish(step)).toMatchObject({ complete: false });
    await expect(observer.finish(step)).rejects.toMatchObject({ code: "OBSERVER_MISUSED" });
  });

  test("O2: without a usable tracer there is no observer", async () => {
    await expect(straceObserver({ traceDirectory: newDirectory(), strace: "no-such-tracer" })).rejects.toMatchObject({
      code: "OBSERVER_UNAVAILABLE",
    });
  });
});

describe.skipIf(!canObserveC)("a step that uses every way", () => {
  test("O6: open, openat, openat2 and creat are seen", async () => {
    const { observation } = await act("opens");
    expect(observation.losses).toEqual([]);
    expect(readNames(observation)).toEqual(["a", "acts", "b", "c"]);
    expect(writtenNames(observation)).toEqual(["created"]);
  });

  test("O7: paths after chdir and fchdir, by directory descriptors, duplicates and links are the real ones", async () => {
    const { observation } = await act("directories");
    expect(observation.losses).toEqual([]);
    expect(readNames(observation)).toEqual(["a", "acts", "b", "c"]);
    expect(writtenNames(observation)).toEqual(["alias", "deep/four", "two"]);
    expect(observation.files.transient.sample).toEqual(["/work/output/deep/three"]);
  });

  test("O8: renames, links, nodes, directories, truncation and removal are followed", async () => {
    const { observation } = await act("names");
    expect(observation.losses).toEqual([]);
    expect(writtenNames(observation)).toEqual([
      "hard",
      "kept",
      "left",
      "long",
      "moved/inside",
      "node",
      "right",
      "soft",
    ]);
    expect(observation.files.transient.sample).toEqual(["/work/output/gone"]);
  });

  test("O8: a file made without a name and linked is a written file", async () => {
    const { observation } = await act("temporary");
    expect(observation.losses).toEqual([]);
    expect(writtenNames(observation)).toEqual(["linked"]);
  });

  test("O9: execution from memory by descriptor is named by what was executed", async () => {
    const { observation } = await act("memory");
    expect(observation.losses).toEqual([]);
    expect(observation.processes.at(-1)).toMatchObject({
      executable: "/memfd:hidden",
      executableBy: "descriptor",
      digest: undefined,
      argv: ["from-memory"],
    });
  });

  test("O9: execution through a name that says nothing makes the trace incomplete", async () => {
    const { observation } = await act("memory_by_name");
    expect(observation.complete).toBe(false);
    expect(observation.losses).toEqual([
      expect.stringMatching(/^EXECUTABLE_UNKNOWN: process \d+ executed \/proc\/self\/fd\/3$/),
    ]);
  });

  test("O7: a descriptor passed to another process still leads to the real paths", async () => {
    const { observation, exitCode } = await act("passing");
    expect(exitCode).toBe(0);
    expect(observation.losses).toEqual([]);
    expect(readNames(observation)).toEqual(["acts", "c"]);
    expect(observation.processes.at(-1)).toMatchObject({ executable: "/usr/bin/true", executableBy: "descriptor" });
  });

  test("O6: a file mapped for execution is a file that was opened", async () => {
    expect(readNames((await act("mapped")).observation)).toEqual(["a", "acts"]);
  });

  test("O13: network attempts carry family, address, port and result; what is sent is not mistaken for an address", async () => {
    const { observation } = await act("network");
    expect(observation.losses).toEqual([]);
    const rows = observation.network.map(({ pid, ...row }) => row);
    expect(rows).toEqual([
      { call: "connect", family: "AF_INET", address: "192.0.2.7", port: 4433, result: "ENETUNREACH", count: 1 },
      {
        call: "connect",
        family: "AF_INET6",
        address: "2001:db8::1",
        port: 853,
        result: expect.stringMatching(/^E/),
        count: 1,
      },
      { call: "connect", family: "AF_UNIX", address: '/run/none"\n= 3', port: undefined, result: "ENOENT", count: 1 },
      { call: "sendto", family: "AF_INET", address: "192.0.2.7", port: 4433, result: "ENETUNREACH", count: 1 },
      { call: "sendmsg", family: "AF_INET", address: "192.0.2.7", port: 4433, result: "ENETUNREACH", count: 1 },
      { call: "sendmmsg", family: "AF_INET", address: "192.0.2.7", port: 4433, result: "ENETUNREACH", count: 2 },
      { call: "bind", family: "AF_INET", address: "0.0.0.0", port: 4433, result: "ok", count: 1 },
    ]);
  });

  test("O14: refused io_uring, ptrace and mount are listed, with process, in the fast mode too", async () => {
    const ran = await tryObserved({
      command: ["/work/source/acts", "refused"],
      program: acts(),
      filter: filterProgram([425, 101], [165]),
    });
    expect(ran.exitCode).toBe(0);
    expect(ran.observation.losses).toEqual([]);
    const [main, first, second] = ran.observation.processes.map((process) => process.pid);
    expect(ran.observation.refused).toEqual([
      { call: "io_uring_setup", pid: main, count: 1, answer: "ENOSYS" },
      { call: "ptrace", pid: main, count: 1, answer: "EPERM" },
      { call: "io_uring_setup", pid: first, count: 1, answer: "ENOSYS" },
      { call: "mount", pid: second, count: 1, answer: "SIGSYS" },
    ]);
  });

  test("O15: forks, threads, vforks, deaths by signal and restarts of oneself make the process tree", async () => {
    const { observation } = await act("families");
    expect(observation.losses).toEqual([]);
    const rows = observation.processes.map((p) => ({ argv: p.argv.join(" "), by: p.executableBy, exit: p.exit }));
    const self = "/work/source/acts families";
    expect(rows).toEqual([
      { argv: self, by: "argument", exit: { code: 0 } },
      { argv: self, by: "inherited", exit: { code: 5 } },
      { argv: self, by: "inherited", exit: { code: 7 } },
      { argv: "true", by: "argument", exit: { code: 0 } },
      { argv: self, by: "inherited", exit: { signal: "SIGSEGV" } },
      { argv: "self exit", by: "argument", exit: { code: 0 } },
    ]);
    const [main, child, grandchild, ...others] = observation.processes;
    expect(child?.parent).toBe(main?.pid);
    expect(grandchild?.parent).toBe(child?.pid);
    for (const other of others) expect(other.parent).toBe(main?.pid);
    expect(others.at(-1)?.executable).toBe("/work/source/acts");
  });

  test("O16: an exec in a thread is followed; when strace loses a call over it, the trace is incomplete", async () => {
    const kept = await tryObserved({
      command: ["/work/source/acts", "thread_exec", "/work/source/free"],
      program: acts(),
      programs: { free: program("first-arch-prctl.c", "-nostdlib", "-static") },
    });
    expect(kept.observation.losses).toEqual([]);
    expect(kept.observation.processes.at(-1)).toMatchObject({ executable: "/work/source/free", exit: { code: 0 } });
    const lost = await act("thread_exec", "/usr/bin/true");
    expect(lost.observation.processes.at(-1)).toMatchObject({
      executable: "/usr/bin/true",
      argv: ["from-thread"],
      exit: { code: 0 },
    });
    expect(lost.observation.losses).toEqual([expect.stringMatching(/^CALL_LOST: call number 257 of process \d+$/)]);
  });

  test.each([["exit"], ["exec", "closed"]])(
    "O17: threads that die in the middle of opens lose nothing that anybody could use (%s)",
    async (...how) => {
      const { observation, exitCode } = await act("mob", ...how);
      expect(exitCode).toBe(0);
      // Only root's tracer can tell a dying thread from one that hides its descriptors.
      const root = process.getuid?.() === 0;
      expect(observation.losses.filter((loss) => root || !loss.startsWith("PATH_UNKNOWN"))).toEqual([]);
      expect(new Set(observation.processes.map((process) => process.pid)).size).toBe(61);
    },
  );

  test("O4: of many processes that write at once no file is missed", async () => {
    const { observation } = await act("storm", "8", "200");
    expect(observation.losses).toEqual([]);
    expect(observation.files.written.length).toBe(1600);
    expect(observation.events.processes).toBe(9);
  });
});
