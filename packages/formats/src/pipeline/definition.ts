import type { Digest } from "@touchmark/core";
import type { ScanGatePolicy } from "../findings/index.ts";
import type { ProjectGate } from "./gate-schema.ts";
import type { ImageDefinition, PublishDefinition } from "./image-definition.ts";
import type { StepMaterials } from "./step-materials.ts";

/** A place in a pipeline file, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed, valid `touchmark.yaml` (docs/pipeline.md). */
export interface PipelineFile {
  readonly fileName: string;
  readonly text: string;
  /** SHA-256 of the file's UTF-8 text, which provenance records. */
  readonly digest: Digest;
  readonly project: string;
  readonly description?: string;
  /** Declarations of the project; empty when not given. */
  readonly languages: readonly string[];
  readonly hosting: readonly string[];
  readonly tools: readonly string[];
  readonly source: SourceDeclaration;
  /** Rules of the dependency gate that the project adds; they only tighten the user's. Empty when not given. */
  readonly materials: ProjectGate;
  /** Pipelines by name, in the order of the file. */
  readonly pipelines: ReadonlyMap<string, PipelineDefinition>;
  /** Position of a value; of its nearest parent when the value is not written out. */
  locate(path: readonly (string | number)[]): Position;
}

/** What a project declares about its source, beyond plain files. */
export interface SourceDeclaration {
  /** Submodules are fetched at the commits that the tree pins. Undeclared ones are refused. */
  readonly submodules: boolean;
  /** Git LFS pointers are replaced by the content whose SHA-256 they pin. Undeclared ones are refused. */
  readonly lfs: boolean;
}

export interface PipelineDefinition {
  readonly name: string;
  readonly description?: string;
  /** Template that it says it descends from; whether it does, `templateDifferences` tells. */
  readonly template?: string;
  readonly parameters: readonly ParameterDefinition[];
  /** In the order of the file; `orderSteps` gives the order of execution. */
  readonly steps: readonly StepDefinition[];
  readonly artifacts: readonly ArtifactDefinition[];
  /** Artifacts that are container images. */
  readonly images: readonly ImageDefinition[];
  readonly publish: readonly PublishDefinition[];
  /** Whether artifacts are catalogued and attested, with the project's own rules where it has some. */
  readonly analyse: { readonly wanted: boolean; readonly gate?: ScanGatePolicy };
}

export type ParameterType = "string" | "integer" | "boolean";

export interface ParameterDefinition {
  readonly name: string;
  readonly type: ParameterType;
  readonly description?: string;
  /** In its text form, as a step sees it. Absent: the caller must give a value. */
  readonly default?: string;
  /** Regular expression that the whole text must match. */
  readonly pattern?: string;
  /** Values allowed, in their text form. */
  readonly enum?: readonly string[];
}

export interface StepDefinition {
  readonly name: string;
  readonly description?: string;
  /** The argument vector to execute; for `run` it is `/bin/sh -eu -c SCRIPT`. */
  readonly command: readonly string[];
  /** The script of `run`; absent for `command`. */
  readonly script?: string;
  /** In the order of the file; `mountOrder` gives the order of mounting. */
  readonly inputs: readonly InputDefinition[];
  /** Working directory: absolute, inside an input or the output. */
  readonly directory: string;
  /** Where the exclusive output is mounted. */
  readonly output: string;
  /** As written: values may hold `${{ parameters.NAME }}`. See `resolveEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly network: "none" | "fetch";
  readonly limits: StepLimits;
  /** Limits that the file states itself; the others are defaults. */
  readonly statedLimits: readonly (keyof StepLimits)[];
  /** False for `network: fetch`, which is never cached. */
  readonly cache: boolean;
  /** Names (`cargo`) or absolute or `~/` directories. */
  readonly toolchains: readonly string[];
  /** What a step with `network: fetch` may fetch beyond its lockfiles; empty when not given. */
  readonly materials: StepMaterials;
  /** Reports that the step writes into its output; empty when not given. */
  readonly reports: readonly ReportDefinition[];
  /** Reference of the image whose files the step sees; absent: the host's files. */
  readonly image?: string;
  /** Asks for an image that nobody vouches for. Honoured only when the caller allows it, and recorded. */
  readonly insecureImage: boolean;
  /** Asks for a bare process instead of a sandbox. Honoured only when the caller allows it, and recorded. */
  readonly insecureProcess: boolean;
  readonly position: Position;
}

/** A report that a step writes: its own word, signed as such. */
export interface ReportDefinition {
  /** Relative to the output. */
  readonly path: string;
  readonly kind: "junit" | "coverage" | "sast" | "dast";
  /** A missing or unreadable one fails the step. */
  readonly required: boolean;
}

export interface InputDefinition {
  /** `source`, or the name of the step whose output this is. */
  readonly from: string;
  /** Absolute place of the mount inside the sandbox. */
  readonly at: string;
  readonly access: "read-only" | "copy-on-write";
}

export interface StepLimits {
  /** Processors; may be a fraction. Absent: as many as the host has. */
  readonly cpus?: number;
  readonly memoryBytes: number;
  readonly pids: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
  readonly outputBytes: number;
  /** Bytes of standard output and error that are kept. */
  readonly logBytes: number;
}

/** What a step may use when the file states no limit. */
export const defaultLimits: StepLimits = {
  memoryBytes: 4 * 2 ** 30,
  pids: 1024,
  seconds: 1800,
  outputBytes: 4 * 2 ** 30,
  logBytes: 16 * 2 ** 20,
};

/** What an artifact is, which decides media type and how it is exported. */
export const artifactKinds = [
  "file",
  "directory",
  "executable",
  "archive",
  "npm-package",
  "python-package",
  "java-archive",
  "rust-crate",
] as const;

export type ArtifactKind = (typeof artifactKinds)[number];

export interface ArtifactDefinition {
  readonly name: string;
  /** The step whose output holds it. */
  readonly from: string;
  /** Relative path inside that output; `.` for all of it. */
  readonly path: string;
  readonly kind: ArtifactKind;
  readonly description?: string;
}
