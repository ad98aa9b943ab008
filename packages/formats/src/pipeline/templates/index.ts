export { type TemplateDifference, templateDifferences, templatesOf } from "./descent.ts";
export { type PipelineTemplate, templateText } from "./template.ts";
export { pipelineTemplate, pipelineTemplates } from "./templates.ts";
