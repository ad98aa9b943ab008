import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pipelineSchema } from "./json-schema.ts";
import { lintPipeline } from "./lint.ts";
import { parsePipelineFile } from "./parse.ts";

const root = new URL("../../../../", import.meta.url);
const published = fileURLToPath(new URL("docs/formats/pipeline.schema.json", root));

test("Y9: docs/formats/pipeline.schema.json is what the reader's schema says (UPDATE_SCHEMAS=1 writes it)", () => {
  const text = `${JSON.stringify(pipelineSchema(), null, 2)}\n`;
  if (process.env["UPDATE_SCHEMAS"] === "1") writeFileSync(published, text);
  expect(readFileSync(published, "utf8")).toBe(text);
});

test("Y9: every key has a description, and unknown keys are refused everywhere", () => {
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { properties, additionalProperties } = node as {
      properties?: Record<string, object>;
      additionalProperties?: unknown;
    };
    if (properties) {
      expect(additionalProperties, path).toBe(false);
      for (const [name, property] of Object.entries(properties))
        expect(property, `${path}.${name}`).toHaveProperty("description");
    }
    for (const [key, value] of Object.entries(node)) if (key !== "examples") walk(value, `${path}/${key}`);
  };
  walk(pipelineSchema(), "");
});

const page = readFileSync(new URL("docs/pipeline.md", root), "utf8");
const examples = [...page.matchAll(/```yaml\n(touchmark: [\s\S]*?)```/g)].map((match) => match[1] ?? "");

test("Y9: docs/pipeline.md has examples", () => {
  expect(examples.length).toBeGreaterThan(2);
});

test.each(examples)("Y9: an example of docs/pipeline.md is read, and the lint finds no error in it: %#", (example) => {
  expect(
    lintPipeline(parsePipelineFile(example, "docs/pipeline.md")).filter((finding) => finding.severity === "error"),
  ).toEqual([]);
});

test("Y9: docs/pipeline.md names every rule of the lint and every key", async () => {
  const { lintRules } = await import("./lint-rules.ts");
  for (const rule of Object.keys(lintRules)) expect(page).toContain(`\`${rule}\``);
  const keys = (node: unknown): string[] =>
    typeof node !== "object" || node === null
      ? []
      : Object.entries(node).flatMap(([key, value]) => [
          ...(key === "properties" ? Object.keys(value as object) : []),
          ...keys(value),
        ]);
  for (const key of keys(pipelineSchema())) expect(page).toMatch(new RegExp(`\`${key}[\`:]`));
});
