import type { PipelineDefinition, StepDefinition } from "./definition.ts";
import { expressionsIn } from "./expression.ts";
import type { ImageDefinition } from "./image-definition.ts";
import { imageReferenceFault, parseImageReference } from "./image-reference.ts";
import { placeFault, relativeFault } from "./place.ts";
import type { Problems } from "./problems.ts";

type Path = readonly (string | number)[];

/** Notes what is wrong with the images of a pipeline, and with where its artifacts go. */
export function checkImages(pipeline: PipelineDefinition, problems: Problems): void {
  const root = ["pipelines", pipeline.name];
  const parameters = pipeline.parameters.map((parameter) => parameter.name);
  for (const step of pipeline.steps) checkStepImage(step, [...root, "steps", step.name], problems);
  for (const image of pipeline.images) {
    checkImage(image, [...root, "artifacts", image.name, "image"], pipeline, parameters, problems);
  }
  const artifacts = [...pipeline.artifacts, ...pipeline.images].map((artifact) => artifact.name);
  for (const [i, target] of pipeline.publish.entries()) {
    const path = [...root, "publish", i];
    if (!artifacts.includes(target.artifact)) {
      const found = JSON.stringify(target.artifact);
      problems.add(
        "PIPELINE_ARTIFACT_UNKNOWN",
        [...path, "artifact"],
        `expected one of ${artifacts.join(", ")}, found ${found}`,
      );
    }
    checkReference(target.to, [...path, "to"], problems, "repository");
    for (const [j, tag] of target.tags.entries()) checkExpressions(tag, [...path, "tags", j], parameters, problems);
  }
}

function checkStepImage(step: StepDefinition, path: Path, problems: Problems): void {
  if (step.image === undefined) {
    if (step.insecureImage) {
      const message = "expected a step with an image, found one that sees the host's files";
      problems.add("PIPELINE_VALUE_INVALID", [...path, "insecure-image"], message, "key");
    }
    return;
  }
  checkReference(step.image, [...path, "image"], problems, "image");
  const others: [string, boolean][] = [
    ["toolchains", step.toolchains.length > 0],
    ["insecure-process", step.insecureProcess],
  ];
  for (const [key, isThere] of others) {
    if (!isThere) continue;
    const message = "expected none beside image: what a step runs with comes from its image";
    problems.add("PIPELINE_VALUE_INVALID", [...path, key], message, "key");
  }
}

function checkImage(
  image: ImageDefinition,
  path: Path,
  pipeline: PipelineDefinition,
  parameters: readonly string[],
  problems: Problems,
): void {
  if (image.base !== "scratch") checkReference(image.base, [...path, "base"], problems, "base");
  const steps = pipeline.steps.map((step) => step.name);
  for (const [i, layer] of image.layers.entries()) {
    const at = [...path, "layers", i];
    if (!steps.includes(layer.from)) {
      const found = JSON.stringify(layer.from);
      problems.add("PIPELINE_STEP_UNKNOWN", [...at, "from"], `expected one of ${steps.join(", ")}, found ${found}`);
    }
    const fault = relativeFault(layer.path);
    if (fault) problems.add("PIPELINE_PATH_INVALID", [...at, "path"], `${fault}, found ${JSON.stringify(layer.path)}`);
    const place = layer.to === "/" ? undefined : placeFault(layer.to);
    if (place) problems.add("PIPELINE_PATH_INVALID", [...at, "to"], `${place}, found ${JSON.stringify(layer.to)}`);
    if (layer.platform !== undefined && !image.platforms.includes(layer.platform)) {
      const known = image.platforms.join(", ") || "the key platforms to name it";
      problems.add("PIPELINE_VALUE_INVALID", [...at, "platform"], `expected ${known}, found ${layer.platform}`);
    }
  }
  const directory = image.directory === undefined ? undefined : placeFault(image.directory);
  if (directory) problems.add("PIPELINE_PATH_INVALID", [...path, "directory"], directory);
  for (const [name, value] of Object.entries(image.environment)) {
    checkExpressions(value, [...path, "environment", name], parameters, problems);
  }
}

function checkReference(text: string, path: Path, problems: Problems, kind: "image" | "base" | "repository"): void {
  const fault = imageReferenceFault(text);
  if (fault !== undefined) {
    problems.add("PIPELINE_REFERENCE_INVALID", path, fault);
    return;
  }
  const { registry, tag, digest } = parseImageReference(text);
  if (kind === "repository" && (tag !== undefined || digest !== undefined)) {
    const message = `expected a repository alone, found ${JSON.stringify(text)}; tags stand in tags`;
    problems.add("PIPELINE_REFERENCE_INVALID", path, message);
  }
  if (kind === "base" && registry !== undefined && digest === undefined) {
    const message = `expected a base by digest (NAME@sha256:…), found ${JSON.stringify(text)}`;
    problems.add("PIPELINE_REFERENCE_INVALID", path, message);
  }
  if (kind === "image" && tag === undefined && digest === undefined) {
    const message = `expected an image by digest or tag, found ${JSON.stringify(text)}`;
    problems.add("PIPELINE_REFERENCE_INVALID", path, message);
  }
}

function checkExpressions(text: string, path: Path, parameters: readonly string[], problems: Problems): void {
  const { names, malformed } = expressionsIn(text);
  const wrong = [...malformed, ...names.filter((name) => !parameters.includes(name))];
  for (const one of wrong) {
    const found = JSON.stringify(one.slice(0, 80));
    problems.add(
      "PIPELINE_EXPRESSION_INVALID",
      path,
      `expected \${{ parameters.NAME }} of a declared one, found ${found}`,
    );
  }
}
