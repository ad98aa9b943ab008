import type { PipelineDefinition, StepDefinition } from "../definition.ts";
import { type PipelineTemplate, templatePipeline } from "./template.ts";
import { pipelineTemplate } from "./templates.ts";

/** Where a pipeline is no longer like a template. */
export interface TemplateDifference {
  /** Below the pipeline: `steps.build.network`. */
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * How a pipeline differs from a template in what the template is for: its steps are there, see what they should see
 * and have no more network, and what fetches is the same client; what is delivered comes from the same step; nothing that was added is unsealed, or fetches
 * by what other steps made. Commands, environments, limits and further sealed steps are the project's own.
 */
export function templateDifferences(
  pipeline: PipelineDefinition,
  template: PipelineTemplate,
): readonly TemplateDifference[] {
  const wanted = templatePipeline(template);
  const steps = new Map(pipeline.steps.map((step) => [step.name, step]));
  const present = new Set(pipeline.steps.map(({ name }) => name));
  const differences: TemplateDifference[] = [];
  for (const expected of wanted.steps) {
    const step = steps.get(expected.name);
    if (step !== undefined) differences.push(...stepDifferences(step, expected, present));
    else if (!template.optional.includes(expected.name)) {
      differences.push({ path: ["steps"], message: `has no step ${expected.name}` });
    }
  }
  const known = new Set(wanted.steps.map(({ name }) => name));
  for (const step of pipeline.steps) {
    if (!known.has(step.name)) differences.push(...additionDifferences(step));
    differences.push(...sealDifferences(step));
  }
  return [...differences, ...deliveryDifferences(pipeline, wanted)];
}

/** The template that a pipeline names, when it descends from it; none otherwise. */
export function templatesOf(pipeline: PipelineDefinition): readonly string[] {
  const template = pipeline.template === undefined ? undefined : pipelineTemplate(pipeline.template);
  if (template === undefined || templateDifferences(pipeline, template).length > 0) return [];
  return [template.name];
}

/** The program that a step starts with. */
function programOf({ script, command }: StepDefinition): string {
  return (script === undefined ? command[0] : /\S+/.exec(script)?.[0]) ?? "";
}

function stepDifferences(
  step: StepDefinition,
  expected: StepDefinition,
  present: ReadonlySet<string>,
): readonly TemplateDifference[] {
  const path = ["steps", step.name];
  const reads = new Set(step.inputs.map(({ from }) => from));
  const missing = expected.inputs.map(({ from }) => from).filter((from) => !reads.has(from));
  return [
    ...(step.network === "fetch" && expected.network === "none"
      ? [{ path: [...path, "network"], message: `step ${step.name} has a network, and none in the template` }]
      : []),
    ...(expected.network === "fetch" && programOf(step) !== programOf(expected)
      ? [{ path, message: `step ${step.name} fetches with ${programOf(step)}, not with ${programOf(expected)}` }]
      : []),
    ...missing
      // A step that the project does without cannot be read.
      .filter((from) => from === "source" || present.has(from))
      .map((from) => ({ path: [...path, "inputs"], message: `step ${step.name} does not read ${from}` })),
  ];
}

function additionDifferences(step: StepDefinition): readonly TemplateDifference[] {
  const others = step.inputs.map(({ from }) => from).filter((from) => from !== "source");
  if (step.network === "none" || others.length === 0) return [];
  const message = `step ${step.name}, which the template does not have, fetches and reads ${others.join(", ")}`;
  return [{ path: ["steps", step.name, "network"], message }];
}

function sealDifferences(step: StepDefinition): readonly TemplateDifference[] {
  const path = ["steps", step.name];
  return [
    ...(step.insecureProcess
      ? [{ path: [...path, "insecure-process"], message: `step ${step.name} runs without a sandbox` }]
      : []),
    ...(step.insecureImage
      ? [{ path: [...path, "insecure-image"], message: `nobody vouches for the image of step ${step.name}` }]
      : []),
  ];
}

function deliveryDifferences(pipeline: PipelineDefinition, wanted: PipelineDefinition): readonly TemplateDifference[] {
  const differences: TemplateDifference[] = [];
  const sources = (of: PipelineDefinition) => new Set(of.artifacts.map(({ from }) => from));
  const layers = (of: PipelineDefinition) =>
    new Set(of.images.flatMap((image) => image.layers.map(({ from }) => from)));
  for (const from of sources(wanted)) {
    if (!sources(pipeline).has(from))
      differences.push({ path: ["artifacts"], message: `delivers nothing of step ${from}` });
  }
  for (const from of layers(wanted)) {
    if (!layers(pipeline).has(from)) differences.push({ path: ["artifacts"], message: `has no image of step ${from}` });
  }
  if (wanted.analyse.wanted && !pipeline.analyse.wanted) {
    differences.push({ path: ["analyse"], message: "does not have its artifacts analysed" });
  }
  return differences;
}
