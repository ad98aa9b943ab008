import { z } from "zod";
import { artifactKinds } from "./definition.ts";
import { projectGate } from "./gate-schema.ts";
import { artifactImage, publishTarget, stepImage } from "./image-schema.ts";
import { bytesPattern, durationPattern } from "./quantity.ts";
import { analyse, stepReports } from "./scan-schema.ts";
import { name, section, text } from "./schema-parts.ts";
import { stepMaterials } from "./step-materials.ts";

/**
 * The shape of `touchmark.yaml`. This is the one source of the reader, of the published JSON Schema and of the
 * names that errors suggest. What a shape cannot say (cycles, places, writers) is in `validity.ts`.
 *
 * A message may begin with the code of its error and `|`; without one the code is PIPELINE_VALUE_INVALID.
 */

/** Names of parameters: lower case, so that TOUCHMARK_PARAM_NAME is one name for one parameter. */
export const parameterNamePattern = /^[a-z][a-z0-9_]{0,62}$/;
const variablePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const toolchainPattern = /^(?:[a-z][a-z0-9+-]{0,31}|~?\/[^\u0000-\u001f]{1,1024})$/;

const absolutePath = (what: string) => text(1024).meta({ description: what, examples: ["/work/source"] });
const bytes = (what: string) =>
  z
    .string('expected an amount of bytes such as "512MiB" or "2GiB"')
    .regex(bytesPattern, 'expected an amount of bytes such as "512MiB" or "2GiB"')
    .meta({ description: what, examples: ["2GiB", "512MiB"] });

const parameter = section(
  {
    type: z.enum(["string", "integer", "boolean"]).meta({ description: "How the text of a value is checked." }),
    description: text(2000).optional().meta({ description: "Shown when a value is missing or wrong." }),
    default: z
      .union([z.string().max(4096), z.number().int(), z.boolean()], {
        error: "expected text, an integer or true/false",
      })
      .optional()
      .meta({ description: "Used when the caller gives no value. Without it the caller must." }),
    pattern: text(512)
      .optional()
      .meta({ description: "Regular expression (ECMAScript, Unicode) for the whole text of a value; for strings." }),
    enum: z
      .array(z.union([z.string().max(4096), z.number().int()], { error: "expected text or an integer" }))
      .min(1, "expected at least one value")
      .max(256, "expected at most 256 values")
      .optional()
      .meta({ description: "The values allowed." }),
  },
  {
    description: "A typed parameter. Steps see it as the variable TOUCHMARK_PARAM_NAME.",
    examples: [{ type: "string", default: "1" }],
  },
);

const access = z
  .string()
  .refine((given) => given === "read-only" || given === "copy-on-write", {
    error: (issue) =>
      /^(?:read-write|rw|write|writable|exclusive|shared)$/.test(String(issue.input))
        ? 'PIPELINE_TWO_WRITERS|expected "read-only" or "copy-on-write": the step or source that made this storage is its only writer'
        : 'expected "read-only" or "copy-on-write"',
  })
  .meta({
    enum: ["read-only", "copy-on-write"],
    description: "copy-on-write gives the step a private copy to write in, which is thrown away. Default: read-only.",
  });

const input = z
  .union(
    [
      absolutePath("Where the input is mounted, read-only."),
      section(
        { at: absolutePath("Where the input is mounted."), access: access.optional() },
        { description: "An input with its access." },
      ),
    ],
    { error: "expected a place such as /work/source, or a mapping with the keys at and access" },
  )
  .meta({ examples: ["/work/source", { at: "/work/source", access: "copy-on-write" }] });

const stepLimits = section(
  {
    cpu: z
      .number()
      .min(0.01, "expected at least 0.01 processors")
      .max(4096, "expected at most 4096 processors")
      .optional()
      .meta({ description: "Processors; may be a fraction. Default: all of the host.", examples: [2] }),
    memory: bytes("Memory of all processes of the step. Default: 4GiB.").optional(),
    pids: z
      .int("expected a whole number")
      .min(1, "expected at least 1 process")
      .max(1_000_000, "expected at most 1000000 processes")
      .optional()
      .meta({ description: "Processes and threads at one time. Default: 1024.", examples: [512] }),
    time: z
      .string('expected a duration such as "60s", "10m" or "2h"')
      .regex(durationPattern, 'expected a duration such as "60s", "10m" or "2h"')
      .optional()
      .meta({ description: "Wall-clock time. Default: 30m.", examples: ["10m"] }),
    output: bytes("Bytes of the output. Default: 4GiB.").optional(),
    log: bytes("Bytes of standard output and error that are kept. Default: 16MiB.").optional(),
  },
  {
    description:
      "What the step may use at most. A step that wants more is stopped, and the run says which limit it met.",
  },
);

const step = section(
  {
    description: text(2000).optional().meta({ description: "What the step is for." }),
    command: z
      .array(z.string().max(32768))
      .min(1, "expected at least the name of a program")
      .max(1024, "expected at most 1024 arguments")
      .optional()
      .meta({ description: "Program and arguments, executed without a shell.", examples: [["npm", "ci"]] }),
    run: z
      .string()
      .min(1, "expected a script")
      .max(65536, "expected at most 65536 characters")
      .optional()
      .meta({
        description: "Script for /bin/sh -eu. Write command instead where one program is enough.",
        examples: ["make\nmake test\n"],
      }),
    inputs: z
      .record(name("step name"), input)
      .optional()
      .meta({
        description:
          "What the step reads: `source`, or the name of a step whose output it is, and where each is mounted.",
        examples: [{ source: "/work/source", fetch: "/work/source/node_modules" }],
      }),
    directory: absolutePath("Working directory. Default: the place of the first input, or of the output.").optional(),
    output: absolutePath(
      "Where the one directory that survives the step is mounted. Default: /work/output.",
    ).optional(),
    environment: z
      .record(
        z.string().regex(variablePattern, "PIPELINE_NAME_INVALID|expected a variable name of letters, digits and _"),
        text(32768),
      )
      .optional()
      .meta({
        description:
          "Variables of the step, and no others but the documented ones. Values may hold ${{ parameters.NAME }}.",
        examples: [{ CI: "1", VERSION: "${{ parameters.version }}" }],
      }),
    network: z.enum(["none", "fetch"]).optional().meta({
      description:
        "none (default): no network at all. fetch: the outside through the recording proxy alone, by the user's rules.",
    }),
    limits: stepLimits.optional(),
    cache: z.boolean().optional().meta({
      description: "Whether an earlier result with equal inputs may be used. Default: true; never for network: fetch.",
    }),
    toolchains: z
      .array(
        z
          .string()
          .regex(
            toolchainPattern,
            'expected a toolchain name such as "cargo", or a directory such as "~/tools" or "/srv/tools"',
          ),
      )
      .max(32, "expected at most 32 toolchains")
      .optional()
      .meta({
        description: "Toolchains that live below a home: shown to the step read-only, and recorded.",
        examples: [["cargo"]],
      }),
    materials: stepMaterials.optional(),
    reports: stepReports.optional(),
    image: stepImage.optional(),
    "insecure-image": z.boolean().optional().meta({
      description:
        "Takes an image that nobody trusted signed and nobody scanned, if the caller allows it too. Recorded.",
    }),
    "insecure-process": z.boolean().optional().meta({
      description: "Runs the step as a bare process without a sandbox, if the caller allows it too. Recorded.",
    }),
  },
  {
    description: "One unit of work in a sandbox of its own.",
    oneOf: [{ required: ["command"] }, { required: ["run"] }],
  },
);

const artifact = section(
  {
    from: name("step name").optional().meta({ description: "The step whose output holds the artifact." }),
    path: text(1024)
      .optional()
      .meta({ description: "Path inside that output; `.` for all of it.", examples: ["package.tgz"] }),
    kind: z.enum(artifactKinds).optional().meta({ description: "What it is." }),
    image: artifactImage.optional(),
    description: text(2000).optional().meta({ description: "What it is for." }),
  },
  {
    description: "Something that leaves the factory, with evidence: a part of a step's output, or an image.",
    oneOf: [{ required: ["from", "path", "kind"] }, { required: ["image"] }],
  },
);

const pipeline = section(
  {
    description: text(2000).optional().meta({ description: "What the pipeline is for." }),
    template: name("template name")
      .optional()
      .meta({
        description: "Template that the pipeline descends from; `touchmark lint` says where it does not any more.",
        examples: ["node-package"],
      }),
    parameters: z
      .record(
        z
          .string()
          .regex(
            parameterNamePattern,
            "PIPELINE_NAME_INVALID|expected a parameter name of lower-case letters, digits and _ that begins with a letter",
          ),
        parameter,
      )
      .optional()
      .meta({ description: "Parameters by name." }),
    steps: z.record(name("step name"), step).meta({ description: "Steps by name. Their inputs decide the order." }),
    analyse: analyse.optional(),
    image: stepImage.optional().meta({ description: "Image of every step that names no other." }),
    artifacts: z.record(name("artifact name"), artifact).optional().meta({ description: "Artifacts by name." }),
    publish: z
      .array(publishTarget)
      .max(64)
      .optional()
      .meta({ description: "Where artifacts go, with their evidence." }),
  },
  { description: "One pipeline." },
);

const words = (what: string, examples: string[]) =>
  z
    .array(z.string().min(1, "expected a name").max(128))
    .max(64)
    .optional()
    .meta({ description: what, examples: [examples] });

/** The whole document. */
export const pipelineDocument = section(
  {
    touchmark: z.literal("pipeline/v1").meta({ description: "Version of this document." }),
    project: name("project name").meta({ description: "Stands in the identities of the steps.", examples: ["shop"] }),
    description: text(2000).optional().meta({ description: "What the project is." }),
    languages: words("Languages that the project is written in.", ["typescript"]),
    hosting: words("Where the project is hosted, for people and reports.", ["an internal git server"]),
    tools: words("Tools that the project relies on.", ["npm", "make"]),
    source: section(
      {
        submodules: z.boolean().optional().meta({ description: "Fetch submodules at the commits that the tree pins." }),
        lfs: z.boolean().optional().meta({ description: "Replace Git LFS pointers by the content that they pin." }),
      },
      { description: "What the source needs beyond plain files. Undeclared submodules and LFS pointers are refused." },
    ).optional(),
    materials: projectGate.optional(),
    pipelines: z
      .record(name("pipeline name"), pipeline)
      .meta({ description: "Pipelines by name; `default` runs unless another is named." }),
  },
  { title: "Touchmark pipeline", description: "touchmark.yaml: how a project is built, as code." },
);

/** The document as written, after checking its shape. */
export type PipelineDocument = z.infer<typeof pipelineDocument>;

export type WrittenStep = z.infer<typeof step>;
