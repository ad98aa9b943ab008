import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Scene, statementsOf } from "../fixture.ts";

const missing = missingForRuns();

describe.skipIf(missing !== null)("reports of steps", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  const pipelineOf = (script: string, report: string): string => `
    steps:
      test:
        run: ${JSON.stringify(script)}
        inputs: { source: /work/source }
        reports: [${report}]
    artifacts:
      log: { from: test, path: log, kind: file }
`;
  const writing = (report: string): string =>
    `echo done > "$TOUCHMARK_OUTPUT/log"; printf '%s' '${report}' > "$TOUCHMARK_OUTPUT/report.xml"`;
  const good = `<testsuite><testcase name="one"/><testcase name="two"><failure message="no"/></testcase></testsuite>`;
  const junit = "{ path: report.xml, kind: junit }";

  test("A9: a report is read by the control plane and signed as the step's own word, bound to output and revision, also from the cache", async () => {
    const project = scene.project("reporting", pipelineOf(writing(good), junit));
    const first = await scene.run(project);
    const [statement] = await statementsOf(scene, first.run, "step-report");
    expect(statement?.predicate).toMatchObject({
      label: "reported by the step",
      ...{ step: "test", path: "report.xml", kind: "junit", format: "junit-xml" },
      revision: first.source.commit,
      output: first.steps[0]?.output,
      failures: ["two: no"],
    });
    expect(statement?.subjects).toEqual([{ name: "report.xml", digest: expect.anything() }]);
    const second = await scene.run(project);
    expect(second.steps[0]?.cached).toBe(true);
    expect(await statementsOf(scene, second.run, "step-report")).toHaveLength(1);
  });

  test("A10: a report that is missing or none refuses the step, unless it need not be there", async () => {
    const nothing = `echo done > "$TOUCHMARK_OUTPUT/log"`;
    const absent = await scene.run(scene.project("absent", pipelineOf(nothing, junit)));
    expect(absent).toMatchObject({ status: "refused", steps: [{ error: { code: "STEP_REPORT_MISSING" } }] });
    const broken = await scene.run(scene.project("broken", pipelineOf(writing("<html/>"), junit)));
    expect(broken).toMatchObject({ status: "refused", steps: [{ error: { code: "STEP_REPORT_MALFORMED" } }] });
    const linked = `echo done > "$TOUCHMARK_OUTPUT/log"; ln -s log "$TOUCHMARK_OUTPUT/report.xml"`;
    const link = await scene.run(scene.project("linked", pipelineOf(linked, junit)));
    expect(link).toMatchObject({ status: "refused", steps: [{ error: { code: "STEP_REPORT_MISSING" } }] });
    const optional = await scene.run(
      scene.project("optional", pipelineOf(nothing, "{ path: report.xml, kind: junit, required: false }")),
    );
    expect(optional.status).toBe("succeeded");
  });
});
