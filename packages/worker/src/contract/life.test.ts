import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { cases, openBench } from "../fixture.ts";
import { isAlive } from "../process-facts.ts";
import { reclaim } from "../reclaim.ts";

const strace = spawnSync("strace", ["--version"], { stdio: "ignore" }).status === 0;

/** Host processes whose command line holds a mark. */
function marked(mark: string): number[] {
  const found = spawnSync("pgrep", ["-f", mark], { encoding: "utf8" }).stdout;
  return found.split("\n").filter(Boolean).map(Number);
}

for (const { backend, caller, name, missing } of cases) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());

    const traced = [false, ...(strace ? [true] : [])];
    test.each(traced)(
      "W10: SIGKILL of the factory kills the sandbox (traced: %s), and reclaim removes what is left",
      async (withTracer) => {
        const mark = `31${Date.now()}`;
        const program = fileURLToPath(new URL("../fixture-life.ts", import.meta.url));
        const source = bench.fill(`source-${withTracer}`, { a: "a" });
        const job = bench.job(`echo changed > /work/source/a; setsid sleep ${mark} & sleep ${mark}; wait`, {
          mounts: [{ host: source, at: "/work/source", access: "copy-on-write" }],
        });
        const state = bench.make(`state-${withTracer}`);
        const factory = spawn(process.execPath, [program, backend, state, String(withTracer), JSON.stringify(job)], {
          ...bench.ids,
          stdio: ["ignore", "ignore", "inherit"],
          env: { PATH: process.env.PATH },
        });
        const sleepers = (): number => marked(`^sleep ${mark}$`).length;
        for (let i = 0; i < 400 && sleepers() < 2; i += 1) await sleep(50);
        const before = marked(mark);
        expect(sleepers()).toBe(2);
        factory.kill("SIGKILL");
        for (let i = 0; i < 200 && marked(mark).length > 0; i += 1) await sleep(20);
        expect(marked(mark)).toEqual([]);
        // Dead, and then reaped by whoever inherited them.
        for (let i = 0; i < 200 && before.some((pid) => isAlive(pid, null)); i += 1) await sleep(20);
        expect(before.every((pid) => !isAlive(pid, null))).toBe(true);
        const steps = join(state, "sandbox", "steps");
        expect(readdirSync(steps).length).toBe(1);
        expect(await reclaim(state)).toBeGreaterThanOrEqual(2);
        expect(readdirSync(steps)).toEqual([]);
        expect(readdirSync(join(state, "sandbox", "pipes"))).toEqual([]);
        const groups = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].filter((path) => existsSync(path));
        const ours = groups.flatMap((path) => readdirSync(path)).filter((name) => name.includes(`-${factory.pid}-`));
        expect(ours).toEqual([]);
        if (caller === "root") {
          const held = (): boolean =>
            readdirSync("/run/touchmark/users").some((name) =>
              readFileSync(`/run/touchmark/users/${name}`, "utf8").startsWith(`${factory.pid} `),
            );
          // A user is in use until the last of its dead has been reaped.
          for (let i = 0; i < 100 && held(); i += 1) {
            await sleep(50);
            await reclaim(state);
          }
          expect(held()).toBe(false);
        }
      },
    );

    test("W10: a factory that is killed while a sandbox is being made leaves nothing that starts by itself", async () => {
      const program = fileURLToPath(new URL("../fixture-life.ts", import.meta.url));
      const marks = Array.from({ length: 12 }, (_, index) => `33${Date.now()}${index + 10}`);
      const state = bench.make("state-early");
      const killed = async (mark: string, afterMs: number): Promise<void> => {
        const words = [program, backend, state, "false", JSON.stringify(bench.job(`sleep ${mark}`)), String(afterMs)];
        const factory = spawn(process.execPath, words, {
          ...bench.ids,
          stdio: "ignore",
          env: { PATH: process.env.PATH },
        });
        const [, signal] = await new Promise<[number, string]>((resolve) =>
          factory.once("exit", (...how) => resolve(how as [number, string])),
        );
        expect(signal).toBe("SIGKILL");
      };
      // A little later each time, over all that happens between the call and the command.
      for (let at = 0; at < marks.length; at += 3) {
        await Promise.all(marks.slice(at, at + 3).map((mark, index) => killed(mark, (at + index) * 4)));
      }
      const alive = (): number[] => marks.flatMap((mark) => marked(mark));
      for (let i = 0; i < 100 && alive().length > 0; i += 1) await sleep(50);
      // The command itself runs nowhere; the sandbox program may have left one process that waits for it.
      expect(marks.flatMap((mark) => marked(`^sleep ${mark}$`))).toEqual([]);
      await reclaim(state);
      for (let i = 0; i < 100 && alive().length > 0; i += 1) await sleep(20);
      expect(alive()).toEqual([]);
    }, 180_000);

    test("W2: a daemon that leaves its session and parent dies with the step", async () => {
      const mark = `32${Date.now()}`;
      const ran = await bench.run(
        bench.job(`(setsid sh -c 'setsid sleep ${mark} & sleep ${mark}' >/dev/null 2>&1 &) ; sleep 0.3; exit 0`),
      );
      expect(ran.outcome).toBe("succeeded");
      expect(marked(mark)).toEqual([]);
    });
  });
}
