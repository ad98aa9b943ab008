import {
  orderSteps,
  type ParameterValues,
  type PipelineDefinition,
  type PipelineFile,
  resolveEnvironment,
  resolveParameters,
  type StepDefinition,
  selectPipeline,
} from "@touchmark/formats/pipeline";

/** A step with everything about it decided except the digests of its inputs. */
export interface PlannedStep {
  readonly definition: StepDefinition;
  readonly name: string;
  /** What the step declares and its parameters; the constants of the worker are not among them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of the steps whose output it reads. */
  readonly after: readonly string[];
}

/** A pipeline of a revision, resolved for one run. */
export interface Plan {
  readonly file: PipelineFile;
  readonly pipeline: PipelineDefinition;
  readonly parameters: ParameterValues;
  /** In an order in which each step stands after all that it reads. */
  readonly steps: readonly PlannedStep[];
}

/** Decides what a run will do. @throws PIPELINE_UNKNOWN and the PARAMETER_ codes */
export function makePlan(
  file: PipelineFile,
  pipelineName: string | undefined,
  given: Readonly<Record<string, string>>,
): Plan {
  const pipeline = selectPipeline(file, pipelineName);
  const parameters = resolveParameters(pipeline, given);
  const steps = orderSteps(pipeline.steps).map(
    (definition): PlannedStep => ({
      definition,
      name: definition.name,
      environment: resolveEnvironment(definition, parameters),
      after: [...new Set(definition.inputs.map((input) => input.from).filter((from) => from !== "source"))],
    }),
  );
  return { file, pipeline, parameters, steps };
}
