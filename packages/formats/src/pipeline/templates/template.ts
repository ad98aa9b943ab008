import type { PipelineDefinition } from "../definition.ts";
import { parsePipelineFile } from "../parse.ts";

/** A pipeline that projects begin with, and that theirs must still be like. */
export interface PipelineTemplate {
  readonly name: string;
  readonly title: string;
  /** For whom it is, and what it leaves open. */
  readonly description: string;
  /** Steps that a project may do without. */
  readonly optional: readonly string[];
  /** What is to be filled in, by its place in the text: `{{project}}`. */
  readonly blanks: Readonly<Record<string, { readonly description: string; readonly example: string }>>;
  /** A whole touchmark.yaml. */
  readonly text: string;
}

/** The template's file with its blanks filled in; examples stand where a value is missing. */
export function templateText(template: PipelineTemplate, values: Readonly<Record<string, string>> = {}): string {
  return template.text.replaceAll(/\{\{(\w+)\}\}/g, (_, blank: string) => {
    const given = Object.hasOwn(values, blank) ? values[blank] : undefined;
    return given ?? template.blanks[blank]?.example ?? blank;
  });
}

const parsed = new WeakMap<PipelineTemplate, PipelineDefinition>();

/** The template's pipeline, as the reader has it. */
export function templatePipeline(template: PipelineTemplate): PipelineDefinition {
  const known = parsed.get(template);
  if (known !== undefined) return known;
  const [pipeline] = parsePipelineFile(templateText(template), `template ${template.name}`).pipelines.values();
  if (pipeline === undefined) throw new TypeError(`the template ${template.name} has no pipeline`);
  parsed.set(template, pipeline);
  return pipeline;
}
