import { expect, test } from "vitest";
import { lintPipeline } from "../lint.ts";
import { parsePipelineFile } from "../parse.ts";
import { templateDifferences, templatesOf } from "./descent.ts";
import { templateText } from "./template.ts";
import { pipelineTemplate, pipelineTemplates } from "./templates.ts";

const read = (text: string) => {
  const file = parsePipelineFile(text, "touchmark.yaml");
  const [pipeline] = file.pipelines.values();
  if (pipeline === undefined) throw new Error("expected a pipeline");
  return { file, pipeline };
};
const node = pipelineTemplate("node-package");
const written = node === undefined ? "" : templateText(node, { project: "shop" });
const changed = (from: string | RegExp, to: string) => {
  const text = written.replace(from, to);
  expect(text).not.toBe(written);
  return read(text);
};

test.each(pipelineTemplates.map((template) => [template.name, template] as const))(
  "Y12: %s is a pipeline that descends from itself, and that the lint has nothing to say of",
  (name, template) => {
    const { file, pipeline } = read(templateText(template));
    expect([templatesOf(pipeline), templateDifferences(pipeline, template), lintPipeline(file)]).toEqual([
      [name],
      [],
      [],
    ]);
    expect(
      template.text
        .match(/\{\{(\w+)\}\}/g)
        ?.map((blank) => blank.slice(2, -2))
        .filter((blank) => !(blank in template.blanks)),
    ).toEqual([]);
  },
);

test("Y12: blanks are filled in; an example stands where a value is missing", () => {
  expect(written).toContain("project: shop\n");
  expect(written).not.toContain("{{");
  expect(pipelineTemplate("cobol-program")).toBeUndefined();
});

test("Y13: a pipeline may do without optional steps, have its own commands, and add sealed steps", () => {
  expect(templatesOf(changed(/ {6}test:[\s\S]*?(?= {6}build:)/, "").pipeline)).toEqual(["node-package"]);
  expect(templatesOf(changed("command: [npm, test]", "command: [npm, run, verify]").pipeline)).toEqual([
    "node-package",
  ]);
  const added = changed(
    "    artifacts:",
    "      docs:\n        command: [make, docs]\n        inputs: { source: /work/source }\n    artifacts:",
  );
  expect(templatesOf(added.pipeline)).toEqual(["node-package"]);
});

test.each([
  ["no step build", / {6}build:/, "      pack:", "steps", /has no step build/],
  [
    "a network in the build",
    "      build:\n",
    "      build:\n        network: fetch\n",
    "steps.build.network",
    /has a network/,
  ],
  ["another client", "[npm, ci,", "[pnpm, install,", "steps.fetch", /fetches with pnpm, not with npm/],
  ["a test that does not read what was fetched", / {10}fetch: .*\n/, "", "steps.test.inputs", /does not read fetch/],
  [
    "a step without a sandbox",
    "      build:\n",
    "      build:\n        insecure-process: true\n",
    "steps.build.insecure-process",
    /without a sandbox/,
  ],
  [
    "an artifact of another step",
    "from: build, path: package.tgz",
    "from: test, path: package.tgz",
    "artifacts",
    /delivers nothing of step build/,
  ],
  ["no analysis", "    artifacts:\n", "    analyse: false\n    artifacts:\n", "analyse", /analysed/],
  [
    "a further step that fetches by what another made",
    "    artifacts:",
    "      more:\n        command: [npm, ci]\n        inputs: { build: /work/build }\n        network: fetch\n    artifacts:",
    "steps.more.network",
    /fetches and reads build/,
  ],
] as const)("Y13: %s is a difference, and the lint says where", (_, from, to, path, message) => {
  const text = written
    .replace(from, to)
    .replace("from: build, path: package.tgz", (kept) => (path === "steps" ? "from: pack, path: package.tgz" : kept));
  const { file, pipeline } = read(text);
  expect(templatesOf(pipeline)).toEqual([]);
  expect(node === undefined ? [] : templateDifferences(pipeline, node).map((each) => each.path.join("."))).toContain(
    path,
  );
  const drift = lintPipeline(file).filter(({ rule }) => rule === "template-drift");
  expect(drift.map((each) => each.message).join("\n")).toMatch(message);
  expect(drift[0]?.line).toBeGreaterThan(1);
});

test("Y13: a template that there is not is an error of the lint, and no template nothing", () => {
  const unknown = changed("template: node-package", "template: node-packages");
  expect(templatesOf(unknown.pipeline)).toEqual([]);
  expect(lintPipeline(unknown.file).map(({ rule, severity }) => [rule, severity])).toEqual([
    ["template-unknown", "error"],
  ]);
  const none = changed("    template: node-package\n", "");
  expect([templatesOf(none.pipeline), lintPipeline(none.file)]).toEqual([[], []]);
});
