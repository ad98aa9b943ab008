import { readdirSync } from "node:fs";
import type { Observation } from "@touchmark/observer";
import { acts, canObserve, canObserveC, naiveOpens, type TrialResult, tryObserved } from "@touchmark/observer/testing";
import { describe, expect, test } from "vitest";

/**
 * The step reads an input in such a way that an observer which takes names from the arguments of calls, as the field's
 * does, records another name or none. Ours takes the name that the kernel gives the returned descriptor.
 */
const inputs = (seen: Observation) =>
  seen.files.read.filter((file) => file.origin === "input" && !file.path.endsWith("/acts")).map((file) => file.path);

function act(name: string): Promise<TrialResult> {
  return tryObserved({ command: ["/work/source/acts", name], program: acts() });
}

describe.skipIf(!canObserveC)("names of opened files", () => {
  test("a thread rewrites the name while the call is on its way: the record holds what was opened", async () => {
    let lies = 0;
    for (let attempt = 0; attempt < 20 && lies === 0; attempt++) {
      const { observation, trace, stdout } = await act("race");
      const opened = (path: string) =>
        trace.split("\n").filter((line) => line.endsWith(`</work/source/${path}>`)).length;
      const [a, b] = stdout.trim().split(" ").map(Number);
      // The program asked the kernel what it had got: the trace says the same of each file, to the last open.
      expect([opened("a"), opened("b")]).toEqual([a, b]);
      expect(observation.losses).toEqual([]);
      lies = [...trace.matchAll(/"\/work\/source\/([ab])", O_RDONLY\) = \d+<\/work\/source\/([ab])>/g)].filter(
        ([, said, was]) => said !== was,
      ).length;
    }
    expect(lies).toBeGreaterThan(0);
  });

  test("a file is opened through /proc/self/fd", async () => {
    const { observation, trace } = await act("by_descriptor_name");
    expect(naiveOpens(trace)).toContain("/proc/self/fd/3");
    expect(inputs(observation)).toEqual(["/work/source/a"]);
    expect(observation.complete).toBe(true);
  });

  test("files are opened relative to directories that chdir, fchdir, dup2 and links lead to", async () => {
    const { observation, trace } = await act("directories");
    expect(naiveOpens(trace)).toEqual(expect.arrayContaining(["../b", "source/a", "source/link"]));
    expect(inputs(observation)).toEqual(["/work/source/a", "/work/source/b", "/work/source/c"]);
    expect(observation.complete).toBe(true);
  });

  test("a directory is passed to another process over a socket, and a file opened in it", async () => {
    const { observation, trace } = await act("passing");
    expect(naiveOpens(trace)).toContain("c");
    expect(inputs(observation)).toEqual(["/work/source/c"]);
    expect(observation.complete).toBe(true);
  });

  test("open, openat2 and creat are used instead of openat", async () => {
    const { observation, trace } = await act("opens");
    expect(naiveOpens(trace)).not.toContain("/work/source/a");
    expect(inputs(observation)).toEqual(["/work/source/a", "/work/source/b", "/work/source/c"]);
  });

  test("the 32-bit interface is used from a 64-bit program", async ({ skip }) => {
    const { observation, trace, stderr, signal, exitCode } = await act("int80");
    if (stderr !== "" || signal !== null || exitCode !== 0) skip("this kernel has no 32-bit interface");
    expect(naiveOpens(trace)).not.toContain("/work/source/a");
    expect(inputs(observation)).toEqual(["/work/source/a"]);
  });
});

describe.skipIf(!canObserve)("names that change", () => {
  const shell = (script: string) => tryObserved({ command: ["sh", "-c", script], access: "copy-on-write" as const });

  test("another file is renamed over an input before it is read: that is no reading of the input", async () => {
    const { observation, trace } = await shell("echo evil >new; mv new a; cat a >/dev/null");
    expect(naiveOpens(trace)).toContain("a");
    expect(inputs(observation)).toEqual([]);
    expect(observation.files.deleted.map((file) => file.path)).toEqual(["/work/source/a"]);
    expect(observation.complete).toBe(true);
  });

  test("an input is read through a hard link or a new name of its directory", async () => {
    const { observation, trace } = await shell(
      "ln a harmless; cat harmless >/dev/null; mv sub other; cat other/d >/dev/null",
    );
    expect(naiveOpens(trace)).toEqual(expect.arrayContaining(["harmless", "other/d"]));
    expect(inputs(observation)).toEqual(["/work/source/a", "/work/source/sub/d"]);
    expect(observation.complete).toBe(true);
  });

  test("a file is made, used and removed, so that nothing is left to be found", async () => {
    const { observation, output } = await shell(
      "echo secret >/work/output/t; cat /work/output/t >/dev/null; rm /work/output/t",
    );
    expect(readdirSync(output)).toEqual([]);
    expect(observation.files.transient).toEqual({ count: 1, sample: ["/work/output/t"] });
  });

  test("a file is called like one that was removed", async () => {
    const { observation, trace } = await tryObserved({
      command: ["sh", "-c", "cat 'x (deleted)' >/work/output/'y (deleted)'"],
      files: { "x (deleted)": "input" },
    });
    expect(trace).toContain("</work/source/x>(deleted)");
    expect(inputs(observation)).toEqual(["/work/source/x (deleted)"]);
    expect(observation.files.written.map((file) => file.path)).toEqual(["/work/output/y (deleted)"]);
    expect(observation.complete).toBe(true);
  });
});
