import { defineErrors, type ErrorDetail, FactoryError } from "@touchmark/core";

/** Error codes of the pipeline document. */
export const pipelineFileErrors = defineErrors({
  PIPELINE_TOO_LARGE: { nature: "invalid", meaning: "A pipeline file is larger than the limit (128 KiB)." },
  PIPELINE_TOO_COMPLEX: {
    nature: "invalid",
    meaning: "A pipeline file nests too deeply, or its aliases expand to too many values.",
    hint: "Write the values out instead of using anchors and aliases.",
  },
  PIPELINE_YAML_MALFORMED: {
    nature: "invalid",
    meaning: "A pipeline file is not one YAML 1.2 document, or uses a tag or a directive.",
  },
  PIPELINE_CHARACTER_FORBIDDEN: {
    nature: "invalid",
    meaning: "A pipeline file holds a control character, or one that reverses the direction of text on a screen.",
  },
  PIPELINE_KEY_DUPLICATE: { nature: "invalid", meaning: "A mapping names one key twice." },
  PIPELINE_KEY_UNKNOWN: { nature: "invalid", meaning: "A mapping holds a key that its place does not have." },
  PIPELINE_SCALAR_AMBIGUOUS: {
    nature: "invalid",
    meaning:
      "An unquoted value is read differently by different YAML readers (`yes`, `017`, `1e3`, a date, `12:30`, `0x1f`).",
    hint: "Put text in quotes; write truth values as true or false and numbers in plain decimal digits.",
  },
  PIPELINE_VERSION_UNKNOWN: {
    nature: "invalid",
    meaning: "The key `touchmark` does not name a version of the document that this release reads.",
  },
  PIPELINE_VALUE_INVALID: { nature: "invalid", meaning: "A value has the wrong type or shape for its place." },
  PIPELINE_NAME_INVALID: {
    nature: "invalid",
    meaning: "A name of a project, pipeline, step, artifact, parameter or variable is malformed, reserved or taken.",
  },
  PIPELINE_EXPRESSION_INVALID: {
    nature: "invalid",
    meaning: "`${{ … }}` stands outside an environment value, or names something other than a declared parameter.",
    hint: "A parameter reaches a step as the variable TOUCHMARK_PARAM_NAME, or by `${{ parameters.NAME }}` in an environment value. It is never pasted into a command.",
  },
  PIPELINE_STEP_UNKNOWN: { nature: "invalid", meaning: "An input or an artifact names a step that does not exist." },
  PIPELINE_ARTIFACT_UNKNOWN: { nature: "invalid", meaning: "`publish` names an artifact that does not exist." },
  PIPELINE_REFERENCE_INVALID: {
    nature: "invalid",
    meaning:
      "A reference of an image or repository is malformed, or lacks the digest or tag that its place demands, or has one where none belongs.",
    hint: "An image is `HOST/NAME@sha256:…`, or `factory:NAME:TAG` in this factory's own registry.",
  },
  PIPELINE_CYCLE: { nature: "invalid", meaning: "Steps depend on each other in a circle." },
  PIPELINE_PATH_INVALID: {
    nature: "invalid",
    meaning: "A path is not absolute where it must be, not normalised, or leaves the tree that it belongs to.",
  },
  PIPELINE_PLACE_RESERVED: {
    nature: "invalid",
    meaning: "An input or output is mounted over a directory that belongs to the system inside the sandbox.",
    hint: "Mount below /work, for example at /work/source.",
  },
  PIPELINE_MOUNT_CONFLICT: {
    nature: "invalid",
    meaning: "Two inputs are mounted at one place, or an input is mounted inside the output.",
  },
  PIPELINE_OUTPUT_INSIDE_INPUT: {
    nature: "invalid",
    meaning: "The output is declared inside an input that is mounted read-only.",
    hint: "Declare `access: copy-on-write` for that input, or write to a place of its own.",
  },
  PIPELINE_TWO_WRITERS: {
    nature: "invalid",
    meaning: "A step asks to write into storage that another step or the source owns.",
    hint: "Each storage has exactly one writer. `access: copy-on-write` gives the step a private copy.",
  },
  PIPELINE_UNKNOWN: { nature: "invalid", meaning: "The file holds no pipeline of the name asked for." },
  PARAMETER_UNKNOWN: { nature: "invalid", meaning: "A value was given for a parameter that is not declared." },
  PARAMETER_MISSING: { nature: "invalid", meaning: "A parameter has no default, and no value was given for it." },
  PARAMETER_INVALID: { nature: "invalid", meaning: "A value does not fit the type, pattern or enum of its parameter." },
});

/** Codes of `pipelineFileErrors`. */
export type PipelineFileCode = keyof typeof pipelineFileErrors.rows;

/** One thing that is wrong in a pipeline file, and where. */
export interface PipelineProblem {
  readonly code: PipelineFileCode;
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** Where in the document: `pipelines.default.steps.build.limits`; empty for the whole. */
  readonly path: string;
  /** What was expected, what was found, and the nearest valid name. */
  readonly message: string;
}

/** Thrown by `parsePipelineFile`: every problem of the file; code, line and column are those of the first. */
export class PipelineFileError extends FactoryError {
  readonly problems: readonly PipelineProblem[];
  readonly line: number;
  readonly column: number;

  constructor(fileName: string, problems: readonly [PipelineProblem, ...PipelineProblem[]], detail?: ErrorDetail) {
    const [first] = problems;
    const shown = problems.slice(0, 20).map((p) => `${fileName}:${p.line}:${p.column}: ${p.message}`);
    if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more problems`);
    super(first.code, pipelineFileErrors.rows[first.code], shown.join("\n"), detail);
    this.problems = problems;
    this.line = first.line;
    this.column = first.column;
  }
}
