import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, missingForRuns, openScene, type Performed, type Scene } from "./fixture.ts";
import { tracedPaths } from "./traced-paths.ts";

const missing = missingForRuns();
const body = `
  steps:
    make: { run: 'cat hello > "$TOUCHMARK_OUTPUT/out"', inputs: { source: /work/source } }
  artifacts:
    out: { from: make, path: out, kind: file }
`;

describe.skipIf(missing !== null)(`traces${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let scene: Scene;
  let done: Performed;
  beforeAll(async () => {
    scene = await openScene();
    done = await scene.run(scene.project("traced", body, { hello: "hello\n" }));
  });
  afterAll(() => scene.close());

  test("TR1: what a step read and executed is told by its verified trace", async () => {
    const traced = await tracedPaths(scene.factory, "latest", "make");
    expect(traced).toMatchObject({ run: done.run, step: "make", complete: true });
    expect(traced.paths).toContain("/work/source/hello");
    expect(traced.paths.some((path) => path.endsWith("/cat"))).toBe(true);
    expect(traced.paths).toEqual([...traced.paths].sort());
  });

  test("TR1: without a trace, or with one that is lost, nothing is told", async () => {
    expect(await codeOf(tracedPaths(scene.factory, "latest", "other"))).toBe("EVIDENCE_MISSING");
    expect(await codeOf(tracedPaths(scene.factory, "nowhere", "make"))).toBe("RUN_UNKNOWN");
    const { bundle } = await tracedPaths(scene.factory, "latest", "make");
    rmSync(scene.factory.content.path(bundle), { force: true });
    expect(await codeOf(tracedPaths(scene.factory, "latest", "make"))).toMatch(/^STORE_/);
  });
});
