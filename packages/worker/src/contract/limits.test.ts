import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cases, missingFor, openBench } from "../fixture.ts";

for (const { backend, caller, name, missing } of cases) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());
    const limited = (script: string, limits: object) => {
      const job = bench.job(script);
      return { ...job, limits: { ...job.limits, ...limits } };
    };

    test("W8: time ends a step, and says so", async () => {
      const ran = await bench.run(limited("sleep 30 | cat; echo never", { seconds: 0.5 }));
      expect(ran).toMatchObject({ outcome: "timed-out", exitCode: null, text: "" });
    });

    test("W8: memory taken inside a pipeline that ends well is still out of memory", async () => {
      // The shell's pipeline answers for its last command, so the step itself ends with 0.
      const script = "perl -e '$x = \"x\" x (1 << 30); sleep 5' | cat; exit 0";
      const ran = await bench.run(limited(script, { memoryBytes: 64 << 20, temporaryBytes: 1 << 20 }));
      expect(ran.outcome).toBe("out-of-memory");
    });

    test("W8: a refused process is recognised, also where the command ends well", async () => {
      const script = "i=0; while [ $i -lt 200 ]; do sleep 3 & i=$((i+1)); done 2>/dev/null; exit 0";
      const ran = await bench.run(limited(script, { pids: 20 }));
      if (ran.evidence.cgroup === null) expect(ran.outcome).toBe("failed");
      else expect(ran.outcome).toBe("process-limit");
    });

    test("W8: output over its bound is recognised while it grows and at the end", async () => {
      const slow =
        "i=0; while [ $i -lt 100 ]; do head -c 1000000 /dev/zero > $TOUCHMARK_OUTPUT/$i; i=$((i+1)); sleep 0.05; done";
      const grown = await bench.run(limited(slow, { outputBytes: 5_000_000 }));
      expect(grown).toMatchObject({ outcome: "output-limit", exitCode: null });
      const quick = await bench.run(
        limited("for i in 1 2 3; do head -c 400000 /dev/zero > $TOUCHMARK_OUTPUT/$i; done", { outputBytes: 1_000_000 }),
      );
      expect(quick.outcome).toBe("output-limit");
    });

    test("W8: a sparse file counts by its size", async () => {
      const ran = await bench.run(
        limited("truncate -s 100G $TOUCHMARK_OUTPUT/hole", { outputBytes: 1 << 20, temporaryBytes: 1 << 20 }),
      );
      expect(ran.outcome).toBe("output-limit");
    });

    test("W8: temporary places are full when they are full", async () => {
      const script =
        "for d in /tmp /dev/shm /var/tmp $HOME; do head -c 3000000 /dev/zero > $d/x 2>&1 || echo full; done; touch /x /dev/x /run/x";
      const ran = await bench.run(limited(script, { temporaryBytes: 1 << 20 }));
      expect(ran.text.match(/full/g)?.length).toBe(4);
      expect(ran.text.match(/Read-only file system/g)?.length).toBe(3);
    });

    test("W8: what is printed beyond the bound is counted and dropped", async () => {
      const ran = await bench.run(limited("head -c 300000 /dev/zero", { logBytes: 1000 }));
      expect([ran.outcome, ran.logBytes, ran.truncated, ran.text.length]).toEqual(["succeeded", 300_000, true, 1000]);
    });

    test("W8: a private copy counts as output", async () => {
      const mounts = [{ host: bench.fill("grown", { a: "a" }), at: "/work/source", access: "copy-on-write" as const }];
      const job = bench.job("head -c 3000000 /dev/zero > /work/source/a", { mounts });
      const ran = await bench.run({ ...job, limits: { ...job.limits, outputBytes: 1 << 20 } });
      expect(ran.outcome).toBe("output-limit");
    });

    test("W2: no user, control group or private view is left after a run", async () => {
      const mounts = [{ host: bench.fill("left", { a: "a" }), at: "/work/source", access: "copy-on-write" as const }];
      const ran = await bench.run(bench.job("mkdir -m 0 /work/source/closed /work/output/closed", { mounts }));
      expect(ran.outcome).toBe("succeeded");
      for (const path of ran.evidence.cgroup?.paths ?? []) expect(existsSync(path)).toBe(false);
      expect(readdirSync(join(bench.directory, "state", "sandbox", "steps"))).toEqual([]);
      expect(existsSync(`/run/touchmark/users/${ran.evidence.user.host}`)).toBe(false);
    });

    test("W8: processor time is bounded where a control group can", async () => {
      const ran = await bench.run(limited("cat /proc/self/cgroup", { cpus: 0.5 }));
      const bounded = ran.evidence.cgroup !== null && ran.evidence.cgroup.paths.some((path) => path.includes("cpu"));
      expect(bounded || ran.evidence.degraded.some((row) => row.code === "NO_CPU_CGROUP")).toBe(true);
    });
  });
}

test("W8: on this host the tests above met control groups as root", () => {
  const missing = missingFor("root");
  if (missing !== null || !existsSync("/sys/fs/cgroup")) return;
  expect(readFileSync("/proc/self/cgroup", "utf8")).not.toBe("");
});
