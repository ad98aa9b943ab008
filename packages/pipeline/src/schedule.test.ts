import fc from "fast-check";
import { expect, test } from "vitest";
import { schedule, type Task } from "./schedule.ts";

const never = new AbortController().signal;

/** Random acyclic graphs: a task waits only for tasks before it. */
const graphs = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((rows) =>
    rows.map((row, i): Task => ({ name: `t${i}`, after: i === 0 ? [] : [...new Set(row.map((n) => `t${n % i}`))] })),
  );

test("R1: every task runs once, after all that it waits for, and never more than `jobs` at once", async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.integer({ min: 1, max: 4 }), async (tasks, jobs) => {
      const ended: string[] = [];
      let atOnce = 0;
      const left = await schedule(tasks, jobs, never, async (task) => {
        atOnce++;
        expect(atOnce).toBeLessThanOrEqual(jobs);
        expect(task.after.every((name) => ended.includes(name))).toBe(true);
        await Promise.resolve();
        atOnce--;
        ended.push(task.name);
        return "done";
      });
      expect(left).toEqual([]);
      expect([...ended].sort()).toEqual(tasks.map((task) => task.name).sort());
    }),
  );
});

test("R1: what waits for a stopped task never starts, the rest does", async () => {
  const tasks: Task[] = [
    { name: "a", after: [] },
    { name: "b", after: ["a"] },
    { name: "c", after: ["b"] },
    { name: "d", after: [] },
  ];
  const ran: string[] = [];
  const left = await schedule(tasks, 2, never, async (task) => {
    ran.push(task.name);
    return task.name === "a" ? "stopped" : "done";
  });
  expect(ran.sort()).toEqual(["a", "d"]);
  expect(left).toEqual(["b", "c"]);
});

test("R1: an exception is rethrown after all that runs has ended; an aborted run starts nothing", async () => {
  let ended = false;
  const tasks: Task[] = [
    { name: "a", after: [] },
    { name: "b", after: [] },
  ];
  const slow = schedule(tasks, 2, never, async (task) => {
    if (task.name === "a") throw new Error("boom");
    await new Promise((resolve) => setTimeout(resolve, 20));
    ended = true;
    return "done";
  });
  await expect(slow).rejects.toThrow("boom");
  expect(ended).toBe(true);
  expect(await schedule(tasks, 2, AbortSignal.abort(), async () => "done")).toEqual(["a", "b"]);
});
