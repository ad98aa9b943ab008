import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle, mountOrder, orderSteps } from "./order.ts";
import { resolveEnvironment, resolveParameters, selectPipeline } from "./parameters.ts";
import { parsePipelineFile } from "./parse.ts";
import { parseBytes, parseDuration } from "./quantity.ts";

const step = (name: string, ...from: string[]) => ({ name, inputs: from.map((f) => ({ from: f })) });

test("Y3: each step stands after what it reads, free ones in the order of the file", () => {
  const steps = [step("c", "a", "b"), step("a", "source"), step("d"), step("b", "a")];
  expect(orderSteps(steps).map((s) => s.name)).toEqual(["a", "b", "c", "d"]);
  expect(findCycle(steps)).toBeUndefined();
  expect(findCycle([step("a", "b"), step("b", "c"), step("c", "b")])).toEqual(["b", "c", "b"]);
  expect(findCycle([step("a", "a")])).toEqual(["a", "a"]);
});

test("Y3: any graph without cycle is ordered, whole and correctly", () => {
  const graph = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat()), (edges, random) => {
      const steps = edges.map((row, i) => step(`s${i}`, ...row.filter((j) => j < i).map((j) => `s${j}`)));
      steps.sort(() => ((random.next().value ?? 0) % 2 === 0 ? 1 : -1));
      const done = new Set<string>();
      for (const one of orderSteps(steps)) {
        for (const input of one.inputs) expect(done.has(input.from)).toBe(true);
        done.add(one.name);
      }
      expect(done.size).toBe(steps.length);
    }),
  );
});

test("Y3: a chain of ten thousand steps is ordered without deep recursion", () => {
  const steps = Array.from({ length: 10_000 }, (_, i) => step(`s${i}`, `s${i + 1}`));
  expect(orderSteps(steps)[0]?.name).toBe("s9999");
  expect(findCycle(steps)).toBeUndefined();
});

test("Y5: outer places are mounted before what lies inside them", () => {
  const at = (path: string) => ({ from: path, at: path, access: "read-only" as const });
  expect(mountOrder([at("/work/a/b/c"), at("/work/z"), at("/work/a")]).map((m) => m.at)).toEqual([
    "/work/a",
    "/work/z",
    "/work/a/b/c",
  ]);
});

test("Y6: quantities are exact, and nothing else is one", () => {
  expect(["1B", "2KiB", "3MiB", "2GiB", "1TiB", "5kB", "5MB", "5GB"].map(parseBytes)).toEqual([
    1,
    2048,
    3145728,
    2 ** 31,
    2 ** 40,
    5000,
    5e6,
    5e9,
  ]);
  expect(["60s", "10m", "2h"].map(parseDuration)).toEqual([60, 600, 7200]);
  for (const bad of ["", "0B", "1", "1.5GiB", "-1B", "1 GiB", "1gib", "01B", "999999999TiB"])
    expect(parseBytes(bad)).toBeUndefined();
  for (const bad of ["", "0s", "10", "1d", "1m30s", "-1s"]) expect(parseDuration(bad)).toBeUndefined();
});

const file = parsePipelineFile(
  `touchmark: pipeline/v1
project: p
pipelines:
  release:
    parameters:
      tag: { type: string, pattern: "v[0-9]+" }
      count: { type: integer, default: 2 }
      fast: { type: boolean, default: false }
      level: { type: string, default: a, enum: [a, b] }
    steps:
      s: { command: [x], environment: { TAG: "\${{ parameters.tag }}-\${{parameters.count}}" } }
`,
  "f",
);
const pipeline = selectPipeline(file);

test("Y7: values are checked by type, pattern and enum, and reach a step as variables", () => {
  const values = resolveParameters(pipeline, { tag: "v1" });
  expect({ ...values }).toEqual({ tag: "v1", count: "2", fast: "false", level: "a" });
  const [only] = pipeline.steps;
  expect(only && resolveEnvironment(only, values)).toEqual({
    TOUCHMARK_PARAM_TAG: "v1",
    TOUCHMARK_PARAM_COUNT: "2",
    TOUCHMARK_PARAM_FAST: "false",
    TOUCHMARK_PARAM_LEVEL: "a",
    TAG: "v1-2",
  });
});

test.each([
  [{}, "PARAMETER_MISSING"],
  [{ tag: "v1", tga: "x" }, "PARAMETER_UNKNOWN"],
  [{ tag: "v1", constructor: "x" }, "PARAMETER_UNKNOWN"],
  [{ tag: "v1\nx" }, "PARAMETER_INVALID"],
  [{ tag: "xv1" }, "PARAMETER_INVALID"],
  [{ tag: "v1", count: "2.5" }, "PARAMETER_INVALID"],
  [{ tag: "v1", count: "0x10" }, "PARAMETER_INVALID"],
  [{ tag: "v1", fast: "yes" }, "PARAMETER_INVALID"],
  [{ tag: "v1", level: "c" }, "PARAMETER_INVALID"],
])("Y7: %j is refused as %s", (given, code) => {
  expect(() => resolveParameters(pipeline, given)).toThrow(expect.objectContaining({ code }));
});

test("Y7: the only pipeline needs no name, another name is refused with the nearest", () => {
  expect(pipeline.name).toBe("release");
  expect(() => selectPipeline(file, "relaese")).toThrow(
    expect.objectContaining({ code: "PIPELINE_UNKNOWN", hint: expect.stringContaining('"release"') }),
  );
});
