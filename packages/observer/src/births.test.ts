import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchBirths } from "./births.ts";

describe("births", () => {
  const birth = (child: number, line = 0) => ({ parent: 10, child, thread: false, line, inStep: true });
  const task = (tid: number, firstLine = 0) => ({ tid, firstLine, inStep: true });

  test("O15: numbers of the host are matched as they are", () => {
    const tasks = [task(12), task(11)];
    const { births } = matchBirths([birth(11), birth(12)], tasks);
    expect(tasks.map((each) => births.get(each)?.child)).toEqual([12, 11]);
  });

  test("O15: numbers of a namespace are matched by their order, in whatever order the lines came", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.nat(3)), (count, gaps) => {
        let [child, tid] = [2, 500];
        const rows = Array.from({ length: count }, (_, line) => {
          child += 1 + (gaps.next().value as number);
          tid += 1 + (gaps.next().value as number);
          return { birth: birth(child, line), task: task(tid, line) };
        });
        const shuffled = [...rows].sort((a, b) => ((a.task.tid * 7) % 13) - ((b.task.tid * 7) % 13));
        const { births, unborn, unseen } = matchBirths(
          rows.map((row) => row.birth),
          shuffled.map((row) => row.task),
        );
        expect([unborn, unseen]).toEqual([[], []]);
        for (const row of rows) expect(births.get(row.task)).toBe(row.birth);
      }),
    );
  });

  test("O15: numbering that begins again is followed", () => {
    const tasks = [task(32766, 1), task(32767, 2), task(300, 3), task(301, 4)];
    const { births } = matchBirths([birth(5, 1), birth(6, 2), birth(7, 3), birth(8, 4)], tasks);
    expect(tasks.map((each) => births.get(each)?.child)).toEqual([5, 6, 7, 8]);
  });

  test("O15: what is left over is told apart", () => {
    expect(matchBirths([], [task(5)]).unborn).toEqual([task(5)]);
    expect(matchBirths([birth(3)], []).unseen).toEqual([birth(3)]);
  });
});
