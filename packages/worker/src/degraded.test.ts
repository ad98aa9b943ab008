import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { seccompFilter } from "./filter.ts";
import { missingFor, openBench } from "./fixture.ts";
import { makeImage, missingForImages } from "./image-fixture.ts";
import type { StepJob } from "./job.ts";
import { openSandboxHost, type SandboxHost } from "./sandbox-host.ts";
import { runStep } from "./step-run.ts";

const caller = process.getuid?.() === 0 ? "root" : "user";
const missing = missingFor(caller);

/** What a weaker host would lack is taken away from this one; everything else stays real. */
describe.skipIf(missing !== null)(`on a weaker host${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const bench = openBench(caller);
  const opened = openSandboxHost(bench.make("host"), {});
  afterAll(async () => {
    (await opened).recorder?.close();
    await bench.close();
  });
  const run = async (weaker: (host: SandboxHost) => Partial<SandboxHost>, job: StepJob) => {
    const host = await opened;
    let text = "";
    const onOutput = (chunk: Uint8Array): void => {
      text += Buffer.from(chunk).toString();
    };
    const ran = await runStep({ ...host, ...weaker(host) }, { ...job, onOutput });
    return { ...ran, text, codes: ran.evidence.degraded.map((row) => row.code) };
  };

  test("W6: where refusals cannot be recorded the filter refuses by itself, and the evidence says so", async () => {
    const ran = await run(
      (host) => ({ recorder: null, filter: (network) => seccompFilter(host.architecture, network, "errno") }),
      bench.job("unshare -U true; perl -e 'socket(S, 2, 1, 0); print $! + 0'"),
    );
    expect(ran.text).toMatch(/Operation not permitted\n97$/);
    expect(ran.evidence.seccomp?.recorded).toBe(false);
    expect(ran.refused).toEqual([]);
    expect(ran.codes).toContain("REFUSALS_UNRECORDED");
  });

  test("W8: without control groups memory and processes are bounded all the same, and the evidence says how", async () => {
    const job = bench.job("perl -e '$x = \"x\" x (300 << 20); sleep 5'");
    const limits = { ...job.limits, memoryBytes: 100 << 20, pids: 10 };
    const memory = await run(() => ({ groups: null }), { ...job, limits });
    expect(memory.outcome).toBe("out-of-memory");
    expect(memory.codes).toEqual(expect.arrayContaining(["NO_MEMORY_CGROUP", "NO_PIDS_CGROUP"]));
    expect(memory.evidence.cgroup).toBeNull();
    const processes = await run(() => ({ groups: null }), {
      ...bench.job("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done"),
      limits,
    });
    expect(processes.text).toMatch(/Cannot fork/);
    const time = await run(() => ({ groups: null }), {
      ...bench.job("sleep 9"),
      limits: { ...limits, seconds: 0.3, cpus: 1 },
    });
    expect(time.outcome).toBe("timed-out");
    expect(time.codes).toContain("NO_CPU_CGROUP");
  });

  test("W7: without overlays a private view is a copy, and the evidence says so", async () => {
    const source = bench.fill("source", { "a/b": "one\n" });
    const inner = bench.fill("inner", { c: "two\n" });
    const mounts = [
      { host: source, at: "/work/source", access: "copy-on-write" as const },
      { host: inner, at: "/work/source/deep/er", access: "read-only" as const },
    ];
    const job = bench.job("cat a/b deep/er/c; echo changed > a/b && cat a/b; touch deep/x", {
      mounts,
      directory: "/work/source",
    });
    const ran = await run((host) => ({ abilities: { ...host.abilities, overlay: false } }), job);
    expect(ran.text).toBe("one\ntwo\nchanged\n");
    expect(readFileSync(join(source, "a/b"), "utf8")).toBe("one\n");
    expect(existsSync(join(source, "deep"))).toBe(false);
    expect(ran.codes).toContain("INPUT_COPIED");
    expect(ran.evidence.mounts.find((row) => row.at === "/work/source")).toMatchObject({ means: "copy" });
  });

  test.skipIf(missingForImages !== null)(
    `W15: without overlays an image is a copy with ours laid over, no link followed${missingForImages === null ? "" : ` (skipped: ${missingForImages})`}`,
    async () => {
      const outside = bench.fill("outside", { hosts: "kept\n" });
      const directory = makeImage(bench, "copied", { "etc/hosts": `-> ${outside}/hosts`, "etc/shells/x": "x" });
      const job = bench.job(
        "exec 2>&1; cat /etc/hosts /etc/shells; echo x > /new; echo x > /work/output/made; stat -c %u /bin",
        {
          rootfs: { directory },
        },
      );
      const ran = await run((host) => ({ abilities: { ...host.abilities, overlay: false } }), job);
      expect(ran.text).toContain("127.0.0.1 localhost touchmark\n::1 localhost\n/bin/sh\n");
      expect(ran.text).toMatch(/Read-only file system\n1001\n/);
      expect(readFileSync(join(outside, "hosts"), "utf8")).toBe("kept\n");
      expect(existsSync(join(directory, "work"))).toBe(false);
      expect(ran.codes).toContain("INPUT_COPIED");
      expect(ran.evidence.mounts[0]).toMatchObject({ kind: "image", means: "copy" });
    },
  );

  test.skipIf(missingForImages !== null)(
    "W15: where a shell must hold the step, an image without one is refused",
    async () => {
      const directory = makeImage(bench, "shell-less");
      rmSync(join(directory, "bin/sh"));
      const job = { ...bench.job("", { rootfs: { directory } }), command: ["/bin/busybox", "true"] };
      const weaker = (host: SandboxHost): Partial<SandboxHost> => ({
        recorder: null,
        filter: (network) => seccompFilter(host.architecture, network, "errno"),
      });
      await expect(run(weaker, job)).rejects.toMatchObject({
        code: "WORKER_IMAGE_PROGRAM",
        message: expect.stringContaining("/bin/sh"),
      });
      expect((await run(() => ({}), job)).outcome).toBe("succeeded");
    },
  );

  test("W7: an input of another file system is lent without owner mapping, or copied", async () => {
    const source = bench.fill("elsewhere", { a: "one\n" });
    const mounts = [
      { host: source, at: "/work/source", access: "read-only" as const },
      { host: source, at: "/work/private", access: "copy-on-write" as const },
    ];
    const job = bench.job("cat /work/source/a; echo x > /work/private/a && cat /work/private/a", { mounts });
    const ran = await run(
      (host) => ({ abilities: { ...host.abilities, device: -1, overlay: host.root ? host.abilities.overlay : false } }),
      job,
    );
    expect(ran.text).toBe("one\nx\n");
    expect(ran.codes).toContain("INPUT_COPIED");
  });

  test("W2: many steps run at once without meeting", async () => {
    const host = await opened;
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        runStep(
          host,
          bench.job(`perl -e 'syscall(${host.architecture === "x86_64" ? 101 : 117}, 0) for 1 .. ${index + 1}'`),
        ),
      ),
    );
    expect(runs.map((ran) => ran.refused.map((row) => row.count))).toEqual(runs.map((_, index) => [index + 1]));
    if (host.root) expect(new Set(runs.map((ran) => ran.evidence.user.host)).size).toBe(8);
    expect(new Set(runs.map((ran) => ran.evidence.process.pid)).size).toBe(8);
  });
});
