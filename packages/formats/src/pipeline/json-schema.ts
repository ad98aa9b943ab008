import { z } from "zod";
import { advisoriesDocument } from "./advisories-schema.ts";
import { imagesDocument } from "./images-schema.ts";
import { materialsDocument } from "./materials-schema.ts";
import { scanDocument } from "./scan-schema.ts";
import { pipelineDocument } from "./schema.ts";

/** The published JSON Schema (draft 2020-12) of `touchmark.yaml`, made from the schema that the reader uses. */
export function pipelineSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(pipelineDocument, { target: "draft-2020-12", io: "input" });
  return { $id: "https://touchmark.dev/schemas/pipeline/v1.json", ...schema };
}

/** The published JSON Schema (draft 2020-12) of `materials.yaml`. */
export function materialsSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(materialsDocument, { target: "draft-2020-12", io: "input" });
  return { $id: "https://touchmark.dev/schemas/materials/v1.json", ...schema };
}

/** The published JSON Schema (draft 2020-12) of `images.yaml`. */
export function imagesSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(imagesDocument, { target: "draft-2020-12", io: "input" });
  return { $id: "https://touchmark.dev/schemas/images/v1.json", ...schema };
}

/** The published JSON Schema (draft 2020-12) of `advisories.yaml`. */
export function advisoriesSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(advisoriesDocument, { target: "draft-2020-12", io: "input" });
  return { $id: "https://touchmark.dev/schemas/advisories/v1.json", ...schema };
}

/** The published JSON Schema (draft 2020-12) of `scan.yaml`. */
export function scanSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scanDocument, { target: "draft-2020-12", io: "input" });
  return { $id: "https://touchmark.dev/schemas/scan/v1.json", ...schema };
}
