import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Worker, WorkerProbe } from "@touchmark/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeOf, openScene, type Scene } from "./fixture.ts";
import { sandboxProfile } from "./sandbox-profile.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

function workerWith(probe: Partial<WorkerProbe>): { worker: Worker; asked: () => number } {
  let asked = 0;
  const full: WorkerProbe = {
    backend: "bubblewrap",
    backendVersion: "1",
    tier: "sandbox-own-user",
    degraded: [],
    missing: [],
    facts: {},
    ...probe,
  };
  const probeOnce = async () => {
    asked++;
    return full;
  };
  return { worker: { probe: probeOnce, run: () => Promise.reject(new Error("no step runs")) }, asked: () => asked };
}

test("R15: where no sandbox can be made no step runs, and the reader learns what is missing", async () => {
  const { worker } = workerWith({
    tier: null,
    missing: [{ name: "bubblewrap", why: "it makes the sandbox", remedy: "apt-get install bubblewrap" }],
  });
  const profile = sandboxProfile(scene.factory, worker);
  expect(await codeOf(profile.ready())).toBe("ISOLATION_BELOW_DEMAND");
  await expect(profile.ready()).rejects.toMatchObject({ nature: "refused", hint: "apt-get install bubblewrap" });
});

test.skipIf(process.platform !== "linux")(
  "R15: a host's sandbox is tried once, and remembered for runs that need none",
  async () => {
    const first = workerWith({});
    const digest = await sandboxProfile(scene.factory, first.worker).digest();
    expect(first.asked()).toBe(1);
    const second = workerWith({});
    const remembered = sandboxProfile(scene.factory, second.worker);
    const path = join(scene.factory.home.paths.cache, "sandbox-profile.json");
    if (remembered.isRemembered) {
      expect(await remembered.digest()).toBe(digest);
      expect(second.asked()).toBe(0);
      // A host that came to be weaker is found out before the first step, and the key changes with it.
      const weaker = workerWith({ tier: "sandbox-same-user" });
      const changed = sandboxProfile(scene.factory, weaker.worker);
      await changed.ready();
      expect(await changed.digest()).not.toBe(digest);
      // Another kernel, another program, or damage: tried again.
      writeFileSync(path, readFileSync(path, "utf8").replace(/"host":"sha256:.{8}/, '"host":"sha256:00000000'));
      expect(sandboxProfile(scene.factory, second.worker).isRemembered).toBe(false);
      writeFileSync(path, "{");
      expect(sandboxProfile(scene.factory, second.worker).isRemembered).toBe(false);
    } else expect(second.asked()).toBe(0);
  },
);
