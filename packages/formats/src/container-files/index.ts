export { type ContainerFileCode, containerFileErrors } from "./errors.ts";
export { ContainerFileError, type ContainerFinding } from "./finding.ts";
export { type ContainerFileKind, containerFileKind, mayBeContainerFile } from "./kind.ts";
export { type ContainerFileText, type ContainerLint, lintContainerFile, lintContainerFiles } from "./lint.ts";
export { readRecipe } from "./recipe-reader.ts";
export { type ContainerRule, containerRules, type Severity } from "./rules.ts";
export { lintRulesPage } from "./rules-page.ts";
export { type SarifFinding, type SarifRule, sarifReport } from "./sarif.ts";
export { readYamlTrees, type YamlTree } from "./yaml-tree.ts";
