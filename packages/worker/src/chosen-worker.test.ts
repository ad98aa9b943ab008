import { afterAll, describe, expect, test } from "vitest";
import { backendWorker, chosenWorker, sandboxBackends } from "./chosen-worker.ts";
import { missingFor, openBench } from "./fixture.ts";
import { ociRuntimeWorker } from "./oci-runtime.ts";

const caller = process.getuid?.() === 0 ? "root" : "user";
const missing = missingFor(caller);

describe.skipIf(missing !== null)(`on this host${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const bench = openBench(caller);
  afterAll(() => bench.close());

  test("W17: bubblewrap is taken where it works, a backend that was asked for whatever it can, and the reason is given", async () => {
    const first = chosenWorker({ stateDirectory: bench.make("first") });
    expect(await first.choice()).toMatchObject({ probe: { backend: "bubblewrap" }, passed: [] });
    expect((await first.choice()).why).toContain("costs a step least");
    expect((await first.run(bench.job("true"))).evidence.backend).toBe("bubblewrap");
    await first.close();
    const asked = chosenWorker({ stateDirectory: bench.make("asked"), backend: "crun" });
    expect(await asked.choice()).toMatchObject({ probe: { backend: "crun" }, why: "it was asked for" });
    await asked.close();
  });

  test("W17: without bubblewrap the next that works is taken, and it says which could not", async () => {
    const probes = await Promise.all(
      sandboxBackends.map(async (backend) => {
        const worker = backendWorker(backend, bench.make(`trial-${backend}`));
        const probe = backend === "bubblewrap" ? { backend, tier: null } : await worker.probe();
        await worker.close();
        return probe;
      }),
    );
    const next = probes.find((probe) => probe.tier !== null);
    const chosen = chosenWorker({ stateDirectory: bench.make("next"), programs: { bwrap: "/bin/false" } });
    const choice = await chosen.choice();
    if (next === undefined) expect(choice).toMatchObject({ probe: { tier: null }, why: "no backend works here" });
    else {
      expect(choice.probe).toMatchObject({ backend: next.backend, tier: next.tier });
      expect(choice.why).toContain("bubblewrap");
      expect(choice.passed[0]).toMatchObject({ backend: "bubblewrap", tier: null });
    }
    await chosen.close();
  });

  test.skipIf(process.getuid?.() !== 0)(
    "W16: a runc that leaks the host's files is unavailable (skipped unless root)",
    async () => {
      const worker = ociRuntimeWorker({
        runtime: "runc",
        stateDirectory: bench.make("leaky"),
        programs: { runtime: "/bin/true" },
      });
      await expect(worker.run(bench.job("true"))).rejects.toMatchObject({
        code: "WORKER_RUNTIME_UNAVAILABLE",
        message: expect.stringContaining("CVE-2024-21626"),
      });
      await worker.close();
    },
  );

  test("W16: a runtime that is not there, or makes no container, is unavailable and says what would help", async () => {
    for (const program of ["/nonexistent/runc", "/bin/false", "/bin/true"]) {
      const stateDirectory = bench.make(`program-${program.split("/").at(-1)}-${program.length}`);
      const worker = ociRuntimeWorker({ runtime: "crun", stateDirectory, programs: { runtime: program } });
      const probe = await worker.probe();
      expect(probe).toMatchObject({ backend: "crun", tier: null, missing: [{ name: "crun" }] });
      await expect(worker.run(bench.job("true"))).rejects.toMatchObject({ code: "WORKER_RUNTIME_UNAVAILABLE" });
      await worker.close();
    }
  });
});
