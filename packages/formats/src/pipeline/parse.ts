import { sha256 } from "@touchmark/core";
import { defineImage, definePublish } from "./define-image.ts";
import {
  type ArtifactDefinition,
  defaultLimits,
  type InputDefinition,
  type ParameterDefinition,
  type PipelineDefinition,
  type PipelineFile,
  type StepDefinition,
  type StepLimits,
} from "./definition.ts";
import { Problems } from "./problems.ts";
import { parseBytes, parseDuration } from "./quantity.ts";
import { scanGatePolicy } from "./scan-gate.ts";
import { type PipelineDocument, pipelineDocument, type WrittenStep } from "./schema.ts";
import { checkPipeline } from "./validity.ts";
import { readYaml, type YamlReading } from "./yaml-reader.ts";

/** What a step says to see the host's files where all others have an image. */
const hostFiles = "host";

/** What a step that declares no output of its own writes to. */
export const defaultOutput = "/work/output";

/**
 * Reads `touchmark.yaml` strictly (docs/pipeline.md). Every problem is reported with line, column, what was expected
 * and the nearest valid name.
 *
 * @throws PipelineFileError with one of the PIPELINE_ codes
 */
export function parsePipelineFile(text: string, fileName: string): PipelineFile {
  const reading = readYaml(text, fileName);
  const problems = new Problems(fileName, reading);
  const checked = pipelineDocument.safeParse(reading.value);
  if (!checked.success) {
    problems.addIssues(checked.error.issues);
    problems.throwIfAny();
    throw checked.error;
  }
  const document = checked.data;
  const pipelines = new Map<string, PipelineDefinition>();
  for (const [name, written] of Object.entries(document.pipelines)) {
    for (const [stepName, step] of Object.entries(written.steps))
      checkSpelling(step, ["pipelines", name, "steps", stepName], problems);
    for (const [artifact, value] of Object.entries(written.artifacts ?? {}))
      checkArtifact(value, ["pipelines", name, "artifacts", artifact], problems);
    const pipeline = definePipeline(name, written, reading);
    checkPipeline(pipeline, problems);
    pipelines.set(name, pipeline);
  }
  if (pipelines.size === 0) problems.add("PIPELINE_VALUE_INVALID", ["pipelines"], "expected at least one pipeline");
  problems.throwIfAny();
  return {
    fileName,
    text,
    digest: sha256(text),
    project: document.project,
    ...(document.description === undefined ? {} : { description: document.description }),
    languages: document.languages ?? [],
    hosting: document.hosting ?? [],
    tools: document.tools ?? [],
    source: { submodules: document.source?.submodules ?? false, lfs: document.source?.lfs ?? false },
    materials: document.materials ?? {},
    pipelines,
    locate: (path) => reading.locate(path),
  };
}

function checkSpelling(step: WrittenStep, path: string[], problems: Problems): void {
  if ((step.command === undefined) === (step.run === undefined)) {
    const found = step.command === undefined ? "neither" : "both";
    problems.add("PIPELINE_VALUE_INVALID", path, `expected either command or run, found ${found}`, "key");
  }
  if (step.command?.[0] === "")
    problems.add("PIPELINE_VALUE_INVALID", [...path, "command"], "expected the name of a program, found empty text");
  if (step.materials !== undefined && step.network !== "fetch") {
    const message = "expected a step with network: fetch, found one without network, which fetches nothing";
    problems.add("PIPELINE_VALUE_INVALID", [...path, "materials"], message, "key");
  }
}

function checkArtifact(artifact: WrittenArtifact, path: string[], problems: Problems): void {
  const parts = [artifact.from, artifact.path, artifact.kind];
  const given = parts.filter((part) => part !== undefined).length;
  if (given === (artifact.image === undefined ? 3 : 0)) return;
  const found = artifact.image === undefined ? `${given} of the three` : "both";
  const message = `expected from, path and kind, or image alone; found ${given === 0 ? "neither" : found}`;
  problems.add("PIPELINE_VALUE_INVALID", path, message, "key");
}

type WrittenArtifact = NonNullable<WrittenPipeline["artifacts"]>[string];
type WrittenPipeline = PipelineDocument["pipelines"][string];

function definePipeline(name: string, written: WrittenPipeline, reading: YamlReading): PipelineDefinition {
  return {
    name,
    ...(written.description === undefined ? {} : { description: written.description }),
    ...(written.template === undefined ? {} : { template: written.template }),
    parameters: Object.entries(written.parameters ?? {}).map(
      ([parameter, value]): ParameterDefinition => ({
        name: parameter,
        type: value.type,
        ...(value.description === undefined ? {} : { description: value.description }),
        ...(value.default === undefined ? {} : { default: String(value.default) }),
        ...(value.pattern === undefined ? {} : { pattern: value.pattern }),
        ...(value.enum === undefined ? {} : { enum: value.enum.map(String) }),
      }),
    ),
    steps: Object.entries(written.steps).map(([step, value]) =>
      defineStep(step, value, written.image, reading.locate(["pipelines", name, "steps", step], "key")),
    ),
    artifacts: Object.entries(written.artifacts ?? {}).flatMap(([artifact, value]): ArtifactDefinition[] => {
      const { from, path, kind, description } = value;
      if (from === undefined || path === undefined || kind === undefined) return [];
      return [{ name: artifact, from, path, kind, ...(description === undefined ? {} : { description }) }];
    }),
    images: Object.entries(written.artifacts ?? {}).flatMap(([artifact, { image, description }]) => {
      const place = reading.locate(["pipelines", name, "artifacts", artifact], "key");
      return image === undefined ? [] : [defineImage(artifact, description, image, place)];
    }),
    publish: (written.publish ?? []).map((target, i) =>
      definePublish(target, reading.locate(["pipelines", name, "publish", i])),
    ),
    analyse: defineAnalyse(written.analyse),
  };
}

function defineAnalyse(written: WrittenPipeline["analyse"]): PipelineDefinition["analyse"] {
  if (written === undefined || typeof written === "boolean") return { wanted: written ?? true };
  return { wanted: true, ...(written.gate === undefined ? {} : { gate: scanGatePolicy(written.gate) }) };
}

function defineStep(
  name: string,
  written: WrittenStep,
  imageOfAll: string | undefined,
  position: StepDefinition["position"],
): StepDefinition {
  const image = written.image ?? (written["insecure-process"] === true ? undefined : imageOfAll);
  const inputs = Object.entries(written.inputs ?? {}).map(([from, input]): InputDefinition => {
    if (typeof input === "string") return { from, at: input, access: "read-only" };
    return { from, at: input.at, access: input.access === "copy-on-write" ? "copy-on-write" : "read-only" };
  });
  const output = written.output ?? defaultOutput;
  const network = written.network ?? "none";
  return {
    name,
    ...(written.description === undefined ? {} : { description: written.description }),
    command: written.run === undefined ? (written.command ?? []) : ["/bin/sh", "-eu", "-c", written.run],
    ...(written.run === undefined ? {} : { script: written.run }),
    inputs,
    directory: written.directory ?? inputs[0]?.at ?? output,
    output,
    environment: written.environment ?? {},
    network,
    ...defineLimits(written),
    cache: network === "none" && (written.cache ?? true),
    toolchains: written.toolchains ?? [],
    materials: written.materials ?? {},
    reports: (written.reports ?? []).map(({ path, kind, required }) => ({ path, kind, required: required ?? true })),
    ...(image === undefined || image === hostFiles ? {} : { image }),
    insecureImage: written["insecure-image"] ?? false,
    insecureProcess: written["insecure-process"] ?? false,
    position,
  };
}

function defineLimits(written: WrittenStep): Pick<StepDefinition, "limits" | "statedLimits"> {
  const { cpu, memory, pids, time, output, log } = written.limits ?? {};
  const stated: { -readonly [Name in keyof StepLimits]?: number } = {};
  const state = (name: keyof StepLimits, value: number | undefined) => {
    if (value !== undefined) stated[name] = value;
  };
  state("cpus", cpu);
  state("memoryBytes", memory === undefined ? undefined : parseBytes(memory));
  state("pids", pids);
  state("seconds", time === undefined ? undefined : parseDuration(time));
  state("outputBytes", output === undefined ? undefined : parseBytes(output));
  state("logBytes", log === undefined ? undefined : parseBytes(log));
  return { limits: { ...defaultLimits, ...stated }, statedLimits: Object.keys(stated) as (keyof StepLimits)[] };
}
