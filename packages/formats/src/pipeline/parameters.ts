import type { ParameterDefinition, PipelineDefinition, PipelineFile, StepDefinition } from "./definition.ts";
import { pipelineFileErrors } from "./errors.ts";
import { substitute } from "./expression.ts";
import { nearestName } from "./nearest.ts";

/** Values of all parameters of a pipeline, as text, by name. Without prototype. */
export type ParameterValues = Readonly<Record<string, string>>;

/** The pipeline of a name, `default` when none is given (or the only one). @throws PIPELINE_UNKNOWN */
export function selectPipeline(file: PipelineFile, name?: string): PipelineDefinition {
  const names = [...file.pipelines.keys()];
  const wanted = name ?? (file.pipelines.has("default") || names.length !== 1 ? "default" : (names[0] ?? "default"));
  const found = file.pipelines.get(wanted);
  if (found) return found;
  const near = nearestName(wanted, names);
  throw pipelineFileErrors.make(
    "PIPELINE_UNKNOWN",
    `expected one of the pipelines ${names.join(", ")} of ${file.fileName}, found ${JSON.stringify(wanted.slice(0, 80))}`,
    { hint: near === undefined ? `Name one: ${names.join(", ")}.` : `Did you mean ${JSON.stringify(near)}?` },
  );
}

/**
 * Checks the values given by a caller against the declared parameters, and fills in the defaults.
 *
 * @throws PARAMETER_UNKNOWN, PARAMETER_MISSING, PARAMETER_INVALID
 */
export function resolveParameters(
  pipeline: PipelineDefinition,
  given: Readonly<Record<string, string>>,
): ParameterValues {
  const names = pipeline.parameters.map((p) => p.name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const near = nearestName(name, names);
    const known = names.length === 0 ? "It has none." : `It has: ${names.join(", ")}.`;
    throw pipelineFileErrors.make(
      "PARAMETER_UNKNOWN",
      `expected a parameter of the pipeline ${pipeline.name}, found ${JSON.stringify(name.slice(0, 80))}`,
      { hint: near === undefined ? known : `Did you mean ${JSON.stringify(near)}? ${known}` },
    );
  }
  const values: Record<string, string> = Object.create(null);
  for (const parameter of pipeline.parameters) {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : parameter.default;
    if (value === undefined) {
      throw pipelineFileErrors.make(
        "PARAMETER_MISSING",
        `expected a value for the parameter ${parameter.name} (${parameter.type}), found none`,
        {
          hint: `Give it: --param ${parameter.name}=VALUE${parameter.description ? ` (${parameter.description})` : ""}`,
        },
      );
    }
    const fault = parameterFault(parameter, value);
    if (fault !== undefined) {
      throw pipelineFileErrors.make(
        "PARAMETER_INVALID",
        `parameter ${parameter.name}: expected ${fault}, found ${JSON.stringify(value.slice(0, 80))}`,
      );
    }
    values[parameter.name] = value;
  }
  return values;
}

/** What a value should have been, or undefined when it fits. */
export function parameterFault(parameter: Omit<ParameterDefinition, "name">, value: string): string | undefined {
  if (value.length > 4096) return "at most 4096 characters";
  if (value.includes("\0")) return "text without NUL characters";
  if (parameter.type === "integer" && !/^(?:0|-?[1-9][0-9]{0,14})$/.test(value)) return "an integer in decimal digits";
  if (parameter.type === "boolean" && value !== "true" && value !== "false") return "true or false";
  if (parameter.enum !== undefined && !parameter.enum.includes(value)) return `one of ${parameter.enum.join(", ")}`;
  if (parameter.pattern !== undefined && !new RegExp(`^(?:${parameter.pattern})$`, "u").test(value)) {
    return `text that matches ${parameter.pattern}`;
  }
  return undefined;
}

/**
 * The environment that a step declares: its variables with parameters filled in, and TOUCHMARK_PARAM_NAME for each
 * parameter. Values are data: they never become part of a command or script.
 */
export function resolveEnvironment(
  step: Pick<StepDefinition, "environment">,
  parameters: ParameterValues,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) environment[parameterVariable(name)] = value;
  for (const [name, value] of Object.entries(step.environment)) {
    environment[name] = fillParameters(value, parameters);
  }
  return environment;
}

/** A text with its parameters filled in: of images and tags, which are data as well. */
export function fillParameters(text: string, parameters: ParameterValues): string {
  return substitute(text, (parameter) => parameters[parameter] ?? "");
}

/** The variable in which steps find a parameter. */
export function parameterVariable(name: string): string {
  return `TOUCHMARK_PARAM_${name.toUpperCase()}`;
}
