import type { ParameterDefinition, PipelineDefinition, StepDefinition } from "./definition.ts";
import { expressionsIn, holdsExpression } from "./expression.ts";
import { checkImages } from "./image-validity.ts";
import { nearestName } from "./nearest.ts";
import { findCycle } from "./order.ts";
import { parameterFault } from "./parameters.ts";
import { isInside, placeFault, relativeFault, reservedPlace } from "./place.ts";
import type { Problems } from "./problems.ts";

/** Notes what is wrong with a pipeline beyond the shapes of its parts. */
export function checkPipeline(pipeline: PipelineDefinition, problems: Problems): void {
  const root = ["pipelines", pipeline.name];
  const stepNames = pipeline.steps.map((step) => step.name);
  if (stepNames.length === 0) problems.add("PIPELINE_VALUE_INVALID", [...root, "steps"], "expected at least one step");
  checkCase(stepNames, [...root, "steps"], problems);
  checkCase(
    [...pipeline.artifacts, ...pipeline.images].map((a) => a.name),
    [...root, "artifacts"],
    problems,
  );
  for (const parameter of pipeline.parameters)
    checkParameter(parameter, [...root, "parameters", parameter.name], problems);
  const parameterNames = pipeline.parameters.map((p) => p.name);
  for (const step of pipeline.steps)
    checkStep(step, [...root, "steps", step.name], stepNames, parameterNames, problems);

  checkImages(pipeline, problems);

  const cycle = findCycle(pipeline.steps);
  if (cycle) {
    const [first = "", second = ""] = cycle;
    problems.add(
      "PIPELINE_CYCLE",
      [...root, "steps", first, "inputs", second],
      `the steps need each other: ${cycle.join(" needs ")}`,
      "key",
    );
  }

  for (const artifact of pipeline.artifacts) {
    const path = [...root, "artifacts", artifact.name];
    if (!stepNames.includes(artifact.from)) {
      problems.add("PIPELINE_STEP_UNKNOWN", [...path, "from"], unknownStep(artifact.from, stepNames));
    }
    const fault = relativeFault(artifact.path);
    if (fault)
      problems.add("PIPELINE_PATH_INVALID", [...path, "path"], `${fault}, found ${JSON.stringify(artifact.path)}`);
    if (artifact.path === "." && artifact.kind !== "directory") {
      problems.add(
        "PIPELINE_VALUE_INVALID",
        [...path, "path"],
        `expected a file for the kind ${artifact.kind}, found the whole output`,
      );
    }
  }
}

function checkCase(names: readonly string[], path: readonly (string | number)[], problems: Problems): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      problems.add(
        "PIPELINE_NAME_INVALID",
        [...path, name],
        `expected a name that differs from ${JSON.stringify(other)} in more than case`,
        "key",
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}

function checkParameter(parameter: ParameterDefinition, path: readonly (string | number)[], problems: Problems): void {
  if (parameter.pattern !== undefined) {
    if (parameter.type !== "string") {
      problems.add(
        "PIPELINE_VALUE_INVALID",
        [...path, "pattern"],
        "expected a pattern for parameters of type string alone",
      );
    }
    // A group under two repetitions can take exponential time on a hostile value.
    const fault = patternFault(parameter.pattern);
    if (fault) {
      problems.add("PIPELINE_VALUE_INVALID", [...path, "pattern"], fault);
      return;
    }
  }
  const plain = { type: parameter.type, ...(parameter.pattern === undefined ? {} : { pattern: parameter.pattern }) };
  for (const [i, value] of (parameter.enum ?? []).entries()) {
    const fault = parameterFault(plain, value);
    if (fault)
      problems.add("PIPELINE_VALUE_INVALID", [...path, "enum", i], `expected ${fault}, found ${JSON.stringify(value)}`);
  }
  const fault = parameter.default === undefined ? undefined : parameterFault(parameter, parameter.default);
  if (fault)
    problems.add(
      "PIPELINE_VALUE_INVALID",
      [...path, "default"],
      `expected ${fault}, found ${JSON.stringify(parameter.default)}`,
    );
}

function patternFault(pattern: string): string | undefined {
  try {
    RegExp(`^(?:${pattern})$`, "u");
  } catch {
    return `expected a regular expression, found ${JSON.stringify(pattern.slice(0, 80))}`;
  }
  if (
    /\((?:[^()\\]|\\.|\([^()]*\))*[*+}](?:[^()\\]|\\.|\([^()]*\))*\)[*+{]/.test(pattern) ||
    /\\[1-9]|\\k</.test(pattern)
  ) {
    return "expected a pattern without a repetition inside a repeated group and without back references";
  }
  return undefined;
}

function checkStep(
  step: StepDefinition,
  path: readonly (string | number)[],
  stepNames: readonly string[],
  parameterNames: readonly string[],
  problems: Problems,
): void {
  if (step.name === "source") {
    problems.add("PIPELINE_NAME_INVALID", path, 'expected another name: "source" is the source revision', "key");
  }
  const texts: [(string | number)[], string][] = [
    ...(step.script === undefined
      ? step.command.map((argument, i): [(string | number)[], string] => [["command", i], argument])
      : [[["run"], step.script] as [(string | number)[], string]]),
    [["directory"], step.directory],
    [["output"], step.output],
    ...step.inputs.map((input): [(string | number)[], string] => [["inputs", input.from], input.at]),
  ];
  for (const [at, text] of texts) {
    if (!holdsExpression(text)) continue;
    problems.add(
      "PIPELINE_EXPRESSION_INVALID",
      [...path, ...at],
      "expected text without ${{ … }}: a parameter reaches a command as the variable TOUCHMARK_PARAM_NAME, never as part of its text",
    );
  }
  checkEnvironment(step, path, parameterNames, problems);
  for (const input of step.inputs) {
    const where = [...path, "inputs", input.from];
    if (input.from !== "source" && !stepNames.includes(input.from)) {
      problems.add("PIPELINE_STEP_UNKNOWN", where, unknownStep(input.from, ["source", ...stepNames]), "key");
    }
    checkPlace(input.at, where, problems);
  }
  checkPlace(step.output, [...path, "output"], problems);
  if ([step.output, ...step.inputs.map((input) => input.at)].every((place) => placeFault(place) === undefined)) {
    checkMounts(step, path, problems);
  }
  for (const [i, toolchain] of step.toolchains.entries()) {
    const fault = toolchain.includes("/") ? placeFault(toolchain.replace(/^~/, "")) : undefined;
    if (fault)
      problems.add("PIPELINE_PATH_INVALID", [...path, "toolchains", i], `${fault}, found ${JSON.stringify(toolchain)}`);
  }
}

function checkEnvironment(
  step: StepDefinition,
  path: readonly (string | number)[],
  parameters: readonly string[],
  problems: Problems,
): void {
  for (const [name, value] of Object.entries(step.environment)) {
    const where = [...path, "environment", name];
    if (/^TOUCHMARK_/i.test(name) || name === "SOURCE_DATE_EPOCH") {
      problems.add("PIPELINE_NAME_INVALID", where, `expected another name: the factory itself sets ${name}`, "key");
    }
    if (!holdsExpression(value)) continue;
    const { names, malformed } = expressionsIn(value);
    for (const text of malformed) {
      problems.add(
        "PIPELINE_EXPRESSION_INVALID",
        where,
        `expected \${{ parameters.NAME }}, found ${JSON.stringify(text.slice(0, 80))}`,
      );
    }
    for (const parameter of names) {
      if (parameters.includes(parameter)) continue;
      const near = nearestName(parameter, parameters);
      const meant = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
      problems.add(
        "PIPELINE_EXPRESSION_INVALID",
        where,
        `expected a declared parameter, found ${JSON.stringify(parameter)}${meant}`,
      );
    }
  }
}

function checkPlace(place: string, path: readonly (string | number)[], problems: Problems): void {
  const fault = placeFault(place);
  if (fault) {
    problems.add("PIPELINE_PATH_INVALID", path, `${fault}, found ${JSON.stringify(place)}`);
    return;
  }
  const reserved = reservedPlace(place);
  if (reserved)
    problems.add(
      "PIPELINE_PLACE_RESERVED",
      path,
      `expected a place outside ${reserved}, found ${JSON.stringify(place)}`,
    );
}

function checkMounts(step: StepDefinition, path: readonly (string | number)[], problems: Problems): void {
  const taken = new Map<string, string>();
  for (const input of step.inputs) {
    const where = [...path, "inputs", input.from];
    const other = taken.get(input.at);
    if (other !== undefined) {
      problems.add(
        "PIPELINE_MOUNT_CONFLICT",
        where,
        `expected a place of its own, found ${input.at}, where ${other} is mounted`,
      );
    }
    taken.set(input.at, input.from);
    if (input.at === step.output) {
      problems.add(
        "PIPELINE_TWO_WRITERS",
        where,
        `expected a place of its own, found ${input.at}, which is the output`,
      );
    } else if (isInside(input.at, step.output)) {
      problems.add(
        "PIPELINE_MOUNT_CONFLICT",
        where,
        `expected a place outside the output ${step.output}, found ${input.at}`,
      );
    }
  }
  const around = mountAround(step, step.output);
  if (around && around.at !== step.output && around.access === "read-only") {
    const where = [...path, "output"];
    problems.add(
      "PIPELINE_OUTPUT_INSIDE_INPUT",
      where,
      `expected a place outside ${around.at}, where ${around.from} is mounted read-only, found ${step.output}`,
    );
  }
  const fault = placeFault(step.directory);
  if (fault)
    problems.add("PIPELINE_PATH_INVALID", [...path, "directory"], `${fault}, found ${JSON.stringify(step.directory)}`);
  else if (!isInside(step.directory, step.output) && !mountAround(step, step.directory)) {
    problems.add(
      "PIPELINE_PATH_INVALID",
      [...path, "directory"],
      `expected a directory inside an input or the output, found ${JSON.stringify(step.directory)}`,
    );
  }
}

function mountAround(step: StepDefinition, place: string) {
  return step.inputs.filter((input) => isInside(place, input.at)).sort((a, b) => b.at.length - a.at.length)[0];
}

function unknownStep(name: string, valid: readonly string[]): string {
  const near = nearestName(name, valid);
  const meant = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  return `expected one of ${valid.slice(0, 20).join(", ")}, found ${JSON.stringify(name)}${meant}`;
}
