import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lintRulesPage } from "@touchmark/formats/container-files";
import { materialsLockSchema } from "@touchmark/formats/lockfiles";
import {
  advisoriesSchema,
  imagesSchema,
  materialsSchema,
  pipelineSchema,
  scanSchema,
} from "@touchmark/formats/pipeline";
import { policyDocumentPages } from "@touchmark/formats/policy-documents";
import { predicateDocuments } from "@touchmark/formats/predicate-documents";
import { registrySchema } from "@touchmark/formats/registry";
import { rulesPage } from "@touchmark/materials";
import { libraryPage } from "@touchmark/policy";
import { repositoryRoot } from "../repository.ts";
import { sourcePaths } from "../sources/repository-modules.ts";
import { errorsPage, readErrorCodes } from "./error-codes.ts";
import type { Finding } from "./finding.ts";

/** A document that is made from code. */
export interface GeneratedDocument {
  /** Path relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** All documents that are made from code, as the code now says. */
export async function generatedDocuments(): Promise<GeneratedDocument[]> {
  const codes = await readErrorCodes(sourcePaths(/errors\.ts$/));
  const pipeline = `${JSON.stringify(pipelineSchema(), null, 2)}\n`;
  return [
    { path: "docs/errors.md", text: errorsPage(codes) },
    { path: "docs/formats/pipeline.schema.json", text: pipeline },
    { path: "docs/formats/materials-lock.schema.json", text: `${JSON.stringify(materialsLockSchema(), null, 2)}\n` },
    {
      path: "docs/formats/materials-configuration.schema.json",
      text: `${JSON.stringify(materialsSchema(), null, 2)}\n`,
    },
    {
      path: "docs/formats/images-configuration.schema.json",
      text: `${JSON.stringify(imagesSchema(), null, 2)}\n`,
    },
    {
      path: "docs/formats/advisories-configuration.schema.json",
      text: `${JSON.stringify(advisoriesSchema(), null, 2)}\n`,
    },
    { path: "docs/formats/scan-configuration.schema.json", text: `${JSON.stringify(scanSchema(), null, 2)}\n` },
    { path: "docs/formats/registry-configuration.schema.json", text: `${JSON.stringify(registrySchema(), null, 2)}\n` },
    { path: "docs/materials-rules.md", text: rulesPage() },
    { path: "docs/policy-library.md", text: libraryPage() },
    { path: "docs/lint-rules.md", text: lintRulesPage() },
    ...predicateDocuments(),
    ...policyDocumentPages(),
  ];
}

/** The committed documents are those that the code makes. */
export function checkDocuments(documents: readonly GeneratedDocument[]): Finding[] {
  return documents
    .filter(({ path, text }) => {
      const file = join(repositoryRoot, path);
      return !existsSync(file) || readFileSync(file, "utf8") !== text;
    })
    .map(({ path }) => ({ path, message: "is not what the code says; run: npm run docs" }));
}
