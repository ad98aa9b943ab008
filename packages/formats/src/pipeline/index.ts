export { type AdvisoriesDocument, advisoriesDocument } from "./advisories-schema.ts";
export {
  type ArtifactDefinition,
  type ArtifactKind,
  artifactKinds,
  defaultLimits,
  type InputDefinition,
  type ParameterDefinition,
  type ParameterType,
  type PipelineDefinition,
  type PipelineFile,
  type Position,
  type ReportDefinition,
  type SourceDeclaration,
  type StepDefinition,
  type StepLimits,
} from "./definition.ts";
export { type PipelineFileCode, PipelineFileError, type PipelineProblem, pipelineFileErrors } from "./errors.ts";
export { evidenceKinds, gateEcosystems, type ProjectGate } from "./gate-schema.ts";
export {
  type ImageAllowance,
  type ImageDefinition,
  type ImageLayerDefinition,
  type PublishDefinition,
} from "./image-definition.ts";
export { type ImageReference, imageReferenceText, parseImageReference } from "./image-reference.ts";
export { type ImagesDocument, imagesDocument } from "./images-schema.ts";
export { advisoriesSchema, imagesSchema, materialsSchema, pipelineSchema, scanSchema } from "./json-schema.ts";
export { lintPipeline } from "./lint.ts";
export { type LintFinding, type LintRule, lintRules } from "./lint-rules.ts";
export { type MaterialsDocument, materialsDocument } from "./materials-schema.ts";
export { nearestName } from "./nearest.ts";
export { mountOrder, orderSteps } from "./order.ts";
export {
  fillParameters,
  type ParameterValues,
  parameterVariable,
  resolveEnvironment,
  resolveParameters,
  selectPipeline,
} from "./parameters.ts";
export { defaultOutput, parsePipelineFile } from "./parse.ts";
export { Problems } from "./problems.ts";
export { parseBytes, parseDuration } from "./quantity.ts";
export { scanExceptions, scanGatePolicy } from "./scan-gate.ts";
export { type ScanDocument, scanDocument } from "./scan-schema.ts";
export type { StepMaterials } from "./step-materials.ts";
export {
  type PipelineTemplate,
  pipelineTemplate,
  pipelineTemplates,
  type TemplateDifference,
  templateDifferences,
  templatesOf,
  templateText,
} from "./templates/index.ts";
export { readYaml, type YamlReading, type YamlValue } from "./yaml-reader.ts";
